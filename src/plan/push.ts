import type { ManifestContent } from '../oci/content.js';
import { BlobMover } from './blobs.js';
import { buildList } from './build.js';
import type { PlanEvents } from './events.js';
import { executePush } from './execute.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import { blobsOf, planPush } from './steps.js';
import type { Stores } from './stores.js';

/** What a push leaves behind. */
export interface PushResult {
  readonly list: ManifestContent;
  /** The tags that name the list now. */
  readonly tags: readonly string[];
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
  const blobs = new BlobMover(target);
  try {
    events.progress?.(`reading ${request.sources.length} images`);
    const images = await resolveSources(stores, request, events, (manifest, source) => {
      if (source !== target) for (const blob of blobsOf(manifest)) blobs.start(blob, source);
    });
    const list = buildList(request, images);
    const plan = planPush(request, images, list, (source) => source === target);
    await executePush(plan, target, blobs, events);
    return { list, tags: plan.tags };
  } finally {
    await blobs.settled();
  }
}
