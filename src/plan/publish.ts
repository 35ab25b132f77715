import { ManifestToolError } from '../errors.js';
import type { FetchedManifest, ImageReader, ImageStore, ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { BlobMover } from './blobs.js';
import type { PlanEvents } from './events.js';
import { publishList, writeChildren } from './execute.js';
import { checkGuard, isGuarded } from './guard.js';
import { withNothingPublished } from './outcome.js';
import type { Publication } from './publication.js';
import type { ResolvedImage } from './resolved.js';
import { blobsOf, planPush, tagsOf, type PushPlan, type TagState } from './steps.js';
import { patienceOf, patiently } from './waiting.js';
import type { Stores } from './stores.js';

/** What is published: the manifest that tags will name, and all that it names, each after what it names itself. */
export interface Content {
  readonly list: ManifestContent;
  readonly images: readonly ResolvedImage[];
}

/** Told of each manifest as soon as it is known, so that work on its blobs need not wait for the rest. */
export type OnManifest = (manifest: FetchedManifest, source: ImageReader) => void;

/**
 * Publishes what `read` finds: the same way for all commands. Blobs start on their way as soon as `read` tells of their image; they are
 * invisible until something names them, so a publish that fails later has published nothing. A dry run does all but write.
 * @throws {ManifestToolError} with the tags of the target unmoved, unless it is about a tag itself; REFUSED where a tag is not allowed to
 * move.
 */
export async function publishContent(
  stores: Stores,
  publication: Publication,
  events: PlanEvents,
  read: (onManifest: OnManifest) => Promise<Content>,
): Promise<PushPlan> {
  const isDry = publication.dryRun === true;
  // The target is opened first: its scope comes first in a token request, which some token servers need.
  const target = await stores.open(publication.target, isDry ? 'pull' : 'push');
  const plan = await prepare(target, publication, events, read);
  if (isDry) return plan;
  if (isGuarded(publication)) {
    // Once more, right before the tags move: a registry has no other way to keep two writers apart.
    const now = await readTags(target, tagsOf(publication), true);
    checkGuard(publication, plan.list.digest, now);
  }
  await patiently(patienceOf(publication, events), () => publishComplete(plan, target, events));
  return plan;
}

/** All of a publish but its last step, the tags. */
async function prepare(
  target: ImageStore,
  publication: Publication,
  events: PlanEvents,
  read: (onManifest: OnManifest) => Promise<Content>,
): Promise<PushPlan> {
  const blobs = new BlobMover(target);
  const isDry = publication.dryRun === true;
  try {
    const [before, { list, images }] = await Promise.all([
      readTags(target, tagsOf(publication), isGuarded(publication)),
      read((manifest, source) => {
        // With --strict nothing is written before all warnings are known.
        if (isDry || publication.strict === true || source === target) return;
        for (const blob of blobsOf(manifest)) blobs.start(blob, source);
      }),
    ]);
    checkGuard(publication, list.digest, before);
    const plan = planPush(images, list, { holds: (source) => source === target, tags: before });
    if (!isDry) await writeChildren(plan, target, blobs, events);
    return plan;
  } catch (error) {
    throw withNothingPublished(error);
  } finally {
    await blobs.settled();
  }
}

/**
 * What the tags name now: asked for while the sources are read, so it costs no round trip. Where nothing depends on it, a tag whose
 * digest cannot be found out counts as one that has to move.
 */
async function readTags(
  target: ImageStore,
  tags: readonly string[],
  isNeeded: boolean,
): Promise<TagState> {
  const read = async (tag: string): Promise<Digest | undefined> => {
    try {
      return await target.tagDigest(tag);
    } catch (error) {
      if (isNeeded) throw error;
      return undefined;
    }
  };
  return new Map(await Promise.all(tags.map(async (tag) => [tag, await read(tag)] as const)));
}

/**
 * Publishes the list; where the registry then misses what the list names, although it said that it holds it, every child is written once
 * more (seen at Artifactory, Azure's replicas and Gitea).
 */
async function publishComplete(
  plan: PushPlan,
  target: ImageStore,
  events: PlanEvents,
): Promise<void> {
  try {
    await publishList(plan, target, events);
  } catch (error) {
    if (!(error instanceof ManifestToolError) || error.code !== 'INCOMPLETE') throw error;
    events.warning?.(`${error.message}; its images are written once more`);
    const manifests = new Map(plan.images.map(({ manifest }) => [manifest.digest, manifest]));
    await Promise.all([...manifests.values()].map((manifest) => target.putChild(manifest)));
    await publishList(plan, target, events);
  }
}
