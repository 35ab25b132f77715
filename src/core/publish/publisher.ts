import { ManifestToolError } from '../../errors.js';
import type { ManifestContent } from '../../oci/content.js';
import { formatReference } from '../../oci/reference.js';
import type { Content, OnManifest } from './content.js';
import type { PlanEvents } from '../events.js';
import { SUMMARY_HINT, withNothingPublished } from './outcome.js';
import { checkTags, type Publication, type Target } from './publication.js';
import type { PushPlan } from './plan.js';
import type { Client } from '../client.js';
import { TargetWriter } from './target-writer.js';
import { WaitPolicy } from '../wait.js';

/** What became of one target: what was written there, or would be in a dry run; or what went wrong. */
export type Outcome =
  | { readonly target: Target; readonly plan: PushPlan }
  | { readonly target: Target; readonly error: ManifestToolError };

/** What a publish leaves behind, or would leave in a dry run. */
export interface PushResult {
  /** What the tags name now: a list, or what was copied. */
  readonly list: ManifestContent;
  /** One a target, in their order; at one of them at least it did not fail. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Publishes what `read` finds: the same way for all commands, and to all targets at the same time. What is read is read once. Blobs start
 * on their way as soon as `read` tells of their image; they are invisible until something names them, so a publish that fails later has
 * published nothing. A dry run does all but write.
 * @throws {ManifestToolError} where nothing was published at any target: REFUSED where a tag is not allowed to move.
 */
export async function publishContent(
  client: Client,
  publication: Publication,
  events: PlanEvents,
  read: (onManifest: OnManifest, wait: WaitPolicy) => Promise<Content>,
): Promise<PushResult> {
  const targets: readonly Target[] = [publication, ...(publication.alsoTo ?? [])];
  for (const target of targets) checkTags(target);
  const wait = new WaitPolicy(publication.waitMs, client.signal, events);
  // Targets are opened first: their scopes come first in a token request, which some token servers need.
  const access = publication.dryRun === true ? 'pull' : 'push';
  const stores = await Promise.all(targets.map(({ target }) => client.open(target, access)));
  const writers = targets.map(
    (target, i) => new TargetWriter(stores[i]!, target, publication, wait, events),
  );
  const content = read((manifest, source) => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    for (const writer of writers) writer.startBlobs(manifest, source);
  }, wait);
  const written = await Promise.allSettled(writers.map((writer) => writer.publish(content)));
  // Where there is nothing to publish the reason is told once, and not for each target.
  const { list } = await content.catch((error: unknown) => {
    throw withNothingPublished(error);
  });
  const outcomes = written.map((result, i): Outcome => {
    const target = targets[i]!;
    if (result.status === 'fulfilled') return { target, plan: result.value };
    if (result.reason instanceof ManifestToolError) return { target, error: result.reason };
    throw result.reason;
  });
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  if (failures.length === outcomes.length && failures.length === 1) throw failures[0]!.error;
  for (const { target, error } of failures)
    events.targetFailed?.(formatReference(target.target), error);
  if (failures.length === outcomes.length) throw allFailed(failures);
  return { list, outcomes };
}

function allFailed(failures: readonly { readonly error: ManifestToolError }[]): ManifestToolError {
  const [{ error }] = failures as [{ readonly error: ManifestToolError }];
  const why = `all ${failures.length} failed`;
  const what = `publishing to ${failures.length} targets`;
  return new ManifestToolError(error.code, what, why, { cause: error, hint: SUMMARY_HINT });
}
