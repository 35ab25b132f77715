import type { FetchedManifest, ImageReader, ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor, ImageManifest } from '../oci/documents.js';
import { isForeignLayerType } from '../oci/media-types.js';
import type { ListRequest } from './request.js';
import type { ResolvedImage } from './resolved.js';

/** A child of the list that the target does not hold: its blobs first, then its manifest. */
export interface ChildStep {
  readonly manifest: ManifestContent;
  readonly blobs: readonly Descriptor[];
  readonly source: ImageReader;
}

/** All that is written, in order: children in any order among themselves, then the list under all its tags. */
export interface PushPlan {
  readonly children: readonly ChildStep[];
  readonly list: ManifestContent;
  /** Tags of the target that will name the list; none means that it is published by its digest alone. */
  readonly tags: readonly string[];
}

/** Puts the steps in order; pure. `isThere` says whether the target already holds what a source holds: it is the same repository. */
export function planPush(
  request: ListRequest,
  images: readonly ResolvedImage[],
  list: ManifestContent,
  isThere: (source: ImageReader) => boolean,
): PushPlan {
  const children = new Map<Digest, ChildStep>();
  for (const { manifest, source } of images) {
    if (isThere(source) || children.has(manifest.digest)) continue;
    children.set(manifest.digest, { manifest, blobs: blobsOf(manifest), source });
  }
  const { tag } = request.target;
  const tags = [...(tag === undefined ? [] : [tag]), ...request.tags];
  return { children: [...children.values()], list, tags: [...new Set(tags)] };
}

/** The blobs that an image needs in its repository; foreign layers are fetched from elsewhere and never written. Each blob once. */
export function blobsOf({ document }: FetchedManifest & { document: ImageManifest }): Descriptor[] {
  const layers = (document.layers ?? []).filter((layer) => !isForeignLayerType(layer.mediaType));
  const blobs = new Map<Digest, Descriptor>();
  for (const blob of [document.config, ...layers]) blobs.set(blob.digest, blob);
  return [...blobs.values()];
}
