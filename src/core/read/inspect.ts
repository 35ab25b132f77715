import type { FetchedManifest } from '../../oci/content.js';
import type { ImageConfig, ImageIndex, ImageManifest } from '../../oci/documents.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import { readConfig } from './config.js';
import { mapConcurrent } from '../../concurrency.js';
import type { Selected } from './select.js';

/** An image with its configuration. */
export interface InspectedImage {
  readonly kind: 'image';
  readonly manifest: FetchedManifest;
  readonly document: ImageManifest;
  readonly config: ImageConfig;
}

/** A list with the documents of its entries, in their order; undefined for an entry that is neither an image nor a list. */
export interface InspectedIndex {
  readonly kind: 'list';
  readonly manifest: FetchedManifest;
  readonly document: ImageIndex;
  readonly children: readonly (FetchedManifest | undefined)[];
}

/**
 * Reads what belongs to a manifest: the configuration of an image, or the images of a list together.
 * @throws {ManifestToolError} NOT_FOUND where one of them is not there.
 */
export async function inspectSelected(
  selected: Selected,
): Promise<InspectedImage | InspectedIndex> {
  const { store, manifest } = selected;
  const { document } = manifest;
  if (document.kind === 'index') {
    const children = await mapConcurrent(document.manifests, async (entry) =>
      isManifestType(entry.mediaType) || isIndexType(entry.mediaType)
        ? store.getManifest(entry.digest, entry)
        : undefined,
    );
    return { kind: 'list', manifest, document, children };
  }
  const name = `${store.name}@${manifest.digest}`;
  const config = selected.config ?? (await readConfig(store, document, name));
  return { kind: 'image', manifest, document, config };
}
