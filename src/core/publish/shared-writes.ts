import { orAborted } from '../../concurrency.js';
import { interrupted, ManifestToolError } from '../../errors.js';
import type { BlobOutcome, FetchedManifest, ImageReader, ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Client } from '../client.js';
import type { BlobProgress, ProgressEvents } from '../events.js';
import type { WaitPolicy } from '../wait.js';

/** Shared writes of each client, by the name of the target, while something is written there. */
const inProgress = new WeakMap<object, Map<string, SharedWrites>>();

/** The writes to a target that the calls of a client share; the caller must `leave`. */
function sharedWrites({ shared }: Pick<Client, 'shared'>, { name }: ImageWriter): SharedWrites {
  const targets = inProgress.get(shared) ?? new Map<string, SharedWrites>();
  inProgress.set(shared, targets);
  const writes = targets.get(name) ?? new SharedWrites(() => targets.delete(name));
  targets.set(name, writes);
  writes.enter();
  return writes;
}

/** How a call writes: its writes end with its signal, and others that need them begin again. */
interface Writer {
  readonly target: ImageWriter;
  readonly events: ProgressEvents;
  readonly signal: AbortSignal;
  /** Whether it has not ended. */
  readonly isActive: () => boolean;
}

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

  constructor(private readonly onEnd: () => void) {}

  enter(): void {
    this.sessions += 1;
  }

  leave(): void {
    this.sessions -= 1;
    if (this.sessions === 0) this.onEnd();
  }

  /**
   * Copies a blob into the target, or waits for the copy that is running.
   * @returns the outcome; `present` if another call copies it
   * @throws {ManifestToolError} what the copy throws. If that was a copy from another source, or of
   * a call that was aborted, and the blob is still needed, `source` is tried first.
   */
  async copyBlob(blob: Descriptor, source: ImageReader, writer: Writer): Promise<BlobOutcome> {
    const what = `copying blob ${blob.digest} to ${writer.target.name}`;
    for (;;) {
      const running = this.copies.get(blob.digest);
      const copy = running ?? new BlobCopy(blob, source, writer);
      this.copies.set(blob.digest, copy);
      copy.addListener(writer.events);
      try {
        const outcome = await done(what, copy.done(), running === undefined, writer);
        return running === undefined ? outcome : 'present';
      } catch (error) {
        if (writer.signal.aborted && copy.signal !== writer.signal) throw error;
        if (this.copies.get(blob.digest) === copy) this.copies.delete(blob.digest);
        const isOthers = isAbortOfOther(error, copy.signal, writer);
        if (!writer.isActive() || !(isOthers || mayHelp(error, copy.source, source))) throw error;
      }
    }
  }

  /** Writes a manifest, or waits for the write that is running. */
  async writeManifest(manifest: FetchedManifest, how: WriteOptions, writer: Writer): Promise<void> {
    const key = keyOf(manifest, how);
    const what = `writing ${writer.target.name}@${manifest.digest}`;
    for (;;) {
      const running = this.manifests.get(key);
      const write = running ?? new ManifestWrite(manifest, how, writer);
      this.manifests.set(key, write);
      try {
        await done(what, write.done, running === undefined, writer);
        return write.notify(writer.events);
      } catch (error) {
        if (writer.signal.aborted && write.signal !== writer.signal) throw error;
        this.forget(key, write);
        if (!isAbortOfOther(error, write.signal, writer)) throw error;
      }
    }
  }

  /**
   * Repeats a write that has completed, or waits for the write that is running.
   */
  async rewriteManifest(manifest: FetchedManifest, writer: Writer): Promise<void> {
    const key = keyOf(manifest, {});
    const known = this.manifests.get(key);
    if (known?.isDone === true) this.forget(key, known);
    await this.writeManifest(manifest, {}, { ...writer, events: {} });
  }

  private forget(key: string, write: ManifestWrite): void {
    if (this.manifests.get(key) === write) this.manifests.delete(key);
  }
}

/** The outcome of a write; one of another call is not waited for after an abort. */
async function done<T>(
  what: string,
  write: Promise<T>,
  isOwn: boolean,
  { signal }: Writer,
): Promise<T> {
  if (isOwn) return write;
  try {
    return await orAborted(write, signal);
  } catch (error) {
    if (error === signal.reason) throw interrupted(what, error);
    throw error;
  }
}

/** Whether a write has failed because the call that began it was aborted, and this one was not. */
function isAbortOfOther(error: unknown, began: AbortSignal, { signal }: Writer): boolean {
  const isInterrupted = error instanceof ManifestToolError && error.code === 'INTERRUPTED';
  return isInterrupted && began !== signal && began.aborted && !signal.aborted;
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
    private readonly writer: Pick<Writer, 'target' | 'signal'>,
  ) {}

  /** That of the call that began it. */
  get signal(): AbortSignal {
    return this.writer.signal;
  }

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
      const outcome = await this.writer.target.ensureBlob(this.blob, this.source, onBytes);
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
    listener.blob?.({ target: this.writer.target.name, digest, size, bytes, state });
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
    private readonly writer: Pick<Writer, 'target' | 'signal'>,
  ) {
    this.done = this.run();
  }

  /** That of the call that began it. */
  get signal(): AbortSignal {
    return this.writer.signal;
  }

  notify(listener: ProgressEvents): void {
    if (this.notified.has(listener)) return;
    this.notified.add(listener);
    listener.written?.(this.writer.target.name, this.manifest);
  }

  private async run(): Promise<void> {
    const {
      manifest,
      writer: { target },
    } = this;
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

  private readonly writer: Writer;

  constructor(
    client: Pick<Client, 'shared' | 'signal'>,
    target: ImageWriter,
    private readonly wait: WaitPolicy,
    events: ProgressEvents,
  ) {
    const { signal } = client;
    this.writer = { target, events, signal, isActive: () => !this.hasEnded };
    this.shared = sharedWrites(client, target);
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
    const outcome = await this.wait.until(() => this.shared.copyBlob(blob, source, this.writer));
    this.bytes[outcome] += blob.size;
  }

  /** What was written so far. */
  get transferred(): Transferred {
    return { bytesCopied: this.bytes.copied, bytesMounted: this.bytes.mounted };
  }

  /** Writes a manifest. Its blobs have to be in the target. */
  writeManifest(manifest: FetchedManifest, how: WriteOptions = {}): Promise<void> {
    return this.shared.writeManifest(manifest, how, this.writer);
  }

  /** Writes a manifest again that the target has lost. */
  rewriteManifest(manifest: FetchedManifest): Promise<void> {
    return this.shared.rewriteManifest(manifest, this.writer);
  }

  /** Resolves when no blob is being copied for this session. Call it once, on every path. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await Promise.allSettled(this.blobs.values());
    this.shared.leave();
  }
}
