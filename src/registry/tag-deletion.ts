import { randomBytes } from 'node:crypto';
import { now } from '../clock.js';
import { mapConcurrent, pause } from '../concurrency.js';
import { detailsOf, ManifestToolError, reasonOf } from '../errors.js';
import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_MANIFEST,
} from '../oci/media-types.js';
import type { Answer, RawRepository } from './raw.js';
import { DOCKER_LAYER, imageOf, jsonBlob, makeLayer, type Blob } from './test-image.js';

/** Deletes references, and finds out whether they are gone. */
export interface Deleter {
  remove(reference: string): Promise<Answer>;
  digestOf(reference: string): Promise<Digest | undefined>;
  /** Resolves when a reference is gone whose deletion the registry has accepted, or throws. */
  waitUntilGone(reference: string, accepted: Answer): Promise<void>;
}

/**
 * Deletes a tag or a manifest. 404 counts as deleted if it is not there any more: it may have been
 * deleted together with something else, or by a request whose answer was lost.
 * @returns the registry's answer if it refuses; undefined if it is gone.
 * @throws what `waitUntilGone` throws.
 */
export async function refusedDeletion(
  deleter: Deleter,
  reference: string,
): Promise<Answer | undefined> {
  const answer = await deleter.remove(reference);
  if (answer.status === 404 && (await deleter.digestOf(reference)) === undefined) return undefined;
  if (!answer.isDone) return answer;
  await deleter.waitUntilGone(reference, answer);
  return undefined;
}

/** What a registry has deleted together with a tag: the manifest, or its other tags. */
export type LostWithTag = 'manifest' | 'tags';

/** What the deletion of a tag has deleted beyond it; undefined if that is nothing. */
export async function lostWithTag(
  { digestOf }: Pick<Deleter, 'digestOf'>,
  digest: Digest,
  sibling?: string,
): Promise<LostWithTag | undefined> {
  const [manifest, other] = await Promise.all([
    digestOf(digest),
    sibling === undefined ? digest : digestOf(sibling),
  ]);
  if (manifest === undefined) return 'manifest';
  return other === undefined ? 'tags' : undefined;
}

/** How long a tag may remain visible after its deletion, in milliseconds. */
const VANISH_MS = 3000;
const FIRST_PAUSE_MS = 100;

/** The registry refuses to delete a tag, or deletes more than that; the message says which. */
class Unsafe extends Error {}

/**
 * Deletes tags of one repository and nothing else. Registries differ in what the deletion of a tag
 * does (OCI distribution-spec, Deleting Tags, leaves it open): some refuse, some delete the manifest
 * or its other tags as well. This is found out once, with an image of its own.
 */
export class TagDeletion {
  private readonly deleter: Deleter;
  private probed: Promise<void> | undefined;

  /**
   * @param restore writes a manifest under a tag
   * @param onWarning called with what could not be cleaned up
   */
  constructor(
    private readonly raw: RawRepository,
    private readonly signal: AbortSignal,
    private readonly restore: (manifest: ManifestContent, tag: string) => Promise<unknown>,
    private readonly onWarning: (text: string) => void,
  ) {
    this.deleter = {
      remove: (reference) => raw.remove('manifests', reference),
      digestOf: (reference) => raw.digestOf(reference),
      waitUntilGone: (reference, accepted) => this.waitUntilGone(reference, accepted),
    };
  }

  /**
   * Deletes a tag.
   * @param manifest what the tag points to
   * @throws {ManifestToolError} REFUSED if the registry cannot delete a tag alone: then everything is
   * as it was; DENIED if the user may not delete.
   */
  async delete(tag: string, manifest: ManifestContent): Promise<void> {
    const what = `deleting ${this.raw.name}:${tag}`;
    try {
      await (this.probed ??= this.probe(manifest.mediaType));
      const refused = await refusedDeletion(this.deleter, tag);
      if (refused !== undefined) throw refusalOf(refused, 'the registry does not delete this tag');
      if ((await lostWithTag(this.deleter, manifest.digest)) === undefined) return;
    } catch (error) {
      throw errorOf(what, error);
    }
    // The probe has shown otherwise, so this is a property of the tag or of its manifest.
    await this.restore(manifest, tag);
    throw errorOf(
      what,
      new Unsafe('the registry deleted the manifest with its tag, so both were written again'),
    );
  }

  /**
   * Deletes a tag of an image of its own that has two tags, and then the other one.
   * @throws {Unsafe} if that deletes more than the tag, or nothing.
   */
  private async probe(mediaType: string): Promise<void> {
    const id = randomBytes(6).toString('hex');
    const [first, second] = [`manifest-tool-${id}-1`, `manifest-tool-${id}-2`] as const;
    // Registries without this request refuse it for any tag: then nothing needs to be written.
    const refused = await refusedDeletion(this.deleter, `manifest-tool-${id}-0`);
    if (refused !== undefined) throw refusalOf(refused, 'the registry does not delete tags');
    const image = makeImage(mediaType, id);
    try {
      await mapConcurrent(image.blobs, ({ bytes, ...blob }) => this.raw.putBlob(blob, bytes));
      for (const tag of [first, second]) await this.put(image.manifest, tag);
      await this.tryDeletion(first, image.manifest, second);
      await this.tryDeletion(second, image.manifest);
    } finally {
      await this.cleanUp(image, [first, second]);
    }
  }

  private async put(manifest: ManifestContent, tag: string): Promise<void> {
    const answer = await this.raw.putManifest(manifest, tag);
    if (!answer.isDone) throw refusalOf(answer, 'the registry does not accept a test image');
  }

  private async tryDeletion(
    tag: string,
    { digest }: ManifestContent,
    sibling?: string,
  ): Promise<void> {
    const refused = await refusedDeletion(this.deleter, tag);
    if (refused !== undefined) throw refusalOf(refused, 'the registry does not delete tags');
    const lost = await lostWithTag(this.deleter, digest, sibling);
    if (lost === 'tags') throw new Unsafe('the registry deletes all tags of a manifest together');
    if (lost === 'manifest') {
      const last = sibling === undefined ? 'last tag' : 'tag';
      throw new Unsafe(`the registry deletes a manifest together with its ${last}`);
    }
  }

  /** Deletes what the probe has written, and warns of tags that remain. */
  private async cleanUp(image: ProbeImage, tags: readonly string[]): Promise<void> {
    try {
      const left = async (): Promise<string[]> => {
        const digests = await Promise.all(tags.map((tag) => this.raw.digestOf(tag)));
        return tags.filter((_, i) => digests[i] !== undefined);
      };
      // The tags first: some registries delete no manifest that has one.
      for (const tag of await left()) await this.raw.remove('manifests', tag);
      await this.raw.remove('manifests', image.manifest.digest);
      // Registries collect blobs that nothing names.
      await Promise.allSettled(image.blobs.map(({ digest }) => this.raw.remove('blobs', digest)));
      const names = (await left()).map((tag) => `${this.raw.name}:${tag}`);
      if (names.length > 0) this.onWarning(`test tags could not be deleted: ${names.join(', ')}`);
    } catch (error) {
      if (this.signal.aborted) throw error;
      this.onWarning(
        `test tags of ${this.raw.name} may remain (${tags.join(', ')}): ${reasonOf(error)}`,
      );
    }
  }

  private async waitUntilGone(reference: string, { words }: Answer): Promise<void> {
    const end = now() + VANISH_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      if ((await this.raw.digestOf(reference)) === undefined) return;
      if (now() + pauseMs > end)
        throw new Unsafe(
          `the registry accepted the deletion of a tag (${words}), but kept the tag`,
        );
      await pause(pauseMs, this.signal);
    }
  }
}

function errorOf(what: string, error: unknown): unknown {
  if (error instanceof Unsafe) {
    return new ManifestToolError('REFUSED', what, error.message, {
      cause: error,
      hint: 'delete the tag in the web interface of the registry, or with its retention rules',
    });
  }
  if (!(error instanceof ManifestToolError)) return error;
  const { code, message } = error;
  return new ManifestToolError(code, what, message, { ...detailsOf(error), cause: error });
}

/** The error for an answer that refuses a deletion, or a write of the probe. */
function refusalOf({ status, words }: Answer, why: string): Error {
  if (status !== 401) return new Unsafe(`${why} (${words})`);
  return new ManifestToolError('DENIED', 'deleting a tag', words, {
    hint: 'log in as a user who may delete in this repository',
  });
}

interface ProbeImage {
  readonly manifest: ManifestContent;
  readonly blobs: readonly Blob[];
}

/** An image whose digests no other content has; of the type of the manifest that is untagged. */
function makeImage(mediaType: string, id: string): ProbeImage {
  const createdBy = `manifest-tool untag ${id}`;
  const { layer, diffId } = makeLayer('untag', createdBy);
  const isDocker = mediaType === DOCKER_MANIFEST || mediaType === DOCKER_MANIFEST_LIST;
  const config = jsonBlob(isDocker ? DOCKER_CONFIG : OCI_CONFIG, {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: createdBy }],
  });
  const own = isDocker ? { ...layer, mediaType: DOCKER_LAYER } : layer;
  const { bytes: _, ...descriptor } = own;
  const { bytes: __, ...configDescriptor } = config;
  const manifest = imageOf(isDocker ? DOCKER_MANIFEST : OCI_MANIFEST, configDescriptor, descriptor);
  return { manifest, blobs: [config, own] };
}
