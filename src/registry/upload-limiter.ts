import { Semaphore } from '../concurrency.js';
import { interrupted, interruptedBy } from '../errors.js';

/**
 * How many blobs are uploaded at a time: several large ones only slow each other down, small ones
 * all wait for round trips.
 */
const LIMITS = { large: 4, small: 16 } as const;
/** Size from which a blob counts as large, in bytes. */
const LARGE_BLOB = 1024 * 1024;

/** An upload that waits for its turn. */
export interface Upload {
  /** Names it in errors. */
  readonly what: string;
  /** In bytes. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/**
 * Limits how many blobs a client uploads at a time, over all registries: each needs connections to
 * read and to write.
 */
export class UploadLimiter {
  private readonly large = new Semaphore(() => LIMITS.large);
  private readonly small = new Semaphore(() => LIMITS.small);

  /**
   * Runs an upload as soon as the limit allows it.
   * @throws {ManifestToolError} INTERRUPTED if the signal is aborted before.
   */
  async run<T>({ what, size, signal }: Upload, upload: () => Promise<T>): Promise<T> {
    const semaphore = size > LARGE_BLOB ? this.large : this.small;
    await semaphore.acquire(signal).catch(interruptedBy(what));
    try {
      if (signal.aborted) throw interrupted(what, signal.reason as unknown);
      return await upload();
    } finally {
      semaphore.release();
    }
  }
}
