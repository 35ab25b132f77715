import { Semaphore } from '../concurrency.js';
import { interrupted } from '../errors.js';

/**
 * How many blobs are uploaded at a time: several large ones only slow each other down, small ones
 * all wait for round trips.
 */
const LIMITS = { large: 4, small: 16 } as const;
/** Size from which a blob counts as large, in bytes. */
const LARGE_BLOB = 1024 * 1024;

/**
 * Limits how many blobs a client uploads at a time, over all registries: each needs connections to
 * read and to write.
 */
export class UploadLimiter {
  private readonly large = new Semaphore(() => LIMITS.large);
  private readonly small = new Semaphore(() => LIMITS.small);

  constructor(private readonly signal: AbortSignal) {}

  /**
   * Runs an upload of `size` bytes as soon as the limit allows it; `what` names it in errors.
   * @throws {ManifestToolError} INTERRUPTED if the signal is aborted before.
   */
  async run<T>(what: string, size: number, upload: () => Promise<T>): Promise<T> {
    const semaphore = size > LARGE_BLOB ? this.large : this.small;
    await semaphore.acquire();
    try {
      if (this.signal.aborted) {
        const cause: unknown = this.signal.reason;
        throw interrupted(what, cause);
      }
      return await upload();
    } finally {
      semaphore.release();
    }
  }
}
