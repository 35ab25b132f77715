import { now } from '../clock.js';
import { pause } from '../concurrency.js';
import { interruptedBy, ManifestToolError, type ErrorCode } from '../errors.js';
import type { PlanEvents } from './events.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/** What is not there yet may come; all other errors stay what they are. */
const MAY_COME: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'INCOMPLETE']);

/** Waits for what may take a moment to appear (a registry of several parts, a build that has just ended): so long for all of a command. */
export class WaitPolicy {
  private readonly end: number;

  constructor(
    /** In milliseconds from now; nothing is waited for where it is not given. */
    waitMs: number | undefined,
    private readonly signal: AbortSignal,
    private readonly events: PlanEvents,
  ) {
    this.end = now() + (waitMs ?? 0);
  }

  /**
   * Does something again until what it needs has appeared.
   * @throws {ManifestToolError} what `work` throws: at once where it is not about something that is missing; INTERRUPTED.
   */
  async until<T>(work: () => Promise<T>): Promise<T> {
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        const mayCome = error instanceof ManifestToolError && MAY_COME.has(error.code);
        const left = this.end - now();
        if (!mayCome || left <= 0) throw error;
        this.events.waiting?.(error.message);
        await pause(Math.min(wait, left), this.signal).catch(interruptedBy(error.what));
      }
    }
  }
}
