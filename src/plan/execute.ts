import type { ImageWriter } from '../oci/content.js';
import type { BlobMover } from './blobs.js';
import type { PlanEvents } from './events.js';
import type { PushPlan } from './steps.js';

/**
 * Writes a plan. Each child follows its own blobs and no others; the list is written after all children, under all tags at once, so a tag
 * never names a list whose children are missing.
 * @throws {ManifestToolError} what the target throws; no tag has moved where it is about a child.
 */
export async function executePush(
  plan: PushPlan,
  target: ImageWriter,
  blobs: BlobMover,
  events: PlanEvents,
): Promise<void> {
  if (plan.children.length > 0)
    events.progress?.(`writing ${plan.children.length} images to ${target.name}`);
  await Promise.all(
    plan.children.map(async (child) => {
      await Promise.all(child.blobs.map((blob) => blobs.arrived(blob, child.source)));
      await target.putChild(child.manifest);
    }),
  );
  events.progress?.(`publishing ${plan.list.digest}`);
  await target.publish(plan.list, plan.tags, (tag) =>
    events.tagged?.(`${target.name}:${tag}`, plan.list),
  );
}
