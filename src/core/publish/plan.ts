import type { FetchedManifest, ImageReader, ManifestContent } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isDocumentType, isForeignLayerType } from '../../oci/media-types.js';
import type { ResolvedImage } from './resolved-image.js';

/** What is published, at every target. */
export interface Content {
  /** The manifest that tags will point to. */
  readonly root: ManifestContent;
  /** All manifests that the root needs, each after those that it names. */
  readonly images: readonly ResolvedImage[];
  /** What each source of an index pointed to, by its reference. */
  readonly sources?: ReadonlyMap<string, Digest>;
}

/** The digests that tags point to; undefined for a tag that does not exist or could not be read. */
export type TagState = ReadonlyMap<string, Digest | undefined>;

/**
 * A manifest that the target does not hold: its blobs are copied first, then it is written by its
 * digest. The root is written later, under its tags: its step only copies its blobs, unless
 * something refers to it.
 */
export interface ChildStep {
  /** The manifest to write. */
  readonly manifest: FetchedManifest;
  /** Blobs to mount or copy before. */
  readonly blobs: readonly Descriptor[];
  /** Where the blobs are read. */
  readonly source: ImageReader;
  /** Whether only its blobs are copied. */
  readonly isBlobsOnly: boolean;
  /** Manifests that it names or refers to. They are written before, and precede it in the plan. */
  readonly after: readonly Digest[];
  /** The manifest that it refers to: its `subject`, if it has one. */
  readonly refersTo?: Digest;
  /** The tag of its own under which it is written, instead of by its digest alone. */
  readonly tag?: string;
  /** What that tag pointed to before; undefined if it did not exist, or was not read. */
  readonly tagBefore?: Digest;
}

/**
 * All that is written to one target: the children in any order that respects {@link
 * ChildStep.after}, then the root under all tags.
 */
export interface PushPlan {
  /** What the target does not hold yet. */
  readonly children: readonly ChildStep[];
  /** All manifests that the root needs, including those that the target holds. */
  readonly images: readonly ResolvedImage[];
  /** The manifest that the tags will point to. */
  readonly root: ManifestContent;
  /** Tags to write. */
  readonly tags: readonly string[];
  /** What the tags pointed to before. */
  readonly before: TagState;
  /** Tags that point to the root already; they are not written again. */
  readonly unchanged: readonly string[];
}

/**
 * Plans the writes to one target; pure. `holds` says whether the target holds everything that a
 * source holds: it is the same repository.
 */
export function planPush(
  { root, images }: Content,
  before: TagState,
  holds: (source: ImageReader) => boolean,
): PushPlan {
  const isUnchanged = (tag: string): boolean => before.get(tag) === root.digest;
  const tags = [...before.keys()];
  return {
    children: planChildren(images, holds, root.digest),
    images,
    root,
    tags: tags.filter((tag) => !isUnchanged(tag)),
    before,
    unchanged: tags.filter(isUnchanged),
  };
}

/** Whether a plan writes its root: under a tag that moves, or by its digest alone. */
export function isRootWritten({ tags, unchanged }: PushPlan): boolean {
  return tags.length > 0 || unchanged.length === 0;
}

/** How many image manifests a plan writes. */
export function countImages(plan: PushPlan): number {
  const written = plan.children.filter(
    ({ manifest, isBlobsOnly }) =>
      manifest.document.kind === 'manifest' && (isRootWritten(plan) || !isBlobsOnly),
  );
  return written.length;
}

/**
 * The steps for the manifests that the target does not hold, each manifest once.
 * @param root of what the tags will point to
 */
export function planChildren(
  images: readonly ResolvedImage[],
  holds: (source: ImageReader) => boolean,
  root?: Digest,
): ChildStep[] {
  const children = new Map<Digest, ChildStep>();
  const subjects = new Set(images.map(subjectOf));
  const tags = new Map(
    images.flatMap(({ manifest, tag }) => (tag ? [[manifest.digest, tag]] : [])),
  );
  for (const image of images) {
    const { manifest, source } = image;
    const isHeld = holds(source);
    if ((isHeld && image.isMade !== true) || children.has(manifest.digest)) continue;
    const refersTo = subjectOf(image);
    const subject = refersTo === undefined ? {} : { refersTo };
    const tag = tags.get(manifest.digest);
    children.set(manifest.digest, {
      manifest,
      blobs: isHeld ? [] : blobsOf(manifest),
      isBlobsOnly: manifest.digest === root && !subjects.has(root),
      source,
      after: [...namedBy(manifest), ...Object.values(subject)],
      ...subject,
      ...(tag === undefined ? {} : { tag }),
    });
  }
  return [...children.values()];
}

function subjectOf({ manifest, refersTo }: ResolvedImage): Digest | undefined {
  return refersTo ?? manifest.document.subject?.digest;
}

/**
 * The blobs that a manifest or an index names itself, each once. Foreign layers are fetched from
 * elsewhere and never written.
 */
export function blobsOf({ document }: FetchedManifest): Descriptor[] {
  const named =
    document.kind === 'index'
      ? document.manifests.filter(({ mediaType }) => !isDocumentType(mediaType))
      : [document.config, ...(document.layers ?? [])];
  const written = named.filter(({ mediaType }) => !isForeignLayerType(mediaType));
  return [...new Map(written.map((blob) => [blob.digest, blob])).values()];
}

function namedBy({ document }: FetchedManifest): Digest[] {
  return document.kind === 'index' ? document.manifests.map(({ digest }) => digest) : [];
}
