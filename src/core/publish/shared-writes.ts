import { ManifestToolError } from '../../errors.js';
import type { BlobOutcome, FetchedManifest, ImageReader, ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { BlobProgress, ProgressEvents } from '../events.js';
import type { WaitPolicy } from '../wait.js';

/**
 * Shared writes by target, while something is being published there. A client opens each target
 * once, so its calls share the same object.
 */
const inProgress = new WeakMap<ImageWriter, SharedWrites>();

/**
 * Writes of blobs and manifests to one target, shared by everything that a client publishes there
 * at the same time: each blob and each manifest is sent once, whichever call, spec document or
 * target needs it first, and the others wait for it. Distribution 2.8 refuses a manifest while a
 * blob or a manifest that it names is being written a second time.
 *
 * Completed writes are remembered until the last of these calls ends, and no longer: the registry
 * may delete their content later.
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
   * @returns the outcome; `present` if another call copies it
   * @throws {ManifestToolError} what the copy throws. If that was a copy from another source, and
   * the blob is still needed, `source` is tried first.
   */
  async copyBlob(
    blob: Descriptor,
    source: ImageReader,
    listener: ProgressEvents,
    isNeeded: () => boolean,
  ): Promise<BlobOutcome> {
    for (;;) {
      const running = this.copies.get(blob.digest);
      const copy = running ?? new BlobCopy(blob, source, this.target);
      this.copies.set(blob.digest, copy);
      copy.addListener(listener);
      try {
        const outcome = await copy.done();
        return running === undefined ? outcome : 'present';
      } catch (error) {
        if (this.copies.get(blob.digest) === copy) this.copies.delete(blob.digest);
        if (!isNeeded() || !mayHelp(error, copy.source, source)) throw error;
      }
    }
  }

  /** Writes a manifest, or waits for the write that is running. */
  async writeManifest(
    manifest: FetchedManifest,
    how: WriteOptions,
    listener: ProgressEvents,
  ): Promise<void> {
    const key = keyOf(manifest, how);
    const write = this.manifests.get(key) ?? new ManifestWrite(manifest, how, this.target);
    this.manifests.set(key, write);
    try {
      await write.done;
    } catch (error) {
      this.forget(key, write);
      throw error;
    }
    write.notify(listener);
  }

  /**
   * Repeats a write that has completed, or waits for the write that is running.
   */
  async rewriteManifest(manifest: FetchedManifest): Promise<void> {
    const key = keyOf(manifest, {});
    const known = this.manifests.get(key);
    if (known?.isDone === true) this.forget(key, known);
    await this.writeManifest(manifest, {}, {});
  }

  private forget(key: string, write: ManifestWrite): void {
    if (this.manifests.get(key) === write) this.manifests.delete(key);
  }
}

/** How a manifest is written: without options by its digest. */
export interface WriteOptions {
  /** The manifest that it refers to. */
  readonly subject?: Digest | undefined;
  /** A tag of its own. */
  readonly tag?: string | undefined;
}

function keyOf({ digest }: FetchedManifest, { subject, tag }: WriteOptions): string {
  return [digest, subject, tag].join(' ');
}

/** One copy of a blob into a target, and the listeners to its progress. */
class BlobCopy {
  private readonly listeners = new Set<ProgressEvents>();
  private outcome: Promise<BlobOutcome> | undefined;
  private state: BlobProgress['state'] = 'started';

  constructor(
    private readonly blob: Descriptor,
    readonly source: ImageReader,
    private readonly target: ImageWriter,
  ) {}

  /** Starts the copy when first called; resolves when the blob is in the target. */
  done(): Promise<BlobOutcome> {
    this.outcome ??= this.run();
    return this.outcome;
  }

  /** Notifies a listener from now on. One that several calls share is notified once. */
  addListener(listener: ProgressEvents): void {
    if (this.listeners.has(listener)) return;
    this.listeners.add(listener);
    this.notify(listener, 'started', 0);
    if (HAS_ARRIVED.has(this.state)) this.notify(listener, 'present', 0);
  }

  private async run(): Promise<BlobOutcome> {
    try {
      const onBytes = (bytes: number): void => this.notifyAll('copying', bytes);
      const outcome = await this.target.ensureBlob(this.blob, this.source, onBytes);
      this.notifyAll(outcome, outcome === 'copied' ? this.blob.size : 0);
      return outcome;
    } catch (error) {
      this.notifyAll('failed', 0);
      throw error;
    }
  }

  private notifyAll(state: BlobProgress['state'], bytes: number): void {
    this.state = state;
    for (const listener of this.listeners) this.notify(listener, state, bytes);
  }

  private notify(listener: ProgressEvents, state: BlobProgress['state'], bytes: number): void {
    const { digest, size } = this.blob;
    listener.blob?.({ target: this.target.name, digest, size, bytes, state });
  }
}

const HAS_ARRIVED: ReadonlySet<BlobProgress['state']> = new Set(['present', 'mounted', 'copied']);

/** One write of a manifest into a target, and the listeners that were notified of it. */
class ManifestWrite {
  readonly done: Promise<void>;
  isDone = false;
  private readonly notified = new Set<ProgressEvents>();

  constructor(
    private readonly manifest: FetchedManifest,
    private readonly how: WriteOptions,
    private readonly target: ImageWriter,
  ) {
    this.done = this.run();
  }

  notify(listener: ProgressEvents): void {
    if (this.notified.has(listener)) return;
    this.notified.add(listener);
    listener.written?.(this.target.name, this.manifest);
  }

  private async run(): Promise<void> {
    const { manifest, target } = this;
    const { subject, tag } = this.how;
    if (subject === undefined) await target.putChild(manifest, tag);
    else await target.putReferrer(manifest, subject);
    if (subject !== undefined && tag !== undefined) await target.putChild(manifest, tag);
    this.isDone = true;
  }
}

/** Whether a copy that failed from one source may succeed from another. */
function mayHelp(error: unknown, failed: ImageReader, other: ImageReader): boolean {
  if (failed === other || !(error instanceof ManifestToolError)) return false;
  // A registry that is down is down for all its repositories. If the target is, its attempts are
  // used up.
  if (error.code === 'UNAVAILABLE')
    return isAbout(error, failed) && registryOf(failed) !== registryOf(other);
  return error.code !== 'INTERRUPTED';
}

/** Whether an error, or one of its causes, is about reading from a source. */
function isAbout(error: unknown, { name }: Pick<ImageReader, 'name'>): boolean {
  if (!(error instanceof ManifestToolError)) return false;
  return error.what.startsWith(`reading ${name}@`) || isAbout(error.cause, { name });
}

function registryOf({ name }: ImageReader): string {
  return name.slice(0, name.indexOf('/'));
}

/** Bytes of the blobs that one publish or edit wrote to one target; each blob counts once. */
export interface Transferred {
  /** Uploaded. */
  readonly bytesCopied: number;
  /** Taken by the registry from another of its repositories. */
  readonly bytesMounted: number;
}

/**
 * The writes of one publish or edit to one target. A blob is requested once, so `copyBlob` returns
 * the outcome of the copy that `startBlob` has started.
 */
export class WriteSession {
  private readonly shared: SharedWrites;
  private readonly blobs = new Map<Digest, Promise<void>>();
  private readonly bytes = { copied: 0, mounted: 0, present: 0 };
  private hasEnded = false;

  constructor(
    target: ImageWriter,
    private readonly wait: WaitPolicy,
    private readonly events: ProgressEvents,
  ) {
    this.shared = inProgress.get(target) ?? new SharedWrites(target);
    inProgress.set(target, this.shared);
    this.shared.enter();
  }

  /**
   * Starts to copy a blob; {@link WriteSession.copyBlob} reports a failure.
   */
  startBlob(blob: Descriptor, source: ImageReader): void {
    this.copyBlob(blob, source).catch(() => undefined);
  }

  /** Resolves when the blob is in the target. */
  copyBlob(blob: Descriptor, source: ImageReader): Promise<void> {
    const known = this.blobs.get(blob.digest);
    if (known !== undefined) return known;
    const copied = this.countedCopy(blob, source);
    this.blobs.set(blob.digest, copied);
    return copied;
  }

  private async countedCopy(blob: Descriptor, source: ImageReader): Promise<void> {
    const outcome = await this.wait.until(() =>
      this.shared.copyBlob(blob, source, this.events, () => !this.hasEnded),
    );
    this.bytes[outcome] += blob.size;
  }

  /** What was written so far. */
  get transferred(): Transferred {
    return { bytesCopied: this.bytes.copied, bytesMounted: this.bytes.mounted };
  }

  /** Writes a manifest. Its blobs have to be in the target. */
  writeManifest(manifest: FetchedManifest, how: WriteOptions = {}): Promise<void> {
    return this.shared.writeManifest(manifest, how, this.events);
  }

  /** Writes a manifest again that the target has lost. */
  rewriteManifest(manifest: FetchedManifest): Promise<void> {
    return this.shared.rewriteManifest(manifest);
  }

  /** Resolves when no blob is being copied for this session. Call it once, on every path. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.blobs.values());
    this.shared.leave();
  }
}
