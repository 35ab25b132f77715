import { Attempts } from '../attempts.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/documents.js';
import { blobSize, getBlob, hasBlob, openBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { getManifest, putManifest, tagDigest } from './manifests.js';
import { listReferrers, putReferrer } from './referrers.js';
import { mountBlob, uploadBlob } from './uploads.js';

/** One repository of a registry, read and written. */
export class Repository implements ImageStore {
  readonly name: string;
  /** The last write of a referrer, by its subject. */
  private readonly referring = new Map<Digest, Promise<void>>();

  constructor(
    private readonly connection: Connection,
    private readonly repository: string,
  ) {
    this.name = `${connection.host}/${repository}`;
  }

  getManifest(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    return getManifest(this.connection, this.repository, tagOrDigest, expected);
  }

  getBlob(descriptor: Descriptor): Promise<Uint8Array> {
    return getBlob(this.connection, this.repository, descriptor);
  }

  openBlob(descriptor: Descriptor, attempts?: Attempts): Promise<AsyncIterable<Uint8Array>> {
    return openBlob(this.connection, this.repository, descriptor, attempts);
  }

  async blobSize({ digest, size }: Descriptor): Promise<number | undefined> {
    const found = await blobSize(this.connection, this.repository, digest);
    return found === null ? size : found;
  }

  async ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome> {
    const { connection, repository } = this;
    const attempts = new Attempts(true);
    let session: URL | undefined;
    const from = source instanceof Repository && source.connection.host === connection.host;
    if (from && source.repository === repository) return 'present';
    if (from && (await connection.canMountFrom(source.repository))) {
      const { digest } = descriptor;
      const mount = await mountBlob(connection, repository, digest, source.repository, attempts);
      if (mount === 'mounted' || mount === 'present') return mount;
      session = mount === 'refused' ? undefined : mount;
    } else if (await hasBlob(connection, repository, descriptor.digest)) {
      return 'present';
    }
    await uploadBlob(connection, repository, descriptor, source, { session, onBytes, attempts });
    return 'copied';
  }

  tagDigest(tag: string): Promise<Digest | undefined> {
    return tagDigest(this.connection, this.repository, tag);
  }

  async putChild(manifest: ManifestContent): Promise<void> {
    await putManifest(this.connection, this.repository, manifest, manifest.digest);
  }

  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    return listReferrers(this.connection, this.repository, subject);
  }

  putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void> {
    // One after another: each may have to be written into the same index.
    const before = this.referring.get(subject) ?? Promise.resolve();
    const write = before
      .catch(() => undefined)
      .then(() => putReferrer(this.connection, this.repository, manifest, subject));
    this.referring.set(subject, write);
    return write;
  }

  readonly isAtomic = false;

  async replaceTag(tag: string, manifest: ManifestContent): Promise<boolean> {
    await putManifest(this.connection, this.repository, manifest, tag);
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
        await putManifest(this.connection, this.repository, manifest, tag);
        onTag(tag);
      }),
    );
    // All are tried before the first failure is told: the other tags have moved, and the caller has heard of it.
    const failed = written.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
