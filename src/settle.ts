import { now } from './clock.js';
import { pause } from './concurrency.js';
import { interruptedBy, ManifestToolError } from './errors.js';

/** Content that others may write at the same time, such as what a tag points to. */
export interface SharedContent<Current, Next> {
  /** What is being done, for errors: `editing example.com/app:1.0`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Whether `write` excludes other writers; registries have no compare-and-set. */
  readonly isAtomic: boolean;
  read(): Promise<Current>;
  /** The content with the change; undefined if `current` has it already. */
  change(current: Current): Next | undefined;
  /** Whether the content is still `current`; asked right before the write. */
  isStill(current: Current): Promise<boolean>;
  /** Writes the changed content; false if an atomic writer finds that it is not `current`. */
  write(next: Next, current: Current): Promise<boolean>;
  /** Called after a write, before it is checked that others have kept the change. */
  onWritten?(next: Next, round: number): void;
}

/*
 * Another writer may have read the content before our write and write after it. Its time from read
 * to write is one or two of its round trips; we wait for this many of ours, and for at least a
 * second, before a change counts as settled.
 */
const SETTLING_ROUND_TRIPS = 8;
const MIN_SETTLING_MS = 1000;
const MAX_SETTLING_MS = 15_000;
const MAX_ROUNDS = 40;

/**
 * Changes shared content so that concurrent changes by others who do the same are not lost: writes
 * if it is still what the change was applied to, reads it again after a settling time, and applies
 * the change again until the content has it.
 * @param first what `read` returned before
 * @returns the content that has the change.
 * @throws {ManifestToolError} REFUSED if others keep changing it; INTERRUPTED; what the methods of
 * `shared` throw.
 */
export async function settle<Current, Next>(
  first: Current,
  shared: SharedContent<Current, Next>,
): Promise<Current | Next> {
  const { what, signal } = shared;
  let current = first;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const next = shared.change(current);
    if (next === undefined) return current;
    const roundTripMs = await replace(shared, current, next);
    if (roundTripMs === undefined) {
      await pause(Math.random() * MIN_SETTLING_MS, signal).catch(interruptedBy(what));
    } else {
      shared.onWritten?.(next, round);
      if (shared.isAtomic) return next;
      await pause(settlingTime(roundTripMs), signal).catch(interruptedBy(what));
    }
    current = await shared.read();
  }
  const why = `other publishers changed it ${MAX_ROUNDS} times during the edit`;
  throw new ManifestToolError('REFUSED', what, why, {
    hint: 'try again when they have finished',
  });
}

/**
 * Writes unless the content has changed.
 * @returns the time of the slower of its two requests in milliseconds; undefined if it has changed.
 */
async function replace<Current, Next>(
  shared: SharedContent<Current, Next>,
  current: Current,
  next: Next,
): Promise<number | undefined> {
  const start = now();
  if (!(await shared.isStill(current))) return undefined;
  const readMs = now() - start;
  const isWritten = await shared.write(next, current);
  return isWritten ? Math.max(readMs, now() - start - readMs) : undefined;
}

function settlingTime(roundTripMs: number): number {
  const milliseconds = Math.max(MIN_SETTLING_MS, roundTripMs * SETTLING_ROUND_TRIPS);
  // Random, so that writers that have collided do not collide again.
  return Math.min(milliseconds, MAX_SETTLING_MS) * (1 + Math.random() / 2);
}
