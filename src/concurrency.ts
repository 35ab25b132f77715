/** Limits how many operations run at a time; the limit may change at any moment. */
export class Semaphore {
  private active = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  /**
   * Resolves when the operation may start; the caller must `release`.
   * @throws the reason of `signal` if it is aborted before.
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    while (this.active >= this.limit()) await this.turn(signal);
    this.active += 1;
  }

  /** Resolves when something has been released; an operation that is aborted leaves the queue. */
  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.queue.splice(this.queue.indexOf(start), 1);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason that the caller of abort() chose
        reject(signal!.reason);
      };
      this.queue.push(start);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  release(): void {
    this.active -= 1;
    // More than one if the limit has risen.
    const free = this.limit() - this.active;
    for (const start of this.queue.splice(0, Math.max(0, free))) start();
  }
}

/**
 * Default limit of {@link mapConcurrent}. Requests are limited for each host as well; this limit
 * bounds the memory that a thousand images need.
 */
const MAX_CONCURRENT = 64;

/**
 * Maps items with at most `limit` calls of `work` at a time, started in order; results are in the
 * order of the items.
 * @throws what `work` throws first, once all calls that were started have ended; nothing is started
 * after that.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  limit = MAX_CONCURRENT,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) {
      if (failures.length > 0) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}

/**
 * The outcome of `promise`, unless `signal` is aborted before; then the promise is not waited for.
 * @throws the reason of `signal`.
 */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort!);
  }
}

/**
 * {@link mapConcurrent} for reading: of several failures it throws that of the first item, not the
 * first in time, so that the same input gives the same message. It waits for what has been started.
 */
export async function mapInOrder<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const failures = new Map<number, unknown>();
  const results = await mapConcurrent(items, async (item, index) => {
    if (failures.size > 0) return undefined;
    try {
      return await work(item, index);
    } catch (error) {
      failures.set(index, error);
      return undefined;
    }
  });
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  return results as R[];
}

/**
 * Waits `milliseconds`.
 * @throws the reason of `signal` as soon as it is aborted; no timer is left behind.
 */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      end();
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason that the caller of abort() chose
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, Math.ceil(milliseconds));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });
}

/**
 * Lets the event loop handle what has arrived, such as a signal of the user. Not by
 * `node:timers/promises`, which takes a millisecond to load.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
