import type { FetchedManifest, ImageReader } from '../oci/content.js';
import { formatReference } from '../oci/reference.js';
import { BlobMover } from './blobs.js';
import { editList, type EditResult } from './edit.js';
import { addEdit } from './edits.js';
import type { PlanEvents } from './events.js';
import { writeChildren } from './execute.js';
import type { Publication } from './publication.js';
import type { ListRequest } from './request.js';
import { resolveSources } from './resolve.js';
import { blobsOf, planPush } from './steps.js';
import type { Stores } from './stores.js';
import { refuseWarnings, Strictness } from './strict.js';
import { Patience } from './waiting.js';

/** What is added to a list. */
export type Additions = Pick<ListRequest, 'sources' | 'ignoreMissing' | 'dropAttestations'>;

/**
 * Brings images into a published list, in place: their blobs and manifests first, then the list.
 * @throws {ManifestToolError} as {@link editList} and the readers do; USAGE where a warning is to be an error.
 */
export async function addToList(
  stores: Stores,
  publication: Publication,
  additions: Additions,
  events: PlanEvents = {},
): Promise<EditResult> {
  const { dryRun, strict, target: reference, waitMs } = publication;
  const isDry = dryRun === true;
  const target = await stores.open(reference, isDry ? 'pull' : 'push');
  const patience = new Patience(waitMs, stores.signal, events);
  const strictness = new Strictness(events);
  const blobs = new BlobMover(target, patience, events);
  const onManifest = (manifest: FetchedManifest, source: ImageReader): void => {
    events.read?.(`${source.name}@${manifest.digest}`, manifest);
    if (isDry || strict === true || source === target) return;
    for (const blob of blobsOf(manifest)) blobs.start(blob, source);
  };
  try {
    events.progress?.(`reading ${additions.sources.length} images`);
    // The list is looked for first: to bring images into one that is not there would be for nothing.
    const [list, images] = await Promise.all([
      patience.until(() => target.getManifest(reference.tag ?? 'latest')),
      resolveSources(
        stores,
        { target: reference, ...additions },
        { onManifest, patience, events: strictness.events },
      ),
    ]);
    if (strict === true)
      refuseWarnings(`editing ${formatReference(reference)}`, strictness.warnings);
    const plan = planPush(images, list, { holds: (source) => source === target, tags: new Map() });
    if (!isDry) await writeChildren(plan, target, blobs, events);
    const context = { events, signal: stores.signal, patience, first: list };
    const edited = await editList(target, publication, addEdit(images), context);
    return { ...edited, brought: images };
  } finally {
    await blobs.settled();
  }
}
