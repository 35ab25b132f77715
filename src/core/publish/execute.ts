import type { ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { countOf } from '../../text.js';
import type { PlanEvents } from '../events.js';
import { mapConcurrent } from '../../concurrency.js';
import { withTagOutcome } from './outcome.js';
import type { PushPlan } from './plan.js';
import type { WriteSession } from './shared-writes.js';

/**
 * Writes the children of a list. Each child follows its own blobs and what it names, and nothing else.
 * @throws {ManifestToolError} what the target throws; no tag has moved.
 */
export async function writeChildren(
  plan: PushPlan,
  writes: WriteSession,
  target: string,
  events: PlanEvents,
): Promise<void> {
  if (plan.children.length === 0) return;
  events.progress?.(`writing ${countOf(plan.children.length, 'image')} to ${target}`);
  const written = new Map<Digest, Promise<void>>();
  // Begun in the order of the plan, in which what a child comes after stands before it: none waits for one that is not begun.
  await mapConcurrent(plan.children, async (child) => {
    const before = [
      ...child.blobs.map((blob) => writes.copyBlob(blob, child.source)),
      ...child.after.flatMap((digest) => written.get(digest) ?? []),
    ];
    const write = async (): Promise<void> => {
      await Promise.all(before);
      await writes.writeManifest(child.manifest, child.refersTo);
    };
    const writing = write();
    written.set(child.manifest.digest, writing);
    await writing;
  });
}

/**
 * Writes the list under all its tags at once. It comes after all children, so a tag never names a list whose children are missing.
 * @throws {ManifestToolError} that says which tags have moved and which have not.
 */
export async function publishRoot(
  plan: PushPlan,
  target: ImageWriter,
  events: PlanEvents,
): Promise<void> {
  for (const tag of plan.unchanged) events.unchanged?.(`${target.name}:${tag}`, plan.list);
  if (plan.tags.length === 0 && plan.unchanged.length > 0) return;
  events.progress?.(`publishing ${plan.list.digest}`);
  const moved: string[] = [];
  try {
    await target.publish(plan.list, plan.tags, (tag) => {
      moved.push(tag);
      events.tagged?.(`${target.name}:${tag}`, plan.list, plan.before.get(tag));
    });
  } catch (error) {
    throw withTagOutcome(error, plan.tags, moved);
  }
}
