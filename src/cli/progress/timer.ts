import { now } from '../../clock.js';

/** Time for the progress of a command; tests have their own. */
export interface Timer {
  /** In milliseconds, from any start. */
  now(): number;
  /** Calls back periodically until the function that is returned is called. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** The time of the process; what it calls back does not keep the process. */
export const SYSTEM_TIMER: Timer = {
  now,
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds);
    timer.unref();
    return () => clearInterval(timer);
  },
};
