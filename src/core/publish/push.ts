import { formatReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import { buildList, listEntries, listTypeOf } from './build.js';
import type { PlanEvents } from '../events.js';
import { publishContent, type PushResult } from './publisher.js';
import { checkRequest, type ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import type { Stores } from '../client.js';
import { refuseWarnings, Strictness } from './strict.js';
import { listWarnings } from './warnings.js';

/**
 * Publishes a list of images: a Docker manifest list, or an OCI index (OCI image-spec, image-index.md). Blobs and images first, then all
 * tags at once (OCI distribution-spec, Pushing Manifests): a tag never names a list of which something is missing. With `dryRun` it does
 * all but write.
 * @returns the list, and for each target what was written there, or the error where only some failed.
 * @throws {ManifestToolError} USAGE for a request that can never be published, or where `strict` makes an error of a warning; NOT_FOUND
 * for a source that is not there; REFUSED for a tag that `noClobber` or `expect` holds; DENIED, UNAVAILABLE, CORRUPT, INTERRUPTED and FAILED
 * as their names say. Thrown where it failed at every target.
 */
export function pushList(
  stores: Stores,
  request: ListRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  return publishContent(stores, request, events, async (onManifest, patience) => {
    events.progress?.(`reading ${countOf(request.sources.length, 'image')}`);
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
