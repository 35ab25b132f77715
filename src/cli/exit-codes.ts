import type { ErrorCode } from '../errors.js';

/** The exit codes of the command line, by class of error. */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  FAILED: 1,
  CORRUPT: 1,
  INCOMPLETE: 3,
  USAGE: 2,
  CONFIG: 2,
  NOT_FOUND: 3,
  DENIED: 4,
  UNAVAILABLE: 5,
  REFUSED: 6,
  INTERRUPTED: 130,
};
