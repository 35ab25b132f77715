import { formatReference } from '../oci/reference.js';
import { buildList, listEntries, listTypeOf } from './build.js';
import type { PlanEvents } from './events.js';
import { publishContent } from './publish.js';
import type { PushPlan } from './steps.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import type { Stores } from './stores.js';
import { refuseWarnings } from './strict.js';
import { listWarnings } from './warnings.js';

/**
 * Publishes a list: resolve, build, order, execute.
 * @throws {ManifestToolError} as {@link publishContent} does; USAGE where a warning is to be an error.
 */
export function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<PushPlan> {
  checkRequest(request);
  return publishContent(stores, request, events, async (onManifest) => {
    events.progress?.(`reading ${request.sources.length} images`);
    const warnings: string[] = [];
    const warning = (text: string): void => {
      warnings.push(text);
      events.warning?.(text);
    };
    const images = await resolveSources(stores, request, { ...events, warning }, onManifest);
    const list = buildList(request, images);
    listWarnings(listTypeOf(request, images), listEntries(request, images)).forEach(warning);
    if (request.strict === true) {
      refuseWarnings(`publishing ${formatReference(request.target)}`, warnings);
    }
    return { list, images };
  });
}
