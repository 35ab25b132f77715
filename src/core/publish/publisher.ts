import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type {
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { formatReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { WaitPolicy } from '../wait.js';
import { writeChildren, writeRoot } from './execute.js';
import { summarizeFailures, withNothingPublished } from './failures.js';
import { refuseOtherArchitectures } from './executables.js';
import { checkGuard, isGuarded } from './guard.js';
import {
  blobsOf,
  planChildren,
  planPush,
  type ChildStep,
  type Content,
  type PushPlan,
  type TagState,
} from './plan.js';
import { pushRefusal } from './push-check.js';
import {
  checkTags,
  tagsOf,
  type Publication,
  type PublishingOptions,
  type Target,
} from './request.js';
import type { ResolvedImage } from './resolved-image.js';
import { reviewTags, type TagChanges } from './review.js';
import { WriteSession, type Transferred } from './shared-writes.js';
import { WarningCollector } from './warnings.js';

/**
 * Called for each manifest as soon as it is read, so that its blobs can be copied while the rest is
 * read.
 */
export type OnManifest = (manifest: FetchedManifest, source: ImageReader) => void;

/** The outcome at one target: what was written, or would be in a dry run; or the error. */
export type Outcome =
  | {
      readonly target: Target;
      readonly plan: PushPlan;
      /** Blobs that were written; none in a dry run. */
      readonly transferred: Transferred;
      /** Of the content, which all targets share, and of this target. */
      readonly warnings: readonly string[];
      /** In a dry run: why the target cannot be pushed to. */
      readonly refusal?: ManifestToolError;
      /** In a dry run: what would change for the tags that do not point to the root yet. */
      readonly changes?: readonly TagChanges[];
    }
  | { readonly target: Target; readonly error: ManifestToolError };

/** The outcome of a publish, or of its dry run. */
export interface PushResult {
  /** What the tags point to: the index, or the manifest that was copied. */
  readonly root: ManifestContent;
  /** One for each target, in their order. At least one of a publish is a success. */
  readonly outcomes: readonly Outcome[];
  /** What each source of an index pointed to when it was read, by its reference. */
  readonly sources?: ReadonlyMap<string, Digest>;
}

/** Reads what is published. */
export type ReadContent = (
  onManifest: OnManifest,
  wait: WaitPolicy,
  warnings: WarningCollector,
) => Promise<Content>;

/**
 * Publishes the content that `read` returns, to all targets at the same time; the content is read
 * once. Blobs are copied as soon as `read` reports the manifest that names them: they are invisible
 * until a manifest is written, so a publish that fails before that has published nothing.
 * @throws {ManifestToolError} if it failed at every target: REFUSED if a tag must not move.
 */
export async function publishContent(
  client: Client,
  publication: Publication,
  events: ProgressEvents,
  read: ReadContent,
): Promise<PushResult> {
  const result = await publishToAll(client, publication, events, read);
  throwIfAllFailed(result.outcomes, events);
  return result;
}

/**
 * As {@link publishContent}, but a failure at every target is a result too.
 * @param known what the tags of each target point to, if that was read before
 * @throws {ManifestToolError} what `read` throws.
 */
export async function publishToAll(
  client: Client,
  publication: Publication,
  events: ProgressEvents,
  read: ReadContent,
  known: readonly TagState[] = [],
): Promise<PushResult> {
  const targets: readonly Target[] = [publication, ...(publication.alsoTo ?? [])];
  for (const target of targets) checkTags(target);
  const wait = new WaitPolicy(publication.waitMs, client.signal, events);
  // Targets are opened before sources: some token servers need the scopes of the targets to come
  // first in a request.
  const stores = await Promise.all(targets.map(({ target }) => client.open(target, 'push')));
  const publishers = targets.map(
    (target, i) => new Publisher(client, stores[i]!, target, publication, wait, events, known[i]),
  );
  const shared = new WarningCollector(events);
  const onManifest: OnManifest = (manifest, source) => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    for (const publisher of publishers) publisher.startBlobs(manifest, source);
  };
  const content = read(onManifest, wait, shared).then(async (found) => {
    if (publication.executables === true) {
      const what = `publishing ${formatReference(publication.target)}`;
      await refuseOtherArchitectures(found.images, { what, signal: client.signal, events });
    }
    return found;
  });
  const isDryRun = publication.dryRun === true;
  const refusals = Promise.all(isDryRun ? stores.map((store) => pushRefusal(store, events)) : []);
  // Of no interest if there is no content; otherwise thrown below.
  refusals.catch(() => undefined);
  const published = await Promise.allSettled(
    publishers.map((publisher) => publisher.publish(content)),
  );
  // If there is no content, the reason is reported once, not for each target.
  const { root, sources } = await content.catch((error: unknown) => {
    throw withNothingPublished(error);
  });
  const refused = await refusals;
  const reviews = await mapInOrder(isDryRun ? published : [], async (result, i) =>
    result.status === 'fulfilled' ? publishers[i]!.review(client, result.value) : [],
  );
  const outcomes = published.map((result, i): Outcome => {
    const target = targets[i]!;
    const refusal = refused[i];
    if (result.status === 'fulfilled') {
      const { transferred, warnings } = publishers[i]!;
      return {
        target,
        plan: result.value,
        transferred,
        warnings: [...shared.warnings, ...warnings],
        ...(refusal !== undefined && { refusal }),
        ...(isDryRun && { changes: reviews[i]! }),
      };
    }
    if (result.reason instanceof ManifestToolError) return { target, error: result.reason };
    throw result.reason;
  });
  return { root, outcomes, ...(sources !== undefined && { sources }) };
}

/** Reports the error of each target, unless it is the only one; then it is thrown as it is. */
function throwIfAllFailed(outcomes: readonly Outcome[], events: ProgressEvents): void {
  const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  if (outcomes.length === 1 && failed.length === 1) throw failed[0]!.error;
  for (const { target, error } of failed)
    events.targetFailed?.(formatReference(target.target), error);
  if (failed.length < outcomes.length) return;
  const errors = failed.map(({ error }) => error);
  const summary = summarizeFailures(errors, outcomes.length);
  if (summary !== undefined) throw summary;
}

/**
 * Publishes to one target: children first, then the tags. Used by everything that publishes; call
 * `end` after the last write.
 */
export class Publisher {
  private readonly writes: WriteSession;
  private readonly collector: WarningCollector;
  private readonly events: ProgressEvents;
  /** Tags of a dry run that cannot be read. */
  private readonly unreadable = new Map<string, ManifestToolError>();

  constructor(
    client: Client,
    private readonly store: ImageStore,
    private readonly target: Target,
    private readonly options: PublishingOptions,
    private readonly wait: WaitPolicy,
    events: ProgressEvents,
    private readonly known?: TagState,
  ) {
    this.collector = new WarningCollector(events);
    this.events = this.collector.events;
    // Shared writes tell listeners apart by their identity.
    this.writes = new WriteSession(client, store, wait, events);
  }

  /** What was written so far. */
  get transferred(): Transferred {
    return this.writes.transferred;
  }

  /** What was warned of at this target. */
  get warnings(): readonly string[] {
    return this.collector.warnings;
  }

  /**
   * Starts to copy the blobs of an image, unless something that is read later may still forbid to
   * write.
   */
  startBlobs(manifest: FetchedManifest, source: ImageReader): void {
    const { dryRun, strict } = this.options;
    const mustWait = dryRun === true || strict === true || this.target.target.digest !== undefined;
    if (mustWait || this.holds(source)) return;
    for (const blob of blobsOf(manifest)) this.writes.startBlob(blob, source);
  }

  /**
   * Publishes content, or only plans it in a dry run.
   * @throws {ManifestToolError} with no tag moved, unless the error says so; REFUSED if a tag must
   * not move.
   */
  async publish(content: Promise<Content>): Promise<PushPlan> {
    try {
      const plan = await this.prepare(content).catch((error: unknown) => {
        throw withNothingPublished(error);
      });
      if (this.options.dryRun === true) return plan;
      if (isGuarded(this.options)) {
        // Checked again right before the write: registries offer no other way to keep two
        // publishers apart.
        checkGuard(this.options, this.target, plan.root.digest, await this.readTags());
      }
      await this.wait.until(() => this.writeTags(plan));
      return plan;
    } finally {
      await this.end();
    }
  }

  /**
   * Writes the images that the target does not hold, with their blobs; in a dry run, only plans it.
   */
  async publishChildren(images: readonly ResolvedImage[]): Promise<readonly ChildStep[]> {
    const children = await this.withFreeTags(planChildren(images, (source) => this.holds(source)));
    if (this.options.dryRun !== true) await this.writeChildren(children);
    return children;
  }

  private async writeChildren(children: readonly ChildStep[]): Promise<void> {
    if (children.length === 0) return;
    this.events.progress?.(`writing ${countOf(children.length, 'image')} to ${this.store.name}`);
    const blobs = new Map(
      children.flatMap((child) => child.blobs.map((blob) => [blob.digest, blob] as const)),
    );
    this.events.planned?.(this.store.name, [...blobs.values()]);
    await writeChildren(children, this.writes);
  }

  /**
   * Leaves out the tags of children that are up to date, or that exist and must not move. Warns of
   * those that move: cosign keeps several signatures under one tag.
   */
  private async withFreeTags(children: readonly ChildStep[]): Promise<ChildStep[]> {
    const { noClobber, dryRun } = this.options;
    const steps = await mapInOrder(children, async (step): Promise<ChildStep[]> => {
      const { tag, ...untagged } = step;
      if (tag === undefined) return [step];
      const { digest } = step.manifest;
      const held = await this.store.tagDigest(tag).catch(() => undefined);
      const isKept = held !== undefined && noClobber === true;
      if (held === digest || isKept) {
        if (held !== digest)
          this.events.warning?.(
            `${this.store.name}:${tag} is not replaced: it points to ${held}, not to ${digest}`,
          );
        return step.refersTo === undefined ? [] : [untagged];
      }
      // The plan of a dry run shows it.
      if (held !== undefined && dryRun !== true)
        this.events.warning?.(
          `${this.store.name}:${tag} is replaced: it pointed to ${held}, and now to ${digest}`,
        );
      return [held === undefined ? step : { ...step, tagBefore: held }];
    });
    return steps.flat();
  }

  /** What a dry run would change for the tags; one that cannot be read is left out. */
  review(client: Client, { root, images, before }: PushPlan): Promise<readonly TagChanges[]> {
    for (const [tag, { message }] of this.unreadable)
      this.events.warning?.(`the changes to ${this.store.name}:${tag} cannot be shown: ${message}`);
    const readable = new Map([...before].filter(([tag]) => !this.unreadable.has(tag)));
    return reviewTags(client, this.store, { root, images, before: readable }, this.events);
  }

  /** Resolves when nothing is being written any more. */
  end(): Promise<void> {
    return this.writes.end();
  }

  private holds(source: ImageReader): boolean {
    return source === this.store;
  }

  /** All of a publish but the last step, the tags. */
  private async prepare(content: Promise<Content>): Promise<PushPlan> {
    const [known, { root, images }] = await Promise.all([this.known ?? this.readTags(), content]);
    const before = await this.confirmUnchanged(known, root.digest);
    checkDigest(this.target, { root, images });
    checkGuard(this.options, this.target, root.digest, before);
    const plan = planPush({ root, images }, before, (source) => this.holds(source));
    const children = await this.withFreeTags(plan.children);
    if (this.options.dryRun !== true) await this.writeChildren(children);
    return { ...plan, children };
  }

  /**
   * What the tags point to now. If no condition depends on it, a tag that cannot be read counts as
   * one that has to move.
   */
  private async readTags(): Promise<TagState> {
    const isNeeded = isGuarded(this.options);
    const isDryRun = this.options.dryRun === true;
    const read = async (tag: string): Promise<Digest | undefined> => {
      try {
        return await this.store.tagDigest(tag, { isConfirmed: isNeeded || isDryRun });
      } catch (error) {
        if (isNeeded || !(error instanceof ManifestToolError)) throw error;
        if (isDryRun) this.unreadable.set(tag, error);
        return undefined;
      }
    };
    const tags = tagsOf(this.target);
    return new Map(await Promise.all(tags.map(async (tag) => [tag, await read(tag)] as const)));
  }

  /**
   * Confirms that the tags which seem to point to the root do: they will not be written, and some
   * registries answer HEAD wrongly.
   */
  private async confirmUnchanged(known: TagState, root: Digest): Promise<TagState> {
    if (isGuarded(this.options)) return known;
    const confirm = async (tag: string): Promise<Digest | undefined> =>
      this.store.tagDigest(tag, { isConfirmed: true }).catch(() => undefined);
    const entries = [...known].map(async ([tag, digest]) => {
      return [tag, digest === root ? await confirm(tag) : digest] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /**
   * Writes the root under its tags. If the registry then misses manifests that it has accepted
   * before, they are written once more (seen with Artifactory, Gitea and the replicas of Azure).
   */
  private async writeTags(plan: PushPlan): Promise<void> {
    try {
      await writeRoot(plan, this.store, this.events);
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code !== 'INCOMPLETE') throw error;
      this.events.warning?.(`${error.message}; writing its images again`);
      const manifests = new Map(plan.images.map(({ manifest }) => [manifest.digest, manifest]));
      manifests.delete(plan.root.digest);
      await Promise.all(
        [...manifests.values()].map((manifest) => this.writes.rewriteManifest(manifest)),
      );
      await writeRoot(plan, this.store, this.events);
    }
  }
}

/** @throws {ManifestToolError} USAGE if the target has a digest that is not that of the content. */
function checkDigest({ target }: Target, { root, images }: Content): void {
  const { digest } = target;
  if (digest === undefined || digest === root.digest) return;
  const isSource = images.some(({ manifest }) => manifest.digest === digest);
  const why = isSource
    ? `the digest is that of one of its images; the index has the digest ${root.digest}`
    : `the published content has a different digest, ${root.digest}`;
  throw new ManifestToolError('USAGE', `publishing ${formatReference(target)}`, why, {
    hint: 'refer to the target by tag',
  });
}
