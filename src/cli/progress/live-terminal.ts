import type { Io } from '../io.js';

/** The fewest columns in which a live line tells anything; the spinner would loop for ever where there are none. */
export const MIN_COLUMNS = 10;

/** Whether standard error is a terminal on which a line can be drawn anew: a dumb one cannot, and that of a CI is a log. */
export function isLiveTerminal({ stderr, env }: Io): boolean {
  const isLog = env['TERM'] === 'dumb' || env['CI'] !== undefined;
  return stderr.isTTY && stderr.columns >= MIN_COLUMNS && !isLog;
}
