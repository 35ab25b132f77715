/** What went wrong, as a class that programs can branch on; each has one exit code (see EXIT_CODES). */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG'
  | 'NOT_FOUND'
  | 'DENIED'
  | 'UNAVAILABLE'
  | 'REFUSED'
  | 'CORRUPT'
  | 'INCOMPLETE'
  | 'INTERRUPTED'
  | 'FAILED';

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

export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** One line that says what to try next. */
  readonly hint?: string | undefined;
}

/**
 * The one error type of this program. `what` names the thing and the place, `why` the reason; the message is
 * `WHAT failed: WHY`, always a single line.
 */
export class ManifestToolError extends Error {
  override readonly name = 'ManifestToolError';
  readonly code: ErrorCode;
  readonly what: string;
  readonly why: string;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, what: string, why: string, details: ErrorDetails = {}) {
    super(
      `${what} failed: ${why}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.what = what;
    this.why = why;
    this.hint = details.hint;
  }

  /** The exit code of the command line for this class of error. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** Text of any thrown value, for use as a reason. */
export function reasonOf(error: unknown): string {
  if (error instanceof ManifestToolError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** The system's error code (`ENOENT`, `ECONNREFUSED`, `UND_ERR_SOCKET`) of a thrown value, where it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
