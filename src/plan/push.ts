import { formatReference } from '../oci/reference.js';
import { buildList, listEntries, listTypeOf } from './build.js';
import type { PlanEvents } from './events.js';
import { publishContent, type Outcome } from './publish.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import type { Stores } from './stores.js';
import { refuseWarnings, Strictness } from './strict.js';
import { listWarnings } from './warnings.js';

/**
 * Publishes a list: resolve, build, order, execute.
 * @returns what became of each target.
 * @throws {ManifestToolError} as {@link publishContent} does; USAGE where a warning is to be an error.
 */
export function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<readonly Outcome[]> {
  checkRequest(request);
  return publishContent(stores, request, events, async (onManifest, patience) => {
    events.progress?.(`reading ${request.sources.length} images`);
    const strictness = new Strictness(events);
    const reading = { onManifest, patience, events: strictness.events };
    const images = await resolveSources(stores, request, reading);
    const list = buildList(request, images);
    for (const text of listWarnings(listTypeOf(request, images), listEntries(request, images)))
      strictness.events.warning?.(text);
    if (request.strict === true)
      refuseWarnings(`publishing ${formatReference(request.target)}`, strictness.warnings);
    return { list, images };
  });
}
