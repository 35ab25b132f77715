import { ManifestToolError } from '../../errors.js';
import type { BlobOutcome, FetchedManifest, ImageReader, ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { BlobProgress, PlanEvents } from '../events.js';
import type { WaitPolicy } from '../wait.js';

/** The writes of each target that something is being published to. A client gives one object for each target. */
const inProgress = new WeakMap<ImageWriter, SharedWrites>();

/**
 * Writes of blobs and manifests to one target, shared by all that a client publishes there at the same time: whichever call, spec
 * document or `--tag` asks first, each blob and each manifest is sent once and the others wait for it. Distribution 2.8 refuses a
 * manifest while a blob or a manifest that it names is being written a second time.
 *
 * Completed writes are remembered until the last of these calls ends, not longer: they could be deleted from the registry later.
 */
class SharedWrites {
  private readonly copies = new Map<Digest, BlobCopy>();
  private readonly manifests = new Map<string, ManifestWrite>();
  private sessions = 0;

  constructor(readonly target: ImageWriter) {}

  enter(): void {
    this.sessions += 1;
  }

  leave(): void {
    this.sessions -= 1;
    if (this.sessions === 0) inProgress.delete(this.target);
  }

  /**
   * Copies a blob into the target, or waits for the copy that is running.
   * @throws {ManifestToolError} what the copy throws. After a copy from another source, `source` is tried while `isNeeded`.
   */
  async copyBlob(
    blob: Descriptor,
    source: ImageReader,
    listener: PlanEvents,
    isNeeded: () => boolean,
  ): Promise<void> {
    for (;;) {
      const running = this.copies.get(blob.digest);
      const copy = running ?? new BlobCopy(blob, source, this.target);
      this.copies.set(blob.digest, copy);
      copy.addListener(listener);
      try {
        await copy.done();
        return;
      } catch (error) {
        if (this.copies.get(blob.digest) === copy) this.copies.delete(blob.digest);
        if (!isNeeded() || !mayHelp(error, copy.source, source)) throw error;
      }
    }
  }

  /** Writes a manifest by its digest, or waits for the write that is running; `subject` is the manifest that it refers to. */
  async writeManifest(
    manifest: FetchedManifest,
    subject: Digest | undefined,
    listener: PlanEvents,
  ): Promise<void> {
    const key = `${manifest.digest} ${subject ?? ''}`;
    const write = this.manifests.get(key) ?? new ManifestWrite(manifest, subject, this.target);
    this.manifests.set(key, write);
    try {
      await write.done;
    } catch (error) {
      this.forget(key, write);
      throw error;
    }
    write.tell(listener);
  }

  /** Writes a manifest that was written before once more, or waits for the write that is running. */
  async rewriteManifest(manifest: FetchedManifest): Promise<void> {
    const key = `${manifest.digest} `;
    const known = this.manifests.get(key);
    if (known?.isDone === true) this.forget(key, known);
    await this.writeManifest(manifest, undefined, {});
  }

  private forget(key: string, write: ManifestWrite): void {
    if (this.manifests.get(key) === write) this.manifests.delete(key);
  }
}

/** One copy of a blob into a target, and the listeners that are told of its progress. */
class BlobCopy {
  private readonly listeners = new Set<PlanEvents>();
  private outcome: Promise<BlobOutcome> | undefined;
  private state: BlobProgress['state'] = 'started';

  constructor(
    private readonly blob: Descriptor,
    readonly source: ImageReader,
    private readonly target: ImageWriter,
  ) {}

  /** Begins to copy when first called; resolves when the blob is in the target. */
  done(): Promise<BlobOutcome> {
    this.outcome ??= this.run();
    return this.outcome;
  }

  /** Tells a listener of all that follows. One that several calls share is told once. */
  addListener(listener: PlanEvents): void {
    if (this.listeners.has(listener)) return;
    this.listeners.add(listener);
    this.tell(listener, 'started', 0);
    if (HAS_ARRIVED.has(this.state)) this.tell(listener, 'present', 0);
  }

  private async run(): Promise<BlobOutcome> {
    try {
      const onBytes = (bytes: number): void => this.tellAll('copying', bytes);
      const outcome = await this.target.ensureBlob(this.blob, this.source, onBytes);
      this.tellAll(outcome, outcome === 'copied' ? this.blob.size : 0);
      return outcome;
    } catch (error) {
      this.tellAll('failed', 0);
      throw error;
    }
  }

  private tellAll(state: BlobProgress['state'], bytes: number): void {
    this.state = state;
    for (const listener of this.listeners) this.tell(listener, state, bytes);
  }

  private tell(listener: PlanEvents, state: BlobProgress['state'], bytes: number): void {
    const { digest, size } = this.blob;
    listener.blob?.({ target: this.target.name, digest, size, bytes, state });
  }
}

const HAS_ARRIVED: ReadonlySet<BlobProgress['state']> = new Set(['present', 'mounted', 'copied']);

/** One write of a manifest into a target, and the listeners that were told of it. */
class ManifestWrite {
  readonly done: Promise<void>;
  isDone = false;
  private readonly told = new Set<PlanEvents>();

  constructor(
    private readonly manifest: FetchedManifest,
    private readonly subject: Digest | undefined,
    private readonly target: ImageWriter,
  ) {
    this.done = this.run();
  }

  tell(listener: PlanEvents): void {
    if (this.told.has(listener)) return;
    this.told.add(listener);
    listener.written?.(this.target.name, this.manifest);
  }

  private async run(): Promise<void> {
    const { manifest, subject, target } = this;
    if (subject === undefined) await target.putChild(manifest);
    else await target.putReferrer(manifest, subject);
    this.isDone = true;
  }
}

/** Whether a copy that failed from one source may succeed from another. */
function mayHelp(error: unknown, failed: ImageReader, other: ImageReader): boolean {
  if (failed === other || !(error instanceof ManifestToolError)) return false;
  // A registry that is down is down for all of its repositories.
  if (error.code === 'UNAVAILABLE') return registryOf(failed) !== registryOf(other);
  return error.code !== 'INTERRUPTED';
}

function registryOf({ name }: ImageReader): string {
  return name.slice(0, name.indexOf('/'));
}

/**
 * The writes of one publish or edit to one target. Each blob is asked for once: {@link WriteSession.copyBlob} gives the outcome of what
 * {@link WriteSession.startBlob} began.
 */
export class WriteSession {
  private readonly shared: SharedWrites;
  private readonly blobs = new Map<Digest, Promise<void>>();
  private hasEnded = false;

  constructor(
    target: ImageWriter,
    private readonly wait: WaitPolicy,
    private readonly events: PlanEvents,
  ) {
    this.shared = inProgress.get(target) ?? new SharedWrites(target);
    inProgress.set(target, this.shared);
    this.shared.enter();
  }

  /** Begins to copy a blob; whoever needs it learns of a failure from {@link WriteSession.copyBlob}. */
  startBlob(blob: Descriptor, source: ImageReader): void {
    this.copyBlob(blob, source).catch(() => undefined);
  }

  /** Resolves when the blob is in the target. */
  copyBlob(blob: Descriptor, source: ImageReader): Promise<void> {
    const known = this.blobs.get(blob.digest);
    if (known !== undefined) return known;
    const copied = this.wait.until(() =>
      this.shared.copyBlob(blob, source, this.events, () => !this.hasEnded),
    );
    this.blobs.set(blob.digest, copied);
    return copied;
  }

  /** Writes a manifest by its digest; `subject` is the manifest that it refers to. Its blobs have to be in the target. */
  writeManifest(manifest: FetchedManifest, subject?: Digest): Promise<void> {
    return this.shared.writeManifest(manifest, subject, this.events);
  }

  /** Writes a manifest once more that the target has lost. */
  rewriteManifest(manifest: FetchedManifest): Promise<void> {
    return this.shared.rewriteManifest(manifest);
  }

  /** Resolves when no blob is being copied for this session; call it once, whatever the outcome. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.blobs.values());
    this.shared.leave();
  }
}
