import { now } from '../clock.js';
import { pause, Semaphore } from '../concurrency.js';

/** Each wait of a request is longer by up to this part, so that those that waited together do not come back together. Never shorter. */
const JITTER = 0.2;

/**
 * Lets requests to one host through: so many at a time, and none before a wait has passed that all of them share. What has not been let
 * through is not on its way either, so a host that asks for less is asked for less at once.
 */
export class HostLimiter {
  /** Nothing is sent before this moment of the monotonic clock, in milliseconds. */
  private until = 0;
  private readonly room: Semaphore;

  /** `limit` is how many at a time. */
  constructor(limit: () => number) {
    this.room = new Semaphore(limit);
  }

  /** Asks all to wait from now on; a longer wait that is already running stays. */
  pauseFor(milliseconds: number): void {
    this.until = Math.max(this.until, now() + milliseconds);
  }

  /**
   * Runs `work` when there is room for it and nothing is to be waited for.
   * @throws the reason of `signal` when that is aborted before.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.room.acquire();
    try {
      await this.waited(signal);
      return await work();
    } finally {
      this.room.release();
    }
  }

  private async waited(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const left = this.until - now();
      if (left <= 0) return;
      await pause(left * (1 + Math.random() * JITTER), signal);
    }
  }
}
