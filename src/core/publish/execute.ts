import { mapConcurrent } from '../../concurrency.js';
import type { ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { ProgressEvents } from '../events.js';
import { withTagOutcome } from './failures.js';
import type { ChildStep, PushPlan } from './plan.js';
import type { WriteSession } from './shared-writes.js';

/**
 * Writes the children of a plan. Each waits for its own blobs and for the manifests that it names,
 * and for nothing else.
 * @throws {ManifestToolError} what the target throws; no tag has moved.
 */
export async function writeChildren(
  children: readonly ChildStep[],
  writes: WriteSession,
): Promise<void> {
  const started = new Map<Digest, Promise<void>>();
  // Started in the order of the plan, so none waits for one that has not started.
  await mapConcurrent(
    children,
    async ({ manifest, blobs, isBlobsOnly, source, after, refersTo, tag }) => {
      const prerequisites = [
        ...blobs.map((blob) => writes.copyBlob(blob, source)),
        ...after.flatMap((digest) => started.get(digest) ?? []),
      ];
      const write = async (): Promise<void> => {
        await Promise.all(prerequisites);
        if (!isBlobsOnly) await writes.writeManifest(manifest, { subject: refersTo, tag });
      };
      const writing = write();
      started.set(manifest.digest, writing);
      await writing;
    },
  );
}

/**
 * Writes the root of a plan under all its tags at once. All children have to be written before, so
 * that no tag points to an index with missing images.
 * @throws {ManifestToolError} saying which tags have moved.
 */
export async function writeRoot(
  { root, tags, before, unchanged }: PushPlan,
  target: ImageWriter,
  events: ProgressEvents,
): Promise<void> {
  for (const tag of unchanged) events.unchanged?.(`${target.name}:${tag}`, root);
  if (tags.length === 0 && unchanged.length > 0) return;
  events.progress?.(`publishing ${root.digest}`);
  const moved: string[] = [];
  try {
    await target.publish(root, tags, (tag) => {
      moved.push(tag);
      events.tagged?.(`${target.name}:${tag}`, root, before.get(tag));
    });
  } catch (error) {
    throw withTagOutcome(error, tags, moved);
  }
}
