import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ManifestToolError, systemCode } from '../errors.js';
import { Fields } from '../oci/json/fields.js';
import { parseJson } from '../oci/json/parse.js';
import { parsing } from './errors.js';
import { blobsPath, indexPath, markerPath } from './paths.js';
import { readRegular } from './read-file.js';
import { writeAtomically } from './write-file.js';

const MARKER = '{"imageLayoutVersion":"1.0.0"}';

const MAKE_HINT =
  'make a layout with "skopeo copy docker://IMAGE oci:PATH:TAG", ' +
  'or with "docker buildx build --output type=oci,tar=false,dest=PATH"';

/**
 * Sees to it that `root` is an image layout of version 1 (OCI image-spec, image-layout.md,
 * oci-layout file).
 * @throws {ManifestToolError} NOT_FOUND where there is no such directory; FAILED where it is no
 * layout, or one of another version; CORRUPT where the `oci-layout` file cannot be read.
 */
export async function checkLayout(what: string, root: string): Promise<void> {
  await checkDirectory(what, root);
  if (await hasMarker(what, root)) return;
  throw new ManifestToolError(
    'FAILED',
    what,
    `${root} is not an OCI image layout: it has no oci-layout file`,
    { hint: MAKE_HINT },
  );
}

/**
 * Makes `root` an empty layout but for its index.json where it is none; its directories are created
 * as far as they are missing.
 * @throws {ManifestToolError} FAILED where it is a layout of another version, or a directory of other
 * things; CORRUPT as {@link checkLayout} does.
 */
export async function ensureLayout(what: string, root: string): Promise<void> {
  if (await hasMarker(what, root)) {
    await mkdir(blobsPath(root), { recursive: true });
    return;
  }
  await refuseOthers(what, root);
  await mkdir(blobsPath(root), { recursive: true });
  await writeAtomically(markerPath(root), () => MARKER);
}

/** A mistyped path must not spoil a directory of other things; what is left of a layout that was being made is none. */
async function refuseOthers(what: string, root: string): Promise<void> {
  const own = [blobsPath(root), indexPath(root), markerPath(root)].map((file) =>
    path.basename(file),
  );
  const names = await readdir(root).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const other = names.find((name) => !own.some((each) => name.startsWith(each)));
  if (other === undefined) return;
  throw new ManifestToolError(
    'FAILED',
    what,
    `${root} is not an OCI image layout: it holds ${JSON.stringify(other)} and no oci-layout file`,
    { hint: 'name a layout, an empty directory, or one that does not exist' },
  );
}

async function checkDirectory(what: string, root: string): Promise<void> {
  const isDirectory = await stat(root).then(
    (stats) => stats.isDirectory(),
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (isDirectory === undefined) {
    throw new ManifestToolError('NOT_FOUND', what, `the directory ${root} does not exist`, {
      hint: MAKE_HINT,
    });
  }
  if (!isDirectory) {
    throw new ManifestToolError('FAILED', what, `${root} is a file, a directory was expected`, {
      hint: 'an archive must be unpacked first: mkdir DIRECTORY && tar -xf ARCHIVE -C DIRECTORY',
    });
  }
}

/** Whether there is an `oci-layout` file; it is then one of version 1. */
async function hasMarker(what: string, root: string): Promise<boolean> {
  const file = markerPath(root);
  const bytes = await readRegular(what, file);
  if (bytes === undefined) return false;
  const version = parsing(what, file, () => {
    const json = parseJson(Buffer.from(bytes).toString('utf8'));
    return Fields.of(json, '').requiredText('imageLayoutVersion');
  });
  if (/^1\.[0-9]/.test(version)) return true;
  throw new ManifestToolError(
    'FAILED',
    what,
    `${root} is an OCI image layout of version ${JSON.stringify(version)}`,
    { hint: 'only layouts of version 1 are known' },
  );
}
