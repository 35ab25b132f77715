import { BlobMover } from './blobs.js';
import { editList, type EditResult } from './edit.js';
import { addEdit } from './edits.js';
import type { PlanEvents } from './events.js';
import { writeChildren } from './execute.js';
import type { Publication } from './publication.js';
import type { SourceRequest } from './request.js';
import { resolveSources } from './resolve.js';
import { blobsOf, planPush } from './steps.js';
import type { Stores } from './stores.js';

/**
 * Brings images into a published list, in place: their blobs and manifests first, then the list.
 * @throws {ManifestToolError} as {@link editList} and the readers do.
 */
export async function addToList(
  stores: Stores,
  publication: Publication,
  sources: readonly SourceRequest[],
  ignoreMissing: boolean,
  events: PlanEvents = {},
): Promise<EditResult> {
  const isDry = publication.dryRun === true;
  const target = await stores.open(publication.target, isDry ? 'pull' : 'push');
  const blobs = new BlobMover(target);
  try {
    events.progress?.(`reading ${sources.length} images`);
    const request = { target: publication.target, sources, ignoreMissing };
    // The list is looked for first: to bring images into one that is not there would be for nothing.
    const { tag = 'latest' } = publication.target;
    const [list, images] = await Promise.all([
      target.getManifest(tag),
      resolveSources(stores, request, events, (manifest, source) => {
        if (isDry || source === target) return;
        for (const blob of blobsOf(manifest)) blobs.start(blob, source);
      }),
    ]);
    const plan = planPush(images, list, { holds: (source) => source === target, tags: new Map() });
    if (!isDry) await writeChildren(plan, target, blobs, events);
    return await editList(target, publication, addEdit(images), events);
  } finally {
    await blobs.settled();
  }
}
