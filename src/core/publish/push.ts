import { formatReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import { buildIndex, indexEntries, indexTypeOf } from './build.js';
import type { PlanEvents } from '../events.js';
import { publishContent, type PushResult } from './publisher.js';
import { checkRequest, type IndexRequest } from './request.js';
import { resolveSources } from './resolve.js';
import type { Client } from '../client.js';
import { refuseWarnings, WarningCollector } from './strict.js';
import { indexWarnings } from './warnings.js';

/**
 * Publishes a list of images: a Docker manifest list, or an OCI index (OCI image-spec, image-index.md). Blobs and images first, then all
 * tags at once (OCI distribution-spec, Pushing Manifests): a tag never names a list of which something is missing. With `dryRun` it does
 * all but write.
 * @returns the list, and for each target what was written there, or the error where only some failed.
 * @throws {ManifestToolError} USAGE for a request that can never be published, or where `strict` makes an error of a warning; NOT_FOUND
 * for a source that is not there; REFUSED for a tag that `noClobber` or `expect` holds; DENIED, UNAVAILABLE, CORRUPT, INTERRUPTED and FAILED
 * as their names say. Thrown where it failed at every target.
 */
export function pushIndex(
  client: Client,
  request: IndexRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  checkRequest(request);
  return publishContent(client, request, events, async (onManifest, wait) => {
    events.progress?.(`reading ${countOf(request.sources.length, 'image')}`);
    const strictness = new WarningCollector(events);
    const reading = { onManifest, wait, events: strictness.events };
    const images = await resolveSources(client, request, reading);
    const list = buildIndex(request, images);
    for (const text of indexWarnings(indexTypeOf(request, images), indexEntries(request, images)))
      strictness.events.warning?.(text);
    if (request.strict === true)
      refuseWarnings(`publishing ${formatReference(request.target)}`, strictness.warnings);
    return { list, images };
  });
}
