import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { formatReference, tagOrDigestOf } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import { editIndex, type EditRequest, type EditResult } from './loop.js';
import { addEdit } from './changes.js';
import type { PlanEvents } from '../events.js';
import { writeChildren } from '../publish/execute.js';
import type { IndexRequest } from '../publish/request.js';
import { resolveSources } from '../publish/resolve.js';
import { blobsOf, planPush } from '../publish/plan.js';
import type { Client } from '../client.js';
import { WriteSession } from '../publish/shared-writes.js';
import { refuseWarnings, WarningCollector } from '../publish/strict.js';
import { WaitPolicy } from '../wait.js';

/** What is added to a list, and to which. */
export interface AddRequest
  extends EditRequest, Pick<IndexRequest, 'sources' | 'ignoreMissing' | 'dropAttestations'> {}

/**
 * Brings images into a published list, in place (docs/edits.md): their blobs and manifests first, then the list. An image takes the place of
 * the one for its platform; all else stays byte for byte as it is.
 * @throws {ManifestToolError} NOT_FOUND where the list or an image is not there; USAGE where it is no list, or where `strict` makes an error
 * of a warning; REFUSED where others change the list without end, or `expect` holds it; INTERRUPTED; as the readers do.
 */
export async function addToIndex(
  client: Client,
  request: AddRequest,
  events: PlanEvents = {},
): Promise<EditResult> {
  const { dryRun, strict, target: reference, waitMs, sources } = request;
  const isDry = dryRun === true;
  const target = await client.open(reference, isDry ? 'pull' : 'push');
  const wait = new WaitPolicy(waitMs, client.signal, events);
  const strictness = new WarningCollector(events);
  const writes = new WriteSession(target, wait, events);
  const onManifest = (manifest: FetchedManifest, source: ImageReader): void => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    if (isDry || strict === true || source === target) return;
    for (const blob of blobsOf(manifest)) writes.startBlob(blob, source);
  };
  try {
    events.progress?.(`reading ${countOf(sources.length, 'image')}`);
    // The list is looked for first: to bring images into one that is not there would be for nothing.
    const [list, images] = await Promise.all([
      wait.until(() => target.getManifest(tagOrDigestOf(reference))),
      resolveSources(client, request, { onManifest, wait, events: strictness.events }),
    ]);
    if (strict === true)
      refuseWarnings(`editing ${formatReference(reference)}`, strictness.warnings);
    const plan = planPush(images, list, { holds: (source) => source === target, tags: new Map() });
    if (!isDry) await writeChildren(plan, writes, target.name, events);
    const context = { events, signal: client.signal, wait, first: list };
    const edited = await editIndex(target, request, addEdit(images), context);
    return { ...edited, brought: images };
  } finally {
    await writes.end();
  }
}
