import { mkdir, stat } from 'node:fs/promises';
import { ManifestToolError, systemCode } from '../errors.js';
import { Fields } from '../oci/fields.js';
import { parseJson } from '../oci/json-value.js';
import { parsing } from './failure.js';
import { blobsPath, markerPath } from './paths.js';
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
 * @throws {ManifestToolError} FAILED where it is a layout of another version; CORRUPT as {@link
 * checkLayout} does.
 */
export async function ensureLayout(what: string, root: string): Promise<void> {
  await mkdir(blobsPath(root), { recursive: true });
  if (!(await hasMarker(what, root))) await writeAtomically(markerPath(root), () => MARKER);
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
