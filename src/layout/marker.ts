import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ManifestToolError, systemCode } from '../errors.js';
import { Fields } from '../oci/json/fields.js';
import { parseJson } from '../oci/json/parse.js';
import { parsing } from './errors.js';
import {
  readDocument,
  refuseLinks,
  removeLeftovers,
  removeLeftoversIn,
  writeAtomically,
} from './files.js';
import { makeDirectory } from './make-directory.js';
import { blobsPath, indexPath, markerPath } from './paths.js';

/** The content of an `oci-layout` file. */
export const MARKER = '{"imageLayoutVersion":"1.0.0"}';

const MAKE_HINT =
  'make a layout with "skopeo copy docker://IMAGE oci:PATH:TAG", ' +
  'or with "docker buildx build --output type=oci,tar=false,dest=PATH"';

/**
 * Checks that `root` is an image layout of version 1 (OCI image-spec, image-layout.md, oci-layout
 * file).
 * @throws {ManifestToolError} NOT_FOUND if there is no such directory; FAILED if it is not a
 * layout, or one of another version; CORRUPT if the `oci-layout` file cannot be read.
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
 * Makes `root` a layout unless it is one, without an index.json yet; missing directories are
 * created.
 * @throws {ManifestToolError} FAILED if it is a layout of another version, or a directory with
 * other content; CORRUPT as {@link checkLayout} does, and if its `blobs` directory is a link.
 */
export async function ensureLayout(what: string, root: string): Promise<void> {
  const isLayout = await hasMarker(what, root);
  if (!isLayout) await refuseOtherContent(what, root);
  await refuseLinks(what, blobsPath(root));
  await makeDirectory(blobsPath(root));
  await removeTemporaries(root);
  if (!isLayout) await writeAtomically(markerPath(root), () => MARKER);
}

/** Removes what interrupted writes have left in the directories that are written to. */
async function removeTemporaries(root: string): Promise<void> {
  await removeLeftovers(markerPath(root), indexPath(root));
  for (const algorithm of await readdir(blobsPath(root), { withFileTypes: true })) {
    if (algorithm.isDirectory())
      await removeLeftoversIn(path.join(blobsPath(root), algorithm.name));
  }
}

/**
 * Keeps a mistyped path from spoiling a directory. What an interrupted first write has left does
 * not count as other content.
 */
async function refuseOtherContent(what: string, root: string): Promise<void> {
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
    `${root} is not an OCI image layout: it contains ${JSON.stringify(other)}, ` +
      'but no oci-layout file',
    { hint: 'use a layout, an empty directory, or one that does not exist' },
  );
}

/** Follows links: which directory is the layout is for the user to say. */
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
    throw new ManifestToolError('FAILED', what, `${root} is a file, not a directory`, {
      hint: `for an archive, use oci-archive://${root} or docker-archive://${root}`,
    });
  }
}

/** Whether there is an `oci-layout` file; if there is one, its version is 1. */
async function hasMarker(what: string, root: string): Promise<boolean> {
  const file = markerPath(root);
  const bytes = await readDocument(what, file);
  if (bytes === undefined) return false;
  checkMarker(what, root, file, bytes);
  return true;
}

/**
 * Checks the content of an `oci-layout` file.
 * @throws {ManifestToolError} CORRUPT if it cannot be read; FAILED if the version is not 1.
 */
export function checkMarker(what: string, root: string, file: string, bytes: Uint8Array): void {
  const version = parsing(what, file, () => {
    const json = parseJson(Buffer.from(bytes).toString('utf8'));
    return Fields.of(json, '').requiredString('imageLayoutVersion');
  });
  if (/^1\.[0-9]/.test(version)) return;
  throw new ManifestToolError(
    'FAILED',
    what,
    `${root} is an OCI image layout of version ${JSON.stringify(version)}`,
    { hint: 'only layouts of version 1 are supported' },
  );
}
