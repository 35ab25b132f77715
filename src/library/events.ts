import type { BlobProgress, ProgressEvents } from '../core/events.js';
import type { ErrorRecord } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { callback, object, type Reader } from './arguments.js';
import { contentDescriptor, type ContentDescriptor } from './data.js';

/** A manifest that was read or written. */
export interface ManifestEvent extends ContentDescriptor {
  /** The repository, layout or archive with the digest. */
  readonly reference: string;
}

/** A tag that points to a manifest now. */
export interface TagEvent extends ContentDescriptor {
  /** The repository, layout or archive with the tag. */
  readonly reference: string;
  /** What the tag pointed to before; absent if it did not exist, or was not read. */
  readonly from?: Digest;
}

/**
 * How much of a call is done. The totals grow while manifests are read, and are final once all of
 * them have been.
 */
export interface Progress {
  /** Blobs that are in their targets. */
  readonly blobs: number;
  /** Blobs that the targets need. */
  readonly totalBlobs: number;
  /** Bytes of those blobs that need no transfer, or have been transferred. */
  readonly bytes: number;
  /** Bytes of all these blobs. */
  readonly totalBytes: number;
}

/**
 * Callbacks for what happens during a call, each with plain data; all may be left out. What a
 * callback throws does not reach the call: it becomes an uncaught exception of the process.
 */
export interface CallEvents {
  /** A warning; the call continues. Remote text may be part of it. */
  readonly warning?: (text: string) => void;
  /** Something legal that a person may want to know; `strict` does not refuse it. */
  readonly note?: (text: string) => void;
  /** A short description of the current step. */
  readonly step?: (text: string) => void;
  /** Something does not exist yet, and the call waits for it. */
  readonly waiting?: (reason: string) => void;
  /** Something that the call has waited for exists now. */
  readonly waited?: (wait: {
    /** The action that succeeded. */
    readonly what: string;
    /** How long the call has waited. */
    readonly milliseconds: number;
  }) => void;
  /** A manifest was read. */
  readonly read?: (manifest: ManifestEvent) => void;
  /** A blob was started, transferred in part, or finished. */
  readonly blob?: (progress: BlobProgress) => void;
  /** More of the call is done, or more is known of what it has to do. */
  readonly progress?: (progress: Progress) => void;
  /** A manifest was written by its digest, before the tags move. */
  readonly written?: (manifest: ManifestEvent) => void;
  /** A tag was written. */
  readonly tagged?: (tag: TagEvent) => void;
  /** A tag pointed to the manifest already, and was not written. */
  readonly unchanged?: (tag: TagEvent) => void;
  /** One of several targets failed; the others continue. */
  readonly targetFailed?: (failure: {
    /** The reference of the target. */
    readonly target: string;
    /** Why. */
    readonly error: ErrorRecord;
  }) => void;
}

const members = object({
  warning: callback,
  note: callback,
  step: callback,
  waiting: callback,
  waited: callback,
  read: callback,
  blob: callback,
  progress: callback,
  written: callback,
  tagged: callback,
  unchanged: callback,
  targetFailed: callback,
} satisfies Record<keyof CallEvents, unknown>);

/** Checks the events of a call. */
export const callEvents: Reader<CallEvents> = (value, name) => members(value, name) as CallEvents;

/** The events of the core for those of a call. */
export function coreEvents(events: CallEvents): ProgressEvents {
  const { warning, note, step, waiting, waited, read, written, tagged, unchanged, targetFailed } =
    events;
  const sums = events.progress && new ProgressSums(guarded(events.progress));
  const ownBlob = events.blob && guarded(events.blob);
  const blob =
    sums === undefined
      ? ownBlob
      : (event: BlobProgress): void => {
          ownBlob?.(event);
          sums.add(event);
        };
  const tag =
    (report: (event: TagEvent) => void): NonNullable<ProgressEvents['tagged']> =>
    (reference, manifest, from) =>
      report({ reference, ...contentDescriptor(manifest), ...(from !== undefined && { from }) });
  return {
    ...(warning && { warning: guarded(warning) }),
    ...(note && { note: guarded(note) }),
    ...(step && { progress: guarded(step) }),
    ...(waiting && { waiting: guarded(waiting) }),
    ...(read && {
      read: guarded((reference, manifest) => read({ reference, ...contentDescriptor(manifest) })),
    }),
    ...(blob && { blob }),
    ...(sums && { planned: (target, blobs) => sums.plan(target, blobs) }),
    ...(waited && {
      waited: guarded((what, milliseconds) => waited({ what, milliseconds })),
    }),
    ...(written && {
      written: guarded((target, manifest) =>
        written({ reference: `${target}@${manifest.digest}`, ...contentDescriptor(manifest) }),
      ),
    }),
    ...(tagged && { tagged: guarded(tag(tagged)) }),
    ...(unchanged && {
      unchanged: guarded((reference, manifest) =>
        tag(unchanged)(reference, manifest, manifest.digest),
      ),
    }),
    ...(targetFailed && {
      targetFailed: guarded((target, error) => targetFailed({ target, error: error.toJSON() })),
    }),
  };
}

/** A callback whose exceptions do not end the call that reports to it in the middle of a write. */
export function guarded<A extends readonly unknown[]>(
  report: (...args: A) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      report(...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/** Adds up the progress of the blobs of a call. */
class ProgressSums {
  private readonly blobs = new Map<string, { size: number; bytes: number; isDone: boolean }>();
  private readonly sums = { blobs: 0, totalBlobs: 0, bytes: 0, totalBytes: 0 };

  constructor(private readonly report: (progress: Progress) => void) {}

  /** Counts blobs that a target needs. */
  plan(target: string, blobs: readonly Pick<BlobProgress, 'digest' | 'size'>[]): void {
    for (const blob of blobs) this.blobOf({ target, ...blob });
    this.report({ ...this.sums });
  }

  /** Counts what has happened to a blob. */
  add(progress: BlobProgress): void {
    const { size, bytes, state } = progress;
    const blob = this.blobOf(progress);
    const isDone = DONE.has(state);
    const now = isDone ? size : Math.min(bytes, size);
    this.sums.bytes += now - blob.bytes;
    this.sums.blobs += Number(isDone) - Number(blob.isDone);
    blob.bytes = now;
    blob.isDone = isDone;
    this.report({ ...this.sums });
  }

  private blobOf({ target, digest, size }: Pick<BlobProgress, 'target' | 'digest' | 'size'>) {
    const key = `${target} ${digest}`;
    const known = this.blobs.get(key);
    if (known !== undefined) return known;
    const blob = { size, bytes: 0, isDone: false };
    this.blobs.set(key, blob);
    this.sums.totalBlobs += 1;
    this.sums.totalBytes += size;
    return blob;
  }
}

const DONE: ReadonlySet<BlobProgress['state']> = new Set(['present', 'mounted', 'copied', 'read']);
