import { ManifestToolError, reasonOf } from '../errors.js';
import type { FetchedManifest } from '../oci/content.js';
import {
  parseConfig,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
} from '../oci/documents.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import type { Reference } from '../oci/reference.js';
import type { Stores } from './stores.js';

/** An image with its configuration. */
export interface InspectedImage {
  readonly kind: 'image';
  readonly manifest: FetchedManifest;
  readonly document: ImageManifest;
  readonly config: ImageConfig;
}

/** A list with the documents of its entries, in their order; undefined for an entry that is neither an image nor a list. */
export interface InspectedList {
  readonly kind: 'list';
  readonly manifest: FetchedManifest;
  readonly document: ImageIndex;
  readonly children: readonly (FetchedManifest | undefined)[];
}

/**
 * Reads an image, or a list and its images together.
 * @throws {ManifestToolError} NOT_FOUND where the image or an entry of the list is not there.
 */
export async function inspectImage(
  stores: Stores,
  reference: Reference,
): Promise<InspectedImage | InspectedList> {
  const store = await stores.open(reference, 'pull');
  const manifest = await store.getManifest(reference.digest ?? reference.tag ?? 'latest');
  const { document } = manifest;
  if (document.kind === 'index') {
    const children = await Promise.all(
      document.manifests.map(async (entry) =>
        isManifestType(entry.mediaType) || isIndexType(entry.mediaType)
          ? store.getManifest(entry.digest, entry)
          : undefined,
      ),
    );
    return { kind: 'list', manifest, document, children };
  }
  const bytes = await store.getBlob(document.config);
  try {
    return { kind: 'image', manifest, document, config: parseConfig(bytes) };
  } catch (error) {
    throw new ManifestToolError(
      'CORRUPT',
      `reading the configuration of ${store.name}@${manifest.digest}`,
      reasonOf(error),
      { cause: error },
    );
  }
}
