import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { algorithmPart, encodedPart, parseDigest, type Digest } from '../oci/digest.js';

/** The file that marks a layout (OCI image-spec, image-layout.md, oci-layout file). */
export function markerPath(root: string): string {
  return path.join(root, 'oci-layout');
}

/** The file that names its images (OCI image-spec, image-layout.md, index.json file). */
export function indexPath(root: string): string {
  return path.join(root, 'index.json');
}

/** The directory of all blobs (OCI image-spec, image-layout.md, Blobs). */
export function blobsPath(root: string): string {
  return path.join(root, 'blobs');
}

/**
 * The file of a blob, `blobs/<alg>/<encoded>` (OCI image-spec, image-layout.md, Blobs). The digest
 * is checked again here, whatever its type says: remote input becomes a path (GHSA-m37j-52j7-pjw7,
 * CVE-2026-50163).
 * @throws {ManifestToolError} USAGE if it is not a digest.
 */
export function blobPath(root: string, digest: Digest, what: string): string {
  const checked = parseDigest(digest, what);
  return path.join(blobsPath(root), algorithmPart(checked), encodedPart(checked));
}

const TEMPORARY = /\.[0-9a-f]{16}\.tmp$/;

/** A unique name beside `file` for its new content; never a digest, so never taken for a blob. */
export function temporaryPath(file: string): string {
  return `${file}.${randomBytes(8).toString('hex')}.tmp`;
}

/** Whether a file is temporary, by its name. */
export function isTemporary(file: string): boolean {
  return TEMPORARY.test(file);
}

/** The file that a temporary path will become; any other path unchanged. */
export function finalPath(file: string): string {
  return file.replace(TEMPORARY, '');
}
