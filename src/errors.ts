/**
 * What went wrong, as a class that programs can branch on; each has one exit code (see {@link EXIT_CODES}).
 *
 * - `USAGE`: what was asked for can never be done: a reference, a platform, a request or a spec that makes no sense
 * - `CONFIG`: a configuration is broken: a docker config, a credential helper, a certificate file, a proxy variable
 * - `NOT_FOUND`: there is no such image, entry, blob or repository
 * - `DENIED`: not authenticated, not allowed, or no permission for a file
 * - `UNAVAILABLE`: not reached, too busy or rate limited, after all retries
 * - `REFUSED`: a tag was not allowed to move, or others moved it without end
 * - `CORRUPT`: what came is not what its digest, size or type says
 * - `INCOMPLETE`: a registry misses something that a manifest names
 * - `INTERRUPTED`: the signal was aborted
 * - `FAILED`: anything else
 */
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

/**
 * Causes for which the advice depends on who asks: the command line names its options (cli/progress/hints), a program its own. One section
 * a layer; kebab-case.
 */
export type ErrorReason =
  // oci
  | 'digest-form'
  // http
  | 'tls-not-spoken'
  | 'token-denied'
  | 'token-server-unavailable'
  // credentials
  | 'auth-file-missing'
  // registry
  | 'registry-unavailable'
  | 'answer-unexpected'
  | 'login-required'
  | 'credentials-rejected'
  | 'content-missing'
  | 'named-content-missing'
  | 'referrers-unreadable'
  // layout
  | 'ambiguous-name'
  // core
  | 'docker-annotations'
  | 'docker-list-annotations'
  | 'entry-not-an-image'
  | 'entry-not-found'
  | 'image-for-other-platform'
  | 'image-not-selected'
  | 'index-limit'
  | 'needs-other-repositories'
  | 'no-image'
  | 'none-found'
  | 'not-an-image'
  | 'not-an-index'
  | 'referrers-too-deep'
  | 'several-entries'
  | 'several-failed'
  | 'tag-exists'
  | 'warnings-refused'
  // spec
  | 'spec-empty'
  | 'none';

/** Values for the hint of a reason. */
export type ErrorData = Readonly<Record<string, string | number>>;

/** What an error may have besides its words. */
export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** One line that says what to try next. It names no option of the command line: that is what `reason` is for. */
  readonly hint?: string | undefined;
  /** Stable identifier of the cause, more precise than the code; the command line has a hint of its own for each. */
  readonly reason?: ErrorReason | undefined;
  /** What the hint for `reason` needs to know: names, never secrets. */
  readonly data?: ErrorData | undefined;
}

/**
 * The one error type of this program. The message is `WHAT failed: WHY`, always a single line; it may hold remote text, so a terminal is
 * to be shown it through {@link escapeText}. It holds no secret that this program knows of.
 */
export class ManifestToolError extends Error {
  /** Written out, because the class has a shorter name in the bundle, and this one is printed with a stack. */
  static override readonly name = 'ManifestToolError';
  /** Tells it from other errors where `instanceof` cannot. */
  override readonly name = 'ManifestToolError';
  /** What programs branch on. */
  readonly code: ErrorCode;
  /** What was being done, and to what: `reading example.com/app:1.0`. */
  readonly what: string;
  /** The reason. */
  readonly why: string;
  /** One line that says what to try next; options that it names are those of the command line. */
  readonly hint: string | undefined;
  /** The cause as a stable identifier, if it has one of its own. */
  readonly reason: ErrorReason | undefined;
  /** Values that belong to `reason`. */
  readonly data: ErrorData;

  /** Programs make one where a {@link CredentialStore} of theirs fails. */
  constructor(code: ErrorCode, what: string, why: string, details: ErrorDetails = {}) {
    super(
      `${what} failed: ${why}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.what = what;
    this.why = why;
    this.hint = details.hint;
    this.reason = details.reason;
    this.data = details.data ?? {};
  }

  /** The exit code of the command line for this class of error. */
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

/** A handler for `catch` that turns an abort into an error INTERRUPTED of `what`. */
export function interruptedBy(what: string): (cause: unknown) => never {
  return (cause) => {
    throw new ManifestToolError('INTERRUPTED', what, 'it was interrupted', { cause });
  };
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

/** The common error codes of files, in words. */
const FILE_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file of that name already exists',
  EFBIG: 'the file is too large for the file system',
  EIO: 'the device failed (input/output error)',
  EISDIR: 'it is a directory, not a file',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

/** Why an operation on a file failed, on one line: in words if the code is a common one. */
export function fileReason(error: unknown): string {
  return FILE_REASONS[systemCode(error) ?? ''] ?? reasonOf(error).replace(/\s+/g, ' ');
}

const UNREADABLE_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'check its permissions, and those of the directories that lead to it',
  EISDIR: 'name a file in it',
  ELOOP: 'check the path, and the links in it',
  EMFILE: 'allow more open files: ulimit -n',
  ENAMETOOLONG: 'use a shorter path',
  ENFILE: 'allow more open files: ulimit -n',
  EPERM: 'check its permissions, and those of the directories that lead to it',
};

/** What to do if a file that the user has named cannot be read. */
export function unreadableHint(error: unknown): string {
  return UNREADABLE_HINTS[systemCode(error) ?? ''] ?? 'check the path';
}
