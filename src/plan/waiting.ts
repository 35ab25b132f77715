import { setTimeout } from 'node:timers/promises';
import { ManifestToolError, type ErrorCode } from '../errors.js';
import type { PlanEvents } from './events.js';
import type { Publication } from './publication.js';

/** Waits for what may take a moment to appear (a registry of several parts, a build that has just ended). */
interface Patience {
  /** How long altogether, in milliseconds of this plan. */
  readonly waitMs: number;
  /** Told of each wait. */
  readonly onWait: (reason: string) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/** What is not there yet may come; all other errors stay what they are. */
const MAY_COME: ReadonlySet<ErrorCode> = new Set(['NOT_FOUND', 'INCOMPLETE']);

/**
 * Does something again until what it needs has appeared.
 * @throws {ManifestToolError} what `work` throws: at once where it is not about something that is missing.
 */
export async function patiently<T>(
  patience: Patience | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + (patience?.waitMs ?? 0);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const mayCome = error instanceof ManifestToolError && MAY_COME.has(error.code);
      const left = end - performance.now();
      if (patience === undefined || !mayCome || left <= 0) throw error;
      patience.onWait(error.message);
      await setTimeout(Math.min(pause, left));
    }
  }
}

/** The patience that a publish asks for. */
export function patienceOf(
  { waitMs }: Pick<Publication, 'waitMs'>,
  events: PlanEvents,
): Patience | undefined {
  if (waitMs === undefined) return undefined;
  return { waitMs, onWait: (reason) => events.waiting?.(reason) };
}
