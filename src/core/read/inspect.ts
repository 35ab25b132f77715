import { mapInOrder } from '../../concurrency.js';
import type { FetchedManifest } from '../../oci/content.js';
import type { ImageConfig } from '../../oci/image-config.js';
import type { ImageIndex, ImageManifest } from '../../oci/documents.js';
import { ManifestCache } from '../../oci/graph.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import { readConfig } from './read-config.js';
import { RepeatedContent } from './repeated-content.js';
import type { Selected } from './select-manifest.js';

/** An image with its config. */
export interface InspectedImage {
  readonly kind: 'image';
  readonly manifest: FetchedManifest;
  readonly document: ImageManifest;
  /** Undefined for an artifact that has something else in its place. */
  readonly config: ImageConfig | undefined;
}

/**
 * An index with what its entries name, as manifest-tool and docker show it: indexes inside it are
 * not followed.
 */
export interface InspectedIndex {
  readonly kind: 'index';
  readonly manifest: FetchedManifest;
  readonly document: ImageIndex;
  /** In the order of the entries; undefined for an entry that is neither an image nor an index. */
  readonly children: readonly (FetchedManifest | undefined)[];
}

/**
 * Reads the config of an image, or what the entries of an index name.
 * @throws {ManifestToolError} NOT_FOUND if one of them does not exist; FAILED if entries name large
 * manifests again and again.
 */
export async function inspectSelected(
  selected: Selected,
): Promise<InspectedImage | InspectedIndex> {
  const { store, manifest } = selected;
  const { document } = manifest;
  const name = `${store.name}@${manifest.digest}`;
  if (document.kind === 'manifest') {
    const config = selected.config ?? (await readConfig(store, document, name));
    return { kind: 'image', manifest, document, config };
  }
  const manifests = new ManifestCache((entry) => store.getManifest(entry.digest, entry));
  const children = await mapInOrder(document.manifests, async (entry) =>
    isManifestType(entry.mediaType) || isIndexType(entry.mediaType)
      ? manifests.get(entry)
      : undefined,
  );
  const repeated = new RepeatedContent(`reading ${name}`);
  for (const child of children) if (child !== undefined) repeated.add(child);
  return { kind: 'index', manifest, document, children };
}
