import { Attempts } from '../attempts.js';
import { isHubHost } from '../docker-hub.js';
import { ManifestToolError } from '../errors.js';
import type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
  TagReading,
} from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { movedTag } from '../oci/moved-tag.js';
import type { Descriptor } from '../oci/descriptor.js';
import { referrerDescriptor, referrerOf } from '../oci/referrers.js';
import { blobSize, getBlob, hasBlob, openBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { getManifest, putManifest, tagDigest } from './manifests.js';
import { Referrers, type ReferrersOptions } from './referrers.js';
import type { TagDeletion } from './tag-deletion.js';
import { listTags } from './tags.js';
import { checkPush, mountBlob, uploadBlob } from './uploads.js';

/** One repository of a registry, for reading and writing. */
export class Repository implements ImageStore {
  readonly name: string;
  readonly isAtomic = false;
  private readonly allReferrers: Referrers;
  /** The check of the right to push, once begun. */
  private pushCheck: Promise<void> | undefined;
  /** The way to delete tags, once it is needed. */
  private tagDeletion: Promise<TagDeletion> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: ReferrersOptions,
  ) {
    this.name = connection.name;
    this.allReferrers = new Referrers(connection, options);
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

  blobSize(descriptor: Descriptor): Promise<number | undefined> {
    return blobSize(this.connection, descriptor);
  }

  async ensureBlob(
    descriptor: Descriptor,
    source: ImageReader,
    onBytes?: (bytes: number) => void,
  ): Promise<BlobOutcome> {
    const { connection } = this;
    if (source.name === this.name) return 'present';
    const attempts = new Attempts(true);
    let session: URL | undefined;
    if (source instanceof Repository && (await connection.canMountFrom(source.connection))) {
      const outcome = await mountBlob(connection, descriptor, source.connection, attempts);
      if (outcome === 'mounted' || outcome === 'present') return outcome;
      session = outcome === 'refused' ? undefined : outcome;
    } else if (await hasBlob(connection, descriptor)) {
      return 'present';
    }
    await uploadBlob(connection, descriptor, source, { session, onBytes, attempts });
    return 'copied';
  }

  checkPush(): Promise<void> {
    return (this.pushCheck ??= checkPush(this.connection));
  }

  tagDigest(tag: string, how?: TagReading): Promise<Digest | undefined> {
    return tagDigest(this.connection, tag, how);
  }

  listTags(): Promise<readonly string[]> {
    return listTags(this.connection);
  }

  async deleteTag(tag: string, isExpected?: (digest: Digest) => boolean): Promise<Digest> {
    const { connection } = this;
    const what = `deleting ${this.name}:${tag}`;
    if (isHubHost(connection.host)) {
      const why = 'Docker Hub does not delete tags through the registry API';
      throw new ManifestToolError('REFUSED', what, why, {
        hint: 'delete the tag on hub.docker.com, or through the API of Docker Hub',
      });
    }
    const manifest = await getManifest(connection, tag);
    if (isExpected?.(manifest.digest) === false) throw movedTag(what, manifest.digest);
    this.tagDeletion ??= this.loadTagDeletion();
    await (await this.tagDeletion).delete(tag, manifest);
    return manifest.digest;
  }

  private async loadTagDeletion(): Promise<TagDeletion> {
    const { connection, options } = this;
    const [deletion, { RawRepository }] = await Promise.all([
      import('./tag-deletion.js'),
      import('./raw.js'),
    ]);
    const restore = (manifest: ManifestContent, tag: string): Promise<unknown> =>
      putManifest(connection, manifest, tag);
    const raw = new RawRepository(connection);
    return new deletion.TagDeletion(raw, options.signal, restore, (text) =>
      options.onWarning?.(text),
    );
  }

  async putChild(manifest: ManifestContent, tag?: string): Promise<void> {
    if (tag !== undefined) return this.publish(manifest, [tag], () => undefined);
    await putManifest(this.connection, manifest, manifest.digest);
  }

  referrers(subject: Digest): Promise<readonly Descriptor[]> {
    return this.allReferrers.list(subject);
  }

  async putReferrer(manifest: FetchedManifest, subject: Digest): Promise<void> {
    const { subject: confirmed } = await putManifest(this.connection, manifest, manifest.digest);
    await this.allReferrers.record({ subject, entry: referrerDescriptor(manifest) }, confirmed);
  }

  async replaceTag(tag: string, manifest: ManifestContent): Promise<boolean> {
    await this.publish(manifest, [tag], () => undefined);
    return true;
  }

  async publish(
    manifest: ManifestContent,
    tags: readonly string[],
    onTag: (tag: string) => void,
  ): Promise<void> {
    const names = tags.length === 0 ? [manifest.digest] : tags;
    const written = await Promise.allSettled(
      names.map(async (name) => {
        const answer = await putManifest(this.connection, manifest, name);
        if (tags.length > 0) onTag(name);
        return answer.subject;
      }),
    );
    // All tags are attempted before the first failure is thrown: onTag has reported those that
    // moved.
    const failed = written.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const referrer = referrerOf(manifest);
    if (referrer === undefined) return;
    const confirmed = written.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    await this.allReferrers.record(
      referrer,
      confirmed.find((subject) => subject !== undefined),
    );
  }
}
