import { ManifestToolError } from '../errors.js';
import type { ImageStore } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { BlobMover } from './blobs.js';
import { buildList } from './build.js';
import type { PlanEvents } from './events.js';
import { publishList, writeChildren } from './execute.js';
import { checkGuard, isGuarded, type TagState } from './guard.js';
import { withNothingPublished } from './outcome.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import { blobsOf, planPush, tagsOf, type PushPlan } from './steps.js';
import type { Stores } from './stores.js';

/** Lists of more entries meet limits of registries (GitLab's is one). */
const MANY_ENTRIES = 100;

/** What a push leaves behind, or would. */
export interface PushResult {
  readonly plan: PushPlan;
  /** What the tags named before; a tag whose digest could not be found out is left out. */
  readonly before: TagState;
}

/**
 * Publishes a list: resolve, build, order, execute. Blobs of other repositories start on their way as soon as their image is known; they
 * are invisible until something names them, so a request that fails later has published nothing. A dry run does all but write.
 * @throws {ManifestToolError} with the tags of the target unmoved, unless it is about a tag itself; REFUSED where the request does not
 * allow a tag to move.
 */
export async function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  // The target is opened first: its scope comes first in a token request, which some token servers need.
  const target = await stores.open(request.target, request.dryRun === true ? 'pull' : 'push');
  const result = await prepare(stores, request, target, events);
  if (request.dryRun === true) return result;
  if (isGuarded(request)) {
    // Once more, right before the tags move: a registry has no other way to keep two writers apart.
    checkGuard(request, result.plan.list.digest, await readTags(target, tagsOf(request), true));
  }
  await publishComplete(result.plan, target, events);
  return result;
}

/** All of a push but its last step, the tags. */
async function prepare(
  stores: Stores,
  request: ListRequest,
  target: ImageStore,
  events: PlanEvents,
): Promise<PushResult> {
  const blobs = new BlobMover(target);
  const isDry = request.dryRun === true;
  try {
    events.progress?.(`reading ${request.sources.length} images`);
    const [before, images] = await Promise.all([
      readTags(target, tagsOf(request), isGuarded(request)),
      resolveSources(stores, request, events, (manifest, source) => {
        if (isDry || source === target) return;
        for (const blob of blobsOf(manifest)) blobs.start(blob, source);
      }),
    ]);
    const list = buildList(request, images);
    if (images.length > MANY_ENTRIES) {
      const limit = `some registries take no more than ${MANY_ENTRIES}`;
      events.warning?.(`the list has ${images.length} entries; ${limit}`);
    }
    checkGuard(request, list.digest, before);
    const plan = planPush(images, list, { holds: (source) => source === target, tags: before });
    if (!isDry) await writeChildren(plan, target, blobs, events);
    return { plan, before };
  } catch (error) {
    throw withNothingPublished(error);
  } finally {
    await blobs.settled();
  }
}

/**
 * What the tags name now: asked for while the sources are read, so it costs no round trip. Where nothing depends on it, a tag whose
 * digest cannot be found out counts as one that has to move.
 */
async function readTags(
  target: ImageStore,
  tags: readonly string[],
  isNeeded: boolean,
): Promise<TagState> {
  const read = async (tag: string): Promise<Digest | undefined> => {
    try {
      return await target.tagDigest(tag);
    } catch (error) {
      if (isNeeded) throw error;
      return undefined;
    }
  };
  return new Map(await Promise.all(tags.map(async (tag) => [tag, await read(tag)] as const)));
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
    const manifests = new Map(plan.images.map(({ manifest }) => [manifest.digest, manifest]));
    await Promise.all([...manifests.values()].map((manifest) => target.putChild(manifest)));
    await publishList(plan, target, events);
  }
}
