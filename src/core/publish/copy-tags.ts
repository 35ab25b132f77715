import { mapConcurrent } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { FetchedManifest, ImageStore, ManifestContent } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import {
  formatName,
  formatReference,
  isTagOf,
  TAG_RULE,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import { isDigestTag, isReferrersTag } from '../../oci/referrers.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { listTags } from '../read/list-tags.js';
import { readNamed } from '../read/read-named.js';
import { WaitPolicy } from '../wait.js';
import { contentOf, type CopySelection } from './copy.js';
import { isGuarded } from './guard.js';
import { countImages, type Content, type TagState } from './plan.js';
import { publishToAll, type ReadContent } from './publisher.js';
import type { PublishingOptions } from './request.js';
import type { TagChanges } from './review.js';
import { WriteSession, type Transferred } from './shared-writes.js';

/** Which tags to copy, and where to. */
export interface CopyTagsRequest extends CopySelection, Omit<PublishingOptions, 'expect'> {
  /** A repository, a layout or an archive: a reference without a tag and a digest. */
  readonly source: Reference;
  /** The tags; all tags of the source by default. */
  readonly tags?: readonly string[];
  /** Without `tags`: only those that match this pattern, as in {@link ListTagsRequest}. */
  readonly match?: string;
  /** Where to copy them, each under its own name: references without a tag and a digest. */
  readonly targets: readonly Reference[];
}

/** The outcome for one tag at one target. */
export type TagCopy = {
  /** With the tag. */
  readonly source: Reference;
  /** With the tag. */
  readonly target: Reference;
} & (
  | {
      /** What the tag points to now, or would after a dry run. */
      readonly root: ManifestContent;
      /** What it pointed to before; undefined if it is new, or that could not be read. */
      readonly from: Digest | undefined;
      /**
       * Images that were written for this tag. Tags that point to the same manifest share its copy,
       * which counts for the first of them.
       */
      readonly imagesCopied: number;
      /** Blobs that were written for this tag, counted in the same way. */
      readonly transferred: Transferred;
      readonly warnings: readonly string[];
      /** In a dry run: why the target cannot be pushed to. */
      readonly refusal?: ManifestToolError;
      /** In a dry run: what would change for the tag; empty if it points to the root already. */
      readonly changes?: readonly TagChanges[];
    }
  | { readonly error: ManifestToolError }
);

const NOTHING: Transferred = { bytesCopied: 0, bytesMounted: 0 };

/**
 * Copies tags of a repository, layout or archive, each as {@link copyImage} does. A tag that points
 * to the same manifest at the target is not copied; tags that point to one manifest share its copy,
 * and all share connections, tokens and blobs. A failure at one tag does not affect the others.
 * @returns one outcome for each tag and target, in their order; of several, each failure is reported
 * as `targetFailed` when it happens.
 * @throws {ManifestToolError} USAGE for a reference with a tag or a digest; NOT_FOUND if there is no
 * tag to copy; INTERRUPTED; what {@link listTags} throws.
 */
export async function copyTags(
  client: Client,
  request: CopyTagsRequest,
  events: ProgressEvents = {},
): Promise<readonly TagCopy[]> {
  for (const reference of [request.source, ...request.targets]) checkRepository(reference);
  // Targets are opened before sources: some token servers need the scopes of the targets to come
  // first in a request.
  const stores = await Promise.all(request.targets.map((target) => client.open(target, 'push')));
  const reader = await client.open(request.source, 'pull');
  const tags = request.tags ?? (await allTags(client, request, events));
  const copies = new TagCopies(client, request, reader, stores, events);
  return copies.run(tags);
}

/** @throws {ManifestToolError} USAGE for a reference with a tag or a digest. */
function checkRepository(reference: Reference): void {
  if (reference.tag === undefined && reference.digest === undefined) return;
  const part = reference.tag === undefined ? 'a digest' : 'a tag';
  const what = `copying tags of or to ${formatReference(reference)}`;
  throw new ManifestToolError('USAGE', what, `the reference has ${part}`, {
    hint: `use the repository alone: ${formatName(reference)}`,
  });
}

async function allTags(
  client: Client,
  { source, match, referrers }: CopyTagsRequest,
  events: ProgressEvents,
): Promise<readonly string[]> {
  const name = formatName(source);
  events.progress?.(`listing the tags of ${name}`);
  const tags = await listTags(client, source, match === undefined ? {} : { match });
  if (tags.length === 0) {
    const why = match === undefined ? 'it has no tags' : `none of its tags matches "${match}"`;
    throw new ManifestToolError('NOT_FOUND', `copying the tags of ${name}`, why, {
      reason: 'no-tags',
    });
  }
  // The referrers of each image are recorded at the target, which may list others as well.
  return referrers === true ? tags.filter((tag) => !isReferrersTag(tag)) : tags;
}

/** A tag of the source and what it points to. */
interface TagRead {
  readonly tag: string;
  readonly manifest: FetchedManifest;
  /** The state of the tag at each target. */
  readonly states: readonly TagAtTarget[];
}

/** A tag at a target, before the copy. */
interface TagAtTarget {
  readonly before?: Digest;
  /** Whether it points to the same manifest, so that nothing is copied. */
  readonly isUnchanged?: boolean;
  /** Why the tag cannot be copied there. */
  readonly error?: ManifestToolError;
}

/** One run of {@link copyTags}. */
class TagCopies {
  private readonly wait: WaitPolicy;
  /** The outcomes by tag and target. */
  private readonly outcomes = new Map<string, TagCopy>();
  /** Whether there is one outcome, whose error is thus that of the run. */
  private isSingle = false;

  constructor(
    private readonly client: Client,
    private readonly request: CopyTagsRequest,
    private readonly reader: ImageStore,
    private readonly stores: readonly ImageStore[],
    private readonly events: ProgressEvents,
  ) {
    this.wait = new WaitPolicy(request.waitMs, client.signal, events);
  }

  async run(tags: readonly string[]): Promise<readonly TagCopy[]> {
    // As long as they last, what the targets are known to hold is not written again.
    const sessions = this.stores.map(
      (store) => new WriteSession(this.client, store, this.wait, this.events),
    );
    this.isSingle = tags.length * this.stores.length === 1;
    try {
      this.events.progress?.(`comparing ${tags.length} tags of ${this.reader.name}`);
      const read = await mapConcurrent(tags, (tag) => this.read(tag));
      const groups = new Map<Digest, TagRead[]>();
      for (const each of read.flatMap((one) => one ?? [])) {
        const group = groups.get(each.manifest.digest) ?? [];
        groups.set(each.manifest.digest, [...group, each]);
      }
      await mapConcurrent([...groups.values()], (group) => this.copyGroup(group));
    } finally {
      await Promise.all(sessions.map((session) => session.end()));
    }
    return tags.flatMap((tag) =>
      this.request.targets.map((_, at) => this.outcomes.get(keyOf(tag, at))!),
    );
  }

  /** Reads a tag here and there; undefined if that fails, or nothing is left to do for it. */
  private async read(tag: string): Promise<TagRead | undefined> {
    try {
      this.checkTag(tag, this.request.source);
      const found = await Promise.all(this.stores.map((_, at) => this.stateOf(tag, at)));
      const held = await this.heldManifests(tag, found);
      const isDone = found.every(
        (state, at) => state.error !== undefined || held[at] !== undefined,
      );
      const manifest = isDone
        ? held.find((each) => each !== undefined)
        : await this.wait.until(() => this.readSource(tag));
      const states = found.map((state, at) =>
        held[at] === undefined ? state : { ...state, isUnchanged: true },
      );
      for (const [at, { before, isUnchanged, error }] of states.entries()) {
        if (error !== undefined) this.settle(tag, at, { error });
        if (isUnchanged !== true) continue;
        this.events.unchanged?.(formatReference(this.targetOf(tag, at)), held[at]!);
        this.settle(tag, at, { ...DONE, root: held[at]!, from: before });
      }
      return manifest === undefined || isDone ? undefined : { tag, manifest, states };
    } catch (error) {
      const failed = failureOf(error);
      for (const at of this.stores.keys()) this.settle(tag, at, { error: failed });
      return undefined;
    }
  }

  private readSource(tag: string): Promise<FetchedManifest> {
    // In a layout, a name may refer to an image for each platform.
    const [platform, ...others] = this.request.platforms ?? [];
    const selected = others.length === 0 ? platform : undefined;
    return readNamed(this.reader, this.sourceOf(tag), selected, this.events);
  }

  /** What a tag points to at a target, if it can be written there. */
  private async stateOf(tag: string, at: number): Promise<TagAtTarget> {
    const isNeeded = isGuarded(this.request);
    try {
      this.checkTag(tag, this.request.targets[at]!);
      const before = await this.stores[at]!.tagDigest(tag, { isConfirmed: isNeeded });
      return before === undefined ? {} : { before };
    } catch (error) {
      const failed = failureOf(error);
      // A tag that cannot be read counts as one that has to move, if no condition depends on it.
      return isNeeded || failed.code === 'USAGE' ? { error: failed } : {};
    }
  }

  /**
   * For each target the manifest of a tag, if it is the same as that of the source. A copy of a part
   * of an index is another manifest, and referrers may be new although the image is not.
   */
  private async heldManifests(
    tag: string,
    states: readonly TagAtTarget[],
  ): Promise<readonly (FetchedManifest | undefined)[]> {
    const { platforms = [], dropAttestations, referrers } = this.request;
    const isPart = platforms.length > 0 || dropAttestations === true || referrers === true;
    if (isPart || states.every(({ before }) => before === undefined)) return [];
    const digest = await this.reader.tagDigest(tag).catch(() => undefined);
    if (digest === undefined) return [];
    return Promise.all(
      states.map(async ({ before }, at) => {
        if (before !== digest) return undefined;
        // Some registries answer HEAD wrongly.
        const held = await this.stores[at]!.getManifest(tag).catch(() => undefined);
        return held?.digest === digest ? held : undefined;
      }),
    );
  }

  /** Copies a manifest under all its tags to each target. */
  private async copyGroup(group: readonly TagRead[]): Promise<void> {
    const [{ tag, manifest }] = group as readonly [TagRead];
    const { signal } = this.client;
    let content: Promise<Content> | undefined;
    const read: ReadContent = (onManifest, wait, { events }) => {
      if (content !== undefined) return content;
      onManifest(manifest, this.reader);
      const reading = { onManifest, wait, signal };
      content = contentOf(manifest, this.sourceOf(tag), this.reader, this.request, reading, events);
      return content;
    };
    await mapConcurrent([...this.stores.keys()], async (at) => {
      const left = group.filter(({ states }) => isOpen(states[at]!));
      // One tag that a condition keeps from moving must not stop the others.
      const isTogether = !isGuarded(this.request);
      const units = isTogether && left.length > 0 ? [left] : left.map((each) => [each]);
      for (const unit of units) {
        const states = new Map(unit.map((each) => [each.tag, each.states[at]!.before]));
        const isSettled = await this.publish(unit, at, read, states);
        // Some tags may have moved, so they are read again.
        if (!isSettled) for (const each of unit) await this.publish([each], at, read);
      }
    });
  }

  /**
   * Publishes the content of a group under some of its tags at one target.
   * @returns false if that failed for several tags at once, some of which may be possible.
   */
  private async publish(
    unit: readonly TagRead[],
    at: number,
    read: ReadContent,
    known?: TagState,
  ): Promise<boolean> {
    const tags = unit.map(({ tag }) => tag);
    const target = this.request.targets[at]!;
    const publication = { ...this.request, target, tags };
    const settleAll = (error: ManifestToolError): void => {
      for (const tag of tags) this.settle(tag, at, { error });
    };
    try {
      const states = known === undefined ? [] : [known];
      const { root, outcomes } = await publishToAll(
        this.client,
        publication,
        this.events,
        read,
        states,
      );
      const outcome = outcomes[0]!;
      if ('error' in outcome) {
        const { error } = outcome;
        if (error.code === 'INTERRUPTED') throw error;
        if (tags.length > 1) return false;
        settleAll(error);
        return true;
      }
      const { plan, transferred, warnings, refusal, changes } = outcome;
      for (const [i, each] of unit.entries()) {
        const from = each.states[at]!.before;
        const replaced = this.replacedWarning(each.tag, at, from, root);
        this.settle(each.tag, at, {
          ...(i > 0 ? DONE : { imagesCopied: countImages(plan), transferred }),
          root,
          from,
          warnings: [...(i > 0 ? [] : warnings), ...replaced],
          ...(refusal !== undefined && { refusal }),
          ...(changes && { changes: changesOf(each.tag, changes) }),
        });
      }
    } catch (error) {
      settleAll(failureOf(error));
    }
    return true;
  }

  /** A tag that lists referrers or signatures may have had others, which are no longer listed. */
  private replacedWarning(
    tag: string,
    at: number,
    from: Digest | undefined,
    { digest }: ManifestContent,
  ): string[] {
    if (!isDigestTag(tag) || from === undefined || from === digest) return [];
    const name = formatReference(this.targetOf(tag, at));
    const verb = this.request.dryRun === true ? 'would be' : 'is';
    const text = `${name} ${verb} replaced: it pointed to ${from}, and now points to ${digest}`;
    this.events.warning?.(text);
    return [text];
  }

  private checkTag(tag: string, reference: Reference): void {
    if (isTagOf(reference, tag)) return;
    const what = `copying ${JSON.stringify(tag)} to ${formatName(reference)}`;
    throw new ManifestToolError('USAGE', what, 'it is not a valid tag', { hint: TAG_RULE });
  }

  private sourceOf(tag: string): Reference {
    return withSuffix(this.request.source, tag);
  }

  private targetOf(tag: string, at: number): Reference {
    return withSuffix(this.request.targets[at]!, tag);
  }

  private settle(tag: string, at: number, outcome: TagOutcome): void {
    const names = { source: this.sourceOf(tag), target: this.targetOf(tag, at) };
    this.outcomes.set(keyOf(tag, at), { ...names, ...outcome });
    if (this.isSingle || !('error' in outcome)) return;
    this.events.targetFailed?.(formatReference(names.target), outcome.error);
  }
}

/** What would change for one of several tags. */
function changesOf(tag: string, changes: readonly TagChanges[]): readonly TagChanges[] {
  const own = changes.filter(({ tags }) => tags.includes(tag));
  return own.map((each) => ({ ...each, tags: [tag] }));
}

type TagOutcome = TagCopy extends infer Each
  ? Each extends TagCopy
    ? Omit<Each, 'source' | 'target'>
    : never
  : never;

/** What is written for a tag that is not copied by itself. */
const DONE = { imagesCopied: 0, transferred: NOTHING, warnings: [] } as const;

function keyOf(tag: string, at: number): string {
  return `${at} ${tag}`;
}

function isOpen({ error, isUnchanged }: TagAtTarget): boolean {
  return error === undefined && isUnchanged !== true;
}

/** @throws what is no error of a single tag. */
function failureOf(error: unknown): ManifestToolError {
  if (error instanceof ManifestToolError && error.code !== 'INTERRUPTED') return error;
  throw error;
}
