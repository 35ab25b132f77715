import type { FetchedManifest } from '../oci/content.js';
import type { ImageConfig, ImageIndex, ImageManifest } from '../oci/documents.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import type { Platform } from '../oci/platform.js';
import type { Reference } from '../oci/reference.js';
import { readConfig } from './read-config.js';
import { inParallel } from './in-parallel.js';
import { selectManifest, type Selected } from './select.js';
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
 * Reads an image, or a list and its images together; with a platform, the entry of the list for it.
 * @throws {ManifestToolError} NOT_FOUND where the image or an entry of the list is not there.
 */
export async function inspectImage(
  stores: Stores,
  reference: Reference,
  platform?: Platform,
): Promise<InspectedImage | InspectedList> {
  return inspectSelected(await selectManifest(stores, reference, platform));
}

/** The same for what is selected already. */
export async function inspectSelected(selected: Selected): Promise<InspectedImage | InspectedList> {
  const { store, manifest } = selected;
  const { document } = manifest;
  if (document.kind === 'index') {
    const children = await inParallel(document.manifests, async (entry) =>
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
