import type { ImageReader } from '../oci/content.js';
import type { Descriptor } from '../oci/documents.js';

/** A reader that can hand out a blob of any size, so that a layout can copy it. */
export interface BlobSource extends ImageReader {
  /**
   * Opens a blob. The content is not checked: who reads it has to compare its digest.
   * @throws {ManifestToolError} NOT_FOUND where there is none.
   */
  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>;
}

/** Whether blobs can be copied out of this reader. */
export function isBlobSource(reader: ImageReader): reader is BlobSource {
  return 'openBlob' in reader && typeof reader.openBlob === 'function';
}
