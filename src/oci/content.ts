import type { Attempts } from '../attempts.js';
import type { Digest } from './digest.js';
import type { Descriptor, ImageDocument } from './documents.js';

/** The exact bytes of a manifest or index with what describes them: the digest and size are those of the bytes. */
export interface ManifestContent {
  /** As it is served and put: that of the document. */
  readonly mediaType: string;
  /** Of `bytes`. */
  readonly digest: Digest;
  /** The length of `bytes`. */
  readonly size: number;
  /** As they are in the registry: never made again from the document. */
  readonly bytes: Uint8Array;
}

/** A manifest that was read, checked against all that was known of it, and parsed. */
export interface FetchedManifest extends ManifestContent {
  /** What the bytes say. */
  readonly document: ImageDocument;
}

/** Reads images of one repository, layout directory or archive. */
export interface ImageReader {
  /** `host/repository`, `oci-layout://PATH` or `oci-archive://FILE`, for messages and comparison. */
  readonly name: string;

  /**
   * Reads a manifest by tag or digest. The bytes are checked against the digest asked for and against the size in `expected`.
   * @throws {ManifestToolError} NOT_FOUND where there is none; CORRUPT where the bytes are not what was asked for.
   */
  getManifest(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest>;

  /**
   * All manifests that a name stands for: in a layout or an archive they may be several, for example
   * one for each platform. Registries do not have it: there a tag points to one manifest.
   */
  manifestsNamed?(
    name: string,
  ): Promise<readonly Pick<Descriptor, 'mediaType' | 'digest' | 'size'>[]>;

  /**
   * Reads a small blob whole (an image configuration; at most MAX_DOCUMENT_SIZE bytes), checked against digest and size.
   * @throws {ManifestToolError} as {@link ImageReader.getManifest} does.
   */
  getBlob(descriptor: Descriptor): Promise<Uint8Array>;

  /**
   * Opens a blob of any size, to be read as a stream. Size and digest are verified on the way: a stream that ends without an error is
   * the blob.
   * @throws {ManifestToolError} NOT_FOUND if there is none; while it is read, CORRUPT if it is not what the descriptor says.
   */
  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>;

  /**
   * The same for an operation that starts again as a whole, as often as its attempts allow, after damaged content too.
   * @internal
   */
  openBlob(descriptor: Descriptor, attempts: Attempts): Promise<AsyncIterable<Uint8Array>>;

  /** Looks for a blob without reading it: its size in bytes, undefined where it is not there, the size asked for where none is told. */
  blobSize(descriptor: Descriptor): Promise<number | undefined>;

  /**
   * What refers to a manifest by its `subject`: signatures, bills of materials and the like; an empty list where nothing does.
   * @throws {ManifestToolError} where it cannot be found out.
   */
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
}

/** How a blob came to be in the target. */
export type BlobOutcome = 'present' | 'mounted' | 'copied';

/** Writes images into one repository, layout directory or archive. */
export interface ImageWriter {
  /** `host/repository`, `oci-layout://PATH` or `oci-archive://FILE`, for messages and comparison. */
  readonly name: string;

  /**
   * Sees to it that a blob which `source` holds is in this target as well. `onBytes` is told how many bytes of it have been read so far,
   * where it has to be copied; fewer than before after a new beginning.
   */
  ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome>;

  /**
   * The digest that a tag names; undefined where there is no such tag.
   * @throws {ManifestToolError} where it cannot be found out.
   */
  tagDigest(tag: string): Promise<Digest | undefined>;

  /** Writes a manifest by its digest: a child of a list, before the list. */
  putChild(manifest: ManifestContent): Promise<void>;

  /** Writes a manifest whose `subject` is another one, so that {@link ImageReader.referrers} of that one finds it. */
  putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void>;

  /**
   * Publishes a manifest: the last step, after all that it refers to. With no tags it is written by its digest alone.
   * `onTag` is told of each tag as soon as it has moved.
   */
  publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void>;

  /** Whether {@link ImageWriter.replaceTag} keeps two writers apart for certain; registries cannot. */
  readonly isAtomic: boolean;

  /** Moves a tag that names `from`; false where an atomic target finds that it names something else. */
  replaceTag(tag: string, manifest: ManifestContent, from: Digest): Promise<boolean>;
}

/** A repository, layout directory or archive that is read and written: made by {@link Client.open}. */
export interface ImageStore extends ImageReader, ImageWriter {}
