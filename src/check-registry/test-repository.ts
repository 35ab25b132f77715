import { WaitPolicy } from '../core/wait.js';
import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Answer, RawRepository } from '../registry/raw.js';
import type { Blob } from '../registry/test-image.js';
import type { TestImages } from './images.js';
import { tagsThere, type Leftovers } from './leftovers.js';
import type { ManifestLimit } from './manifest-limit.js';
import { Absent, Refusal, refusalOf } from './refusal.js';

/** How long content that the registry has accepted may take to appear, in milliseconds. */
const APPEAR_MS = 3000;

export interface TestRepositoryOptions {
  /** Part of all names that this run creates. */
  readonly id: string;
  readonly raw: RawRepository;
  /** A second repository of the same registry, unless only one may be used. */
  readonly second?: RawRepository;
  readonly images: TestImages;
  readonly leftovers: Leftovers;
  /** Aborted when no further write may start. */
  readonly signal: AbortSignal;
}

/**
 * The repository that the checks write to. Everything they write is recorded, to be deleted.
 */
export class TestRepository {
  /** `host/repository`. */
  readonly name: string;
  readonly raw: RawRepository;
  readonly second: RawRepository | undefined;
  readonly images: TestImages;
  /** Whether a deletion takes nothing else along, as far as is known. */
  isDeletionSafe = true;
  /** The size limit of a manifest, once it is known. */
  limit: ManifestLimit | undefined;

  constructor(private readonly options: TestRepositoryOptions) {
    this.name = options.raw.name;
    this.raw = options.raw;
    this.second = options.second;
    this.images = options.images;
  }

  /** A tag of this run. */
  tag(name: string): string {
    return `check-${this.options.id}-${name}`;
  }

  /** @throws {Refusal} */
  async putBlob({ bytes, ...descriptor }: Blob): Promise<void> {
    const { raw, leftovers, signal } = this.options;
    signal.throwIfAborted();
    try {
      await leftovers.recordBlob({ repository: raw, digest: descriptor.digest }, () =>
        raw.putBlob(descriptor, bytes),
      );
    } catch (error) {
      throw refusalOf(error, '');
    }
  }

  /**
   * Writes a manifest under a tag, or by its digest without one, and reads it back.
   * @param level see {@link Leftover}
   */
  async publish(manifest: ManifestContent, tag: string | undefined, level: number): Promise<void> {
    const reference = tag ?? manifest.digest;
    const answer = await this.put(manifest, tag, level);
    const read = await this.waitFor(answer, async () => {
      const found = await this.raw.getManifest(reference);
      if (found.digest !== manifest.digest) throw new Absent(`it has the digest ${found.digest}`);
      return found;
    });
    if (read.mediaType !== manifest.mediaType)
      throw new Refusal(`taken (${answer.words}), but given back as ${read.mediaType}`);
  }

  /**
   * Writes a manifest.
   * @param tags additional tags for the same request
   * @throws {Refusal} with the registry's answer.
   */
  async put(
    manifest: ManifestContent,
    tag: string | undefined,
    level: number,
    tags: readonly string[] = [],
  ): Promise<Answer> {
    const answer = await this.tryPut(manifest, tag, level, { tags });
    if (!answer.isDone) throw new Refusal(answer.words);
    return answer;
  }

  /** Writes a manifest, and returns the answer even if it is a refusal. */
  tryPut(
    manifest: ManifestContent,
    tag: string | undefined,
    level: number,
    { tags = [], retries }: { tags?: readonly string[]; retries?: number } = {},
  ): Promise<Answer> {
    const { raw, leftovers, signal } = this.options;
    signal.throwIfAborted();
    const { digest } = manifest;
    const written = [
      { kind: 'manifest', reference: digest } as const,
      ...[...(tag === undefined ? [] : [tag]), ...tags].map(
        (reference) => ({ kind: 'tag', reference }) as const,
      ),
    ];
    return leftovers.record(
      written.map((each) => ({ ...each, repository: raw, digest, level })),
      () => {
        const extra = { tags, ...(retries === undefined ? {} : { retries }) };
        return raw.putManifest(manifest, tag ?? digest, extra);
      },
    );
  }

  /** The tags of this run that are there and do not point to a manifest. */
  async otherTags(digest: Digest): Promise<readonly string[]> {
    const tags = await tagsThere(this.options.leftovers.distinct('tag'), digest);
    return tags.map(({ reference }) => reference);
  }

  /** Deletes a tag or a manifest of this run. */
  remove(reference: string): Promise<Answer> {
    this.options.signal.throwIfAborted();
    return this.raw.remove('manifests', reference);
  }

  /** Mounts a blob of this repository into another one. */
  mount(into: RawRepository, digest: Digest): Promise<Answer> {
    const { raw, leftovers, signal } = this.options;
    signal.throwIfAborted();
    return leftovers.recordBlob({ repository: into, digest }, () => into.mount(digest, raw));
  }

  /**
   * Waits for the effect of a request that the registry has accepted; `check` throws {@link Absent}
   * until it is there.
   */
  async waitFor<T>(answer: Answer, check: () => Promise<T>, waitMs = APPEAR_MS): Promise<T> {
    try {
      return await new WaitPolicy(waitMs, this.options.signal, {}).until(check);
    } catch (error) {
      throw refusalOf(error, `taken (${answer.words}), but `);
    }
  }
}
