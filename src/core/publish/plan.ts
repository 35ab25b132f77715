import type { FetchedManifest, ImageReader, ManifestContent } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/documents.js';
import { isForeignLayerType } from '../../oci/media-types.js';
import type { ResolvedImage } from './resolved.js';

/** What tags name; undefined for one that does not exist, or of which it is not known. */
export type TagState = ReadonlyMap<string, Digest | undefined>;

/** A child of the list that the target does not hold: its blobs first, then its manifest. */
export interface ChildStep {
  /** What is written, by its digest. */
  readonly manifest: FetchedManifest;
  /** What the target has to hold before: mounted, or copied. */
  readonly blobs: readonly Descriptor[];
  /** Where blobs are read. */
  readonly source: ImageReader;
  /** Manifests that it names or refers to: they are written before it, and stand before it in the plan. */
  readonly after: readonly Digest[];
  /** The manifest that it refers to by its `subject`, and among whose referrers it is to be found. */
  readonly refersTo?: Digest;
}

/** All that is written, in order: children in any order among themselves, then the list under all its tags. */
export interface PushPlan {
  /** What the target does not hold yet. */
  readonly children: readonly ChildStep[];
  /** All entries of the list in its order, those that the target holds already among them. */
  readonly images: readonly ResolvedImage[];
  /** What the tags will name. */
  readonly list: ManifestContent;
  /** Tags of the target that will name the list. */
  readonly tags: readonly string[];
  /** What the tags named before. */
  readonly before: TagState;
  /** Tags of the target that name the list already: they are not written again. */
  readonly unchanged: readonly string[];
}

/** What the target holds, as far as the order of the steps depends on it. */
export interface TargetState {
  /** Whether what a source holds is in the target: it is the same repository. */
  readonly holds: (source: ImageReader) => boolean;
  /** What tags of the target name now. */
  readonly tags: TagState;
}

/** Puts the steps in order; pure. */
export function planPush(
  images: readonly ResolvedImage[],
  list: ManifestContent,
  target: TargetState,
): PushPlan {
  const children = new Map<Digest, ChildStep>();
  for (const { manifest, source, refersTo } of images) {
    if (target.holds(source) || children.has(manifest.digest)) continue;
    children.set(manifest.digest, {
      manifest,
      blobs: blobsOf(manifest),
      source,
      after: [...namedBy(manifest), ...(refersTo === undefined ? [] : [refersTo])],
      ...(refersTo === undefined ? {} : { refersTo }),
    });
  }
  const tags = [...target.tags];
  return {
    children: [...children.values()],
    images,
    before: target.tags,
    list,
    tags: tags.filter(([, digest]) => digest !== list.digest).map(([tag]) => tag),
    unchanged: tags.filter(([, digest]) => digest === list.digest).map(([tag]) => tag),
  };
}

/** The blobs that an image needs in its repository; foreign layers are fetched from elsewhere and never written. Each blob once. */
export function blobsOf({ document }: FetchedManifest): Descriptor[] {
  if (document.kind === 'index') return [];
  const layers = (document.layers ?? []).filter((layer) => !isForeignLayerType(layer.mediaType));
  const blobs = new Map<Digest, Descriptor>();
  for (const blob of [document.config, ...layers]) blobs.set(blob.digest, blob);
  return [...blobs.values()];
}

function namedBy({ document }: FetchedManifest): Digest[] {
  return document.kind === 'index' ? document.manifests.map(({ digest }) => digest) : [];
}
