import { buildList } from './build.js';
import type { PlanEvents } from './events.js';
import { publishContent, type PushResult } from './publish.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import type { Stores } from './stores.js';

/** Lists of more entries meet limits of registries (GitLab's is one). */
const MANY_ENTRIES = 100;

/**
 * Publishes a list: resolve, build, order, execute.
 * @throws {ManifestToolError} as {@link publishContent} does.
 */
export function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  return publishContent(stores, request, events, async (onManifest) => {
    events.progress?.(`reading ${request.sources.length} images`);
    const images = await resolveSources(stores, request, events, onManifest);
    const list = buildList(request, images);
    if (images.length > MANY_ENTRIES) {
      const limit = `some registries take no more than ${MANY_ENTRIES}`;
      events.warning?.(`the list has ${images.length} entries; ${limit}`);
    }
    return { list, images };
  });
}
