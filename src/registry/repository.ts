import { Attempts } from '../attempts.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import { blobSize, getBlob, hasBlob, openBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { getManifest, putManifest, tagDigest } from './manifests.js';
import { listReferrers, putReferrer } from './referrers.js';
import { mountBlob, uploadBlob } from './uploads.js';

/** One repository of a registry, for reading and writing. */
export class Repository implements ImageStore {
  readonly name: string;
  readonly isAtomic = false;
  /** The last write of a referrer, by its subject. */
  private readonly referrerWrites = new Map<Digest, Promise<void>>();

  constructor(private readonly connection: Connection) {
    this.name = connection.name;
  }

  getManifest(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    return getManifest(this.connection, tagOrDigest, expected);
  }

  getBlob(descriptor: Descriptor): Promise<Uint8Array> {
    return getBlob(this.connection, descriptor);
  }

  openBlob(descriptor: Descriptor, attempts?: Attempts): Promise<AsyncIterable<Uint8Array>> {
    return openBlob(this.connection, descriptor, attempts);
  }

  async blobSize({ digest, size }: Descriptor): Promise<number | undefined> {
    const found = await blobSize(this.connection, digest);
    return found === null ? size : found;
  }

  async ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome> {
    const { connection } = this;
    const { digest } = descriptor;
    if (source.name === this.name) return 'present';
    const attempts = new Attempts(true);
    let session: URL | undefined;
    if (source instanceof Repository && (await connection.canMountFrom(source.connection))) {
      const outcome = await mountBlob(connection, digest, source.connection, attempts);
      if (outcome === 'mounted' || outcome === 'present') return outcome;
      session = outcome === 'refused' ? undefined : outcome;
    } else if (await hasBlob(connection, digest)) {
      return 'present';
    }
    await uploadBlob(connection, descriptor, source, { session, onBytes, attempts });
    return 'copied';
  }

  tagDigest(tag: string): Promise<Digest | undefined> {
    return tagDigest(this.connection, tag);
  }

  async putChild(manifest: ManifestContent): Promise<void> {
    await putManifest(this.connection, manifest, manifest.digest);
  }

  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    return listReferrers(this.connection, subject);
  }

  putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void> {
    // One after another: each may have to be added to the same index.
    const before = this.referrerWrites.get(subject) ?? Promise.resolve();
    const write = before
      .catch(() => undefined)
      .then(() => putReferrer(this.connection, manifest, subject));
    this.referrerWrites.set(subject, write);
    return write;
  }

  async replaceTag(tag: string, manifest: ManifestContent): Promise<boolean> {
    await putManifest(this.connection, manifest, tag);
    return true;
  }

  async publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void> {
    if (tags.length === 0) return this.putChild(manifest);
    const written = await Promise.allSettled(
      tags.map(async (tag) => {
        await putManifest(this.connection, manifest, tag);
        onTag(tag);
      }),
    );
    // All tags are attempted before the first failure is thrown: onTag has reported those that
    // moved.
    const failed = written.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
