import { ManifestToolError } from '../../errors.js';
import type { FetchedManifest, ImageReader, ImageStore } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { formatReference } from '../../oci/reference.js';
import type { PlanEvents } from '../events.js';
import { publishRoot, writeChildren } from './execute.js';
import { checkGuard, isGuarded } from './guard.js';
import { withNothingPublished } from './outcome.js';
import { tagsOf, type Publication, type Target } from './publication.js';
import type { Content } from './content.js';
import { blobsOf, planPush, type PushPlan, type TagState } from './plan.js';
import type { WaitPolicy } from '../wait.js';
import { WriteSession } from './shared-writes.js';

/** Publishes to one target. */
export class TargetWriter {
  private readonly writes: WriteSession;

  constructor(
    private readonly store: ImageStore,
    private readonly target: Target,
    private readonly publication: Publication,
    private readonly wait: WaitPolicy,
    private readonly events: PlanEvents,
  ) {
    this.writes = new WriteSession(store, wait, events);
  }

  /** Starts bringing the blobs of an image, unless something may still be found that forbids to write. */
  startBlobs(manifest: FetchedManifest, source: ImageReader): void {
    const { dryRun, strict } = this.publication;
    const isLate = dryRun === true || strict === true || this.target.target.digest !== undefined;
    if (isLate || source === this.store) return;
    for (const blob of blobsOf(manifest)) this.writes.startBlob(blob, source);
  }

  /**
   * Writes children, then the list under its tags.
   * @throws {ManifestToolError} with the tags unmoved, unless it is about a tag itself; REFUSED where a tag is not allowed to move.
   */
  async publish(content: Promise<Content>): Promise<PushPlan> {
    try {
      const plan = await this.prepare(content);
      if (this.publication.dryRun === true) return plan;
      if (isGuarded(this.publication)) {
        // Once more, right before the tags move: a registry has no other way to keep two writers apart.
        checkGuard(this.publication, this.target, plan.list.digest, await this.readTags());
      }
      await this.wait.until(() => this.publishComplete(plan));
      return plan;
    } finally {
      await this.writes.end();
    }
  }

  /** All of a publish but its last step, the tags. */
  private async prepare(content: Promise<Content>): Promise<PushPlan> {
    try {
      const [before, { list, images }] = await Promise.all([this.readTags(), content]);
      checkDigest(this.target, { list, images });
      checkGuard(this.publication, this.target, list.digest, before);
      const holds = (source: ImageReader): boolean => source === this.store;
      const plan = planPush(images, list, { holds, tags: before });
      if (this.publication.dryRun !== true)
        await writeChildren(plan, this.writes, this.store.name, this.events);
      return plan;
    } catch (error) {
      throw withNothingPublished(error);
    }
  }

  /**
   * What the tags name now: asked for while the sources are read, so it costs no round trip. Where nothing depends on it, a tag whose
   * digest cannot be found out counts as one that has to move.
   */
  private async readTags(): Promise<TagState> {
    const isNeeded = isGuarded(this.publication);
    const read = async (tag: string): Promise<Digest | undefined> => {
      try {
        return await this.store.tagDigest(tag);
      } catch (error) {
        if (isNeeded) throw error;
        return undefined;
      }
    };
    const tags = tagsOf(this.target);
    return new Map(await Promise.all(tags.map(async (tag) => [tag, await read(tag)] as const)));
  }

  /**
   * Publishes the list; where the registry then misses what the list names, although it said that it holds it, every child is written once
   * more (seen at Artifactory, Azure's replicas and Gitea).
   */
  private async publishComplete(plan: PushPlan): Promise<void> {
    try {
      await publishRoot(plan, this.store, this.events);
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code !== 'INCOMPLETE') throw error;
      this.events.warning?.(`${error.message}; its images are written once more`);
      const manifests = new Map(plan.images.map(({ manifest }) => [manifest.digest, manifest]));
      await Promise.all(
        [...manifests.values()].map((manifest) => this.writes.rewriteManifest(manifest)),
      );
      await publishRoot(plan, this.store, this.events);
    }
  }
}

/** @throws {ManifestToolError} USAGE where the target names a digest, and not that of what is published. */
function checkDigest({ target }: Target, { list, images }: Content): void {
  const { digest } = target;
  if (digest === undefined || digest === list.digest) return;
  const isSource = images.some(({ manifest }) => manifest.digest === digest);
  const other = isSource
    ? 'and the digest of the target is that of an image which goes into the list'
    : 'not the one that the target names';
  throw new ManifestToolError(
    'USAGE',
    `publishing ${formatReference(target)}`,
    `what is published has the digest ${list.digest}, ${other}`,
    { hint: 'name the target by a tag' },
  );
}
