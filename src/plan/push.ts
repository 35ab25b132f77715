import { ManifestToolError } from '../errors.js';
import type { ImageStore, ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { BlobMover } from './blobs.js';
import { buildList } from './build.js';
import type { PlanEvents } from './events.js';
import { publishList, writeChildren } from './execute.js';
import { withNothingPublished } from './outcome.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import { blobsOf, planPush, tagsOf, type PushPlan } from './steps.js';
import type { Stores } from './stores.js';

/** Lists of more entries meet limits of registries (GitLab's is one). */
const MANY_ENTRIES = 100;

/** What a push leaves behind. */
export interface PushResult {
  readonly list: ManifestContent;
  /** Tags that were moved to the list. */
  readonly tags: readonly string[];
  /** Tags that named the list before. */
  readonly unchanged: readonly string[];
}

/**
 * Publishes a list: resolve, build, order, execute. Blobs of other repositories start on their way as soon as their image is known; they
 * are invisible until something names them, so a request that fails later has published nothing.
 * @throws {ManifestToolError} with the tags of the target unmoved, unless it is about a tag itself.
 */
export async function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  // The target is opened first: its scope comes first in a token request, which some token servers need.
  const target = await stores.open(request.target, 'push');
  const plan = await prepare(stores, request, target, events);
  await publishComplete(plan, target, events);
  return { list: plan.list, tags: plan.tags, unchanged: plan.unchanged };
}

/** All of a push but its last step, the tags. */
async function prepare(
  stores: Stores,
  request: ListRequest,
  target: ImageStore,
  events: PlanEvents,
): Promise<PushPlan> {
  const blobs = new BlobMover(target);
  try {
    events.progress?.(`reading ${request.sources.length} images`);
    const [tags, images] = await Promise.all([
      readTags(target, tagsOf(request)),
      resolveSources(stores, request, events, (manifest, source) => {
        if (source !== target) for (const blob of blobsOf(manifest)) blobs.start(blob, source);
      }),
    ]);
    const list = buildList(request, images);
    if (images.length > MANY_ENTRIES) {
      events.warning?.(
        `the list has ${images.length} entries; some registries take no more than ${MANY_ENTRIES}`,
      );
    }
    const plan = planPush(images, list, { holds: (source) => source === target, tags });
    await writeChildren(plan, target, blobs, events);
    return plan;
  } catch (error) {
    throw withNothingPublished(error);
  } finally {
    await blobs.settled();
  }
}

/** What the tags name now: asked for while the sources are read, so it costs no round trip. */
async function readTags(
  target: ImageStore,
  tags: readonly string[],
): Promise<Map<string, Digest | undefined>> {
  return new Map(
    await Promise.all(tags.map(async (tag) => [tag, await target.tagDigest(tag)] as const)),
  );
}

/**
 * Publishes the list; where the registry then misses what the list names, although it said that it holds it, every child is written once
 * more (seen at Artifactory, Azure's replicas and Gitea).
 */
async function publishComplete(
  plan: PushPlan,
  target: ImageStore,
  events: PlanEvents,
): Promise<void> {
  try {
    await publishList(plan, target, events);
  } catch (error) {
    if (!(error instanceof ManifestToolError) || error.code !== 'INCOMPLETE') throw error;
    events.warning?.(`${error.message}; its images are written once more`);
    await Promise.all(plan.manifests.map((manifest) => target.putChild(manifest)));
    await publishList(plan, target, events);
  }
}
