import type { Attempts } from '../attempts.js';
import type { Digest } from './digest.js';
import type { Descriptor } from './descriptor.js';
import type { ImageDocument, ImageIndex } from './documents.js';

/** The exact bytes of a manifest or index, with their type, digest and size. */
export interface ManifestContent {
  /** That of the document; it is served and written with it. */
  readonly mediaType: string;
  /** Of `bytes`. */
  readonly digest: Digest;
  /** The length of `bytes`. */
  readonly size: number;
  /** As they are stored: never serialized again from the document. */
  readonly bytes: Uint8Array;
}

/** A manifest or index that was read, verified and parsed. */
export interface FetchedManifest extends ManifestContent {
  /** The parsed bytes. */
  readonly document: ImageDocument;
}

/** An index that was read, verified and parsed. */
export interface FetchedIndex extends FetchedManifest {
  /** The parsed bytes. */
  readonly document: ImageIndex;
}

/** Reads images from one repository, layout directory or archive. */
export interface ImageReader {
  /**
   * `host/repository`, `oci-layout://PATH` or `oci-archive://FILE`, for messages and comparison.
   */
  readonly name: string;

  /**
   * Reads a manifest or index by tag or digest. The bytes are verified against the digest, and
   * against the size in `expected`.
   * @throws {ManifestToolError} NOT_FOUND if it does not exist; CORRUPT if the bytes do not match,
   * or are neither a manifest nor an index.
   */
  getManifest(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest>;

  /**
   * All manifests that a name refers to: in a layout or an archive they may be several, for
   * example one for each platform. Registries do not have it: there a tag points to one manifest.
   */
  manifestsNamed?(
    name: string,
  ): Promise<readonly Pick<Descriptor, 'mediaType' | 'digest' | 'size'>[]>;

  /**
   * Reads a small blob such as an image config, at most 4 MiB, and verifies its digest and size.
   * @throws {ManifestToolError} NOT_FOUND if it does not exist; CORRUPT if it does not match.
   */
  getBlob(descriptor: Descriptor): Promise<Uint8Array>;

  /**
   * Opens a blob of any size as a stream. Size and digest are verified while it is read: a stream
   * that ends without an error is the blob.
   * @throws {ManifestToolError} NOT_FOUND if it does not exist; while it is read, CORRUPT if it
   * does not match the descriptor.
   */
  openBlob(descriptor: Descriptor): Promise<AsyncIterable<Uint8Array>>;

  /**
   * The same for an operation that is repeated as a whole, also after damaged content, as often as
   * its attempts allow.
   * @internal
   */
  openBlob(descriptor: Descriptor, attempts: Attempts): Promise<AsyncIterable<Uint8Array>>;

  /**
   * The size of a blob in bytes without reading it; undefined if it does not exist. A registry that
   * does not give the size is taken to have the right one.
   */
  blobSize(descriptor: Descriptor): Promise<number | undefined>;

  /**
   * All tags, each once, in the order of the repository. In a layout or an archive they are the names
   * of its images.
   * @throws {ManifestToolError} NOT_FOUND if there is no such repository, layout or archive.
   */
  listTags(): Promise<readonly string[]>;

  /**
   * The manifests whose `subject` is this one: signatures, bills of materials and the like.
   * @throws {ManifestToolError} if they cannot be determined; none at all is an empty list.
   */
  referrers(subject: Digest): Promise<readonly Descriptor[]>;
}

/** Why a blob is in the target now. */
export type BlobOutcome = 'present' | 'mounted' | 'copied';

/** How the digest that a tag points to is read. */
export interface TagReading {
  /**
   * Reads the manifest itself, because something depends on its digest and some registries answer
   * HEAD wrongly. The default is false.
   */
  readonly isConfirmed?: boolean;
}

/** Writes images to one repository, layout directory or archive. */
export interface ImageWriter {
  /**
   * `host/repository`, `oci-layout://PATH` or `oci-archive://FILE`, for messages and comparison.
   */
  readonly name: string;

  /**
   * Mounts or copies a blob of `source`, unless the target has it. While it is copied, `onBytes`
   * receives the number of bytes read so far; the count starts again after a retry.
   */
  ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome>;

  /**
   * The digest that a tag points to; undefined if it does not exist.
   * @throws {ManifestToolError} if it cannot be determined.
   */
  tagDigest(tag: string, how?: TagReading): Promise<Digest | undefined>;

  /**
   * Writes a manifest by its digest, or under a tag of its own, before {@link ImageWriter.publish}.
   */
  putChild(manifest: ManifestContent, tag?: string): Promise<void>;

  /**
   * Writes a manifest with a `subject`, so that {@link ImageReader.referrers} of the subject has
   * it.
   */
  putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void>;

  /**
   * Publishes a manifest, after everything that it refers to. Without tags it is written by its
   * digest. `onTag` is called for each tag as soon as it has moved.
   */
  publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void>;

  /**
   * Deletes a tag and nothing else: the manifest and its other tags remain. In a layout or an archive
   * the name is removed.
   * @param isExpected whether the tag may point to this digest; it is then deleted. A registry cannot
   * exclude that the tag moves right after it is read.
   * @returns the digest that the tag pointed to.
   * @throws {ManifestToolError} NOT_FOUND if there is no such tag; REFUSED if it points to something
   * else, or the registry cannot delete it alone; USAGE for an archive that can only be read.
   */
  deleteTag(tag: string, isExpected?: (digest: Digest) => boolean): Promise<Digest>;

  /**
   * Checks that the credentials allow to push, without writing anything: opens an upload and
   * cancels it. Layouts and archives do not have it.
   * @throws {ManifestToolError} DENIED if they do not; NOT_FOUND if the repository does not exist.
   */
  checkPush?(): Promise<void>;

  /** Whether {@link ImageWriter.replaceTag} excludes other writers; registries cannot. */
  readonly isAtomic: boolean;

  /**
   * Moves a tag that points to `from`; false if an atomic target finds that it points to something
   * else.
   */
  replaceTag(tag: string, manifest: ManifestContent, from: Digest): Promise<boolean>;
}

/** A repository, layout directory or archive, to read and write; {@link Client.open} returns it. */
export interface ImageStore extends ImageReader, ImageWriter {}
