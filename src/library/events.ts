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
 * How much of a call is done. The totals count what the manifests read so far need, and do not grow
 * any more once the last manifest has been read.
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
  const { warning, note, step, waiting, read, written, tagged, unchanged, targetFailed } = events;
  const progress = events.progress && progressOf(guarded(events.progress));
  const ownBlob = events.blob && guarded(events.blob);
  const blob =
    progress === undefined
      ? ownBlob
      : (event: BlobProgress): void => {
          ownBlob?.(event);
          progress(event);
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

/** Adds the progress of blobs up. */
function progressOf(report: (progress: Progress) => void): (blob: BlobProgress) => void {
  const blobs = new Map<string, { readonly size: number; bytes: number; isDone: boolean }>();
  const sums = { blobs: 0, totalBlobs: 0, bytes: 0, totalBytes: 0 };
  return ({ target, digest, size, bytes, state }) => {
    const key = `${target} ${digest}`;
    let blob = blobs.get(key);
    if (blob === undefined) {
      blob = { size, bytes: 0, isDone: false };
      blobs.set(key, blob);
      sums.totalBlobs += 1;
      sums.totalBytes += size;
    }
    const isDone = state === 'present' || state === 'mounted' || state === 'copied';
    const now = isDone ? size : Math.min(bytes, size);
    sums.bytes += now - blob.bytes;
    sums.blobs += Number(isDone) - Number(blob.isDone);
    blob.bytes = now;
    blob.isDone = isDone;
    report({ ...sums });
  };
}
