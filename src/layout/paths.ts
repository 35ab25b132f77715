import path from 'node:path';
import { algorithmPart, encodedPart, parseDigest, type Digest } from '../oci/digest.js';

/**
 * The file that says that a directory is a layout (OCI image-spec, image-layout.md, oci-layout
 * file).
 */
export function markerPath(root: string): string {
  return path.join(root, 'oci-layout');
}

/**
 * The file that names the images of a layout (OCI image-spec, image-layout.md, index.json file).
 */
export function indexPath(root: string): string {
  return path.join(root, 'index.json');
}

/** The directory of all blobs (OCI image-spec, image-layout.md, Blobs). */
export function blobsPath(root: string): string {
  return path.join(root, 'blobs');
}

/**
 * The file of a blob, `blobs/<alg>/<encoded>` (OCI image-spec, image-layout.md, Blobs). The digest
 * is checked once more here, whatever its type says: it is remote text that becomes a path
 * (GHSA-m37j-52j7-pjw7, CVE-2026-50163).
 * @throws {ManifestToolError} USAGE where it is no digest.
 */
export function blobPath(root: string, digest: Digest, what: string): string {
  const checked = parseDigest(digest, what);
  return path.join(blobsPath(root), algorithmPart(checked), encodedPart(checked));
}
