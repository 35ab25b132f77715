import type { Digest } from '../oci/digest.js';
import type { ManifestContent } from '../oci/content.js';
import type { Answer, RawRepository } from '../registry/raw.js';
import { WaitPolicy } from '../core/wait.js';
import type { Blob, SmallImages } from './images.js';
import type { ManifestLimit } from './limits.js';
import { Absent, Refusal, refusalOf } from './refusal.js';
import type { Traces } from './traces.js';

/** How long what a registry has taken may need to appear, in milliseconds. */
const APPEAR_MS = 3000;

export interface SiteOptions {
  /** What all names of this check have in them. */
  readonly id: string;
  readonly probe: RawRepository;
  /** Another repository of the same registry, where one may be made. */
  readonly other?: RawRepository;
  readonly images: SmallImages;
  readonly traces: Traces;
  /** Aborted when nothing more is to be written. */
  readonly signal: AbortSignal;
}

/** Where checks are made: writes that are noted, and reads that prove them. */
export class Site {
  readonly probe: RawRepository;
  readonly other: RawRepository | undefined;
  readonly images: SmallImages;
  /** The size limit of a manifest, once it is found. */
  limit: ManifestLimit | undefined;

  constructor(private readonly options: SiteOptions) {
    this.probe = options.probe;
    this.other = options.other;
    this.images = options.images;
  }

  /** A tag of this check. */
  tag(name: string): string {
    return `check-${this.options.id}-${name}`;
  }

  /** @throws {Refusal} */
  async putBlob({ bytes, ...descriptor }: Blob): Promise<void> {
    const { probe, traces, signal } = this.options;
    signal.throwIfAborted();
    try {
      await traces.bringing({ probe, digest: descriptor.digest }, () =>
        probe.putBlob(descriptor, bytes),
      );
    } catch (error) {
      throw refusalOf(error, '');
    }
  }

  /** Writes a manifest under a tag, or by its digest where there is none, and reads it back. */
  async publish(manifest: ManifestContent, tag: string | undefined, level: number): Promise<void> {
    const reference = tag ?? manifest.digest;
    const answer = await this.put(manifest, tag, level);
    const read = await this.appears(answer, async () => {
      const found = await this.probe.getManifest(reference);
      if (found.digest !== manifest.digest) throw new Absent(`it names ${found.digest}`);
      return found;
    });
    if (read.mediaType !== manifest.mediaType)
      throw new Refusal(`taken (${answer.words}), but given back as ${read.mediaType}`);
  }

  /**
   * Writes a manifest; `tags` go with it as further tags.
   * @throws {Refusal} in the registry's words.
   */
  async put(
    manifest: ManifestContent,
    tag: string | undefined,
    level: number,
    tags: readonly string[] = [],
  ): Promise<Answer> {
    const answer = await this.offer(manifest, tag, level, { tags });
    if (!answer.isDone) throw new Refusal(answer.words);
    return answer;
  }

  /** The same, with the answer whatever it is. */
  offer(
    manifest: ManifestContent,
    tag: string | undefined,
    level: number,
    { tags = [], retries }: { tags?: readonly string[]; retries?: number } = {},
  ): Promise<Answer> {
    const { probe, traces, signal } = this.options;
    signal.throwIfAborted();
    const { digest } = manifest;
    const kinds = [
      { kind: 'manifest', reference: digest } as const,
      ...[...(tag === undefined ? [] : [tag]), ...tags].map(
        (reference) => ({ kind: 'tag', reference }) as const,
      ),
    ];
    return traces.during(
      kinds.map((each) => ({ ...each, probe, digest, level })),
      () => {
        const extra = { tags, ...(retries === undefined ? {} : { retries }) };
        return probe.putManifest(manifest, tag ?? digest, extra);
      },
    );
  }

  /** Deletes a tag or a manifest of this check. */
  remove(reference: string): Promise<Answer> {
    this.options.signal.throwIfAborted();
    return this.probe.remove('manifests', reference);
  }

  /** Asks for a mount into another repository. */
  mount(into: RawRepository, digest: Digest): Promise<Answer> {
    const { probe, traces, signal } = this.options;
    signal.throwIfAborted();
    return traces.bringing({ probe: into, digest }, () => into.mount(digest, probe));
  }

  /** Waits until something that the registry has agreed to is so; `isSo` throws {@link Absent} as long as it is not. */
  async appears<T>(answer: Answer, isSo: () => Promise<T>, waitMs = APPEAR_MS): Promise<T> {
    try {
      return await new WaitPolicy(waitMs, this.options.signal, {}).until(isSo);
    } catch (error) {
      throw refusalOf(error, `taken (${answer.words}), but `);
    }
  }
}
