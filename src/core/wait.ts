import { now } from '../clock.js';
import { pause } from '../concurrency.js';
import { formatDuration } from '../duration.js';
import { interruptedBy, ManifestToolError, type ErrorCode } from '../errors.js';
import type { ProgressEvents } from './events.js';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5000;

/** Errors about content that may still appear. */
const MAY_APPEAR: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'INCOMPLETE']);

/**
 * Waits for content that is missing: a registry may show it late, or a build may not have pushed it
 * yet. One policy is shared by all that a call does, so its time is that of the call.
 */
export class WaitPolicy {
  private readonly end: number;

  constructor(
    /** How long to wait, in milliseconds from now; undefined for not at all. */
    waitMs: number | undefined,
    private readonly signal: AbortSignal,
    private readonly events: ProgressEvents,
  ) {
    this.end = now() + (waitMs ?? 0);
  }

  /**
   * Repeats `work` until it finds the content that it needs, or the time is over.
   * @throws {ManifestToolError} what `work` throws, at once if nothing is missing; INTERRUPTED.
   */
  async until<T>(work: () => Promise<T>): Promise<T> {
    const start = now();
    let missing: ManifestToolError | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      try {
        const found = await work();
        if (missing !== undefined) this.events.waited?.(missing.what, now() - start);
        return found;
      } catch (error) {
        if (!(error instanceof ManifestToolError) || !MAY_APPEAR.has(error.code)) throw error;
        const leftMs = this.end - now();
        if (leftMs <= 0) throw missing === undefined ? error : afterWait(error, now() - start);
        missing = error;
        this.events.waiting?.(error.message);
        await pause(Math.min(pauseMs, leftMs), this.signal).catch(interruptedBy(error.what));
      }
    }
  }
}

/** The error at the end of a wait: it says how long that was. */
function afterWait(error: ManifestToolError, milliseconds: number): ManifestToolError {
  const { code, what, why, hint, reason, data } = error;
  const waited = `${why} (waited ${formatDuration(milliseconds)})`;
  return new ManifestToolError(code, what, waited, { cause: error, hint, reason, data });
}
