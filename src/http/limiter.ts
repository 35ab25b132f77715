import { now } from '../clock.js';
import { pause, Semaphore } from '../concurrency.js';

/**
 * Largest random part by which a request extends a shared wait, so that requests that waited
 * together do not all return at once.
 */
const JITTER = 0.2;

/**
 * Limits the requests to one host: how many run at a time, and that none is sent during a wait. All
 * requests share a wait, those in the queue too, so that a host that asks for fewer requests gets
 * none until it is over.
 */
export class HostLimiter {
  /** End of the wait, in milliseconds of the monotonic clock. */
  private waitEnd = 0;
  private readonly semaphore: Semaphore;

  /** @param limit how many requests may run at a time; asked each time. */
  constructor(limit: () => number) {
    this.semaphore = new Semaphore(limit);
  }

  /** Begins a wait; a wait that ends later stays. */
  pauseFor(milliseconds: number): void {
    this.waitEnd = Math.max(this.waitEnd, now() + milliseconds);
  }

  /**
   * Runs `work` as soon as the limit and the wait allow it.
   * @throws the reason of `signal` if it is aborted before.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.semaphore.acquire(signal);
    try {
      await this.wait(signal);
      return await work();
    } finally {
      this.semaphore.release();
    }
  }

  private async wait(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const left = this.waitEnd - now();
      if (left <= 0) return;
      await pause(left * (1 + Math.random() * JITTER), signal);
    }
  }
}
