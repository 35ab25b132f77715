/**
 * Class of an error, which programs can branch on.
 *
 * - `USAGE`: the request is invalid: a malformed reference, platform or spec, or a contradiction
 * - `CONFIG`: a docker config, credential helper, certificate file or proxy variable is unusable
 * - `NOT_FOUND`: the image, entry, blob or repository does not exist
 * - `DENIED`: not authenticated, not authorized, or no permission for a file
 * - `UNAVAILABLE`: unreachable, overloaded or rate limited, after all retries
 * - `REFUSED`: a tag was not allowed to move, or others kept moving it
 * - `CORRUPT`: content does not match its digest, size or type
 * - `INCOMPLETE`: the registry does not have something that a manifest names
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

/**
 * The exit codes of the command line, by class of error.
 * @internal
 */
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
 * Causes whose hint depends on the caller: the command line names its options (cli/progress/hints),
 * and programs have their own. In kebab-case, one section for each layer.
 */
export type ErrorReason =
  // oci
  | 'digest-form'
  // http
  | 'certificate-invalid'
  | 'certificate-untrusted'
  | 'client-certificate-demanded'
  | 'client-certificate-missing'
  | 'client-certificate-refused'
  | 'client-key-missing'
  | 'tls-not-spoken'
  | 'token-denied'
  | 'token-server-unavailable'
  // credentials
  | 'auth-file-missing'
  // registry
  | 'registry-unavailable'
  | 'answer-unexpected'
  | 'manifest-invalid'
  | 'login-required'
  | 'credentials-rejected'
  | 'content-missing'
  | 'named-content-missing'
  | 'referrers-unreadable'
  // layout
  | 'ambiguous-name'
  // core
  | 'docker-annotations'
  | 'docker-artifact-type'
  | 'docker-list-annotations'
  | 'docker-list-entry'
  | 'docker-artifact'
  | 'entry-not-an-image'
  | 'entry-not-found'
  | 'image-for-other-platform'
  | 'image-not-selected'
  | 'index-limit'
  | 'needs-other-repositories'
  | 'no-image'
  | 'no-tags'
  | 'none-found'
  | 'not-an-image'
  | 'not-an-index'
  | 'other-architecture'
  | 'platform-missing'
  | 'platform-not-found'
  | 'referrers-too-deep'
  | 'required-platforms'
  | 'several-entries'
  | 'sources-missing'
  | 'several-failed'
  | 'several-not-deleted'
  | 'tag-exists'
  | 'warnings-refused'
  // spec
  | 'spec-empty'
  | 'spec-variable'
  | 'spec-variable-unbraced';

/** Values for the hint of a reason. */
export type ErrorData = Readonly<Record<string, string | number>>;

/** Optional details of an error. */
export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /**
   * One line that says what to try next. It never names an option of the command line: `reason` is
   * for that.
   */
  readonly hint?: string | undefined;
  /**
   * Stable identifier of the cause, more precise than the code; the command line maps it to a hint.
   */
  readonly reason?: ErrorReason | undefined;
  /** Values for the hint of `reason`; never secrets. */
  readonly data?: ErrorData | undefined;
  /** The status of the response that led to it. */
  readonly status?: number | undefined;
  /** What the registry itself says. */
  readonly errors?: readonly RegistryErrorEntry[] | undefined;
  /** What the operation that failed was about. */
  readonly reference?: string | undefined;
  /** Each of several things that are wrong, one line each. */
  readonly items?: readonly string[] | undefined;
}

/** One error of a registry, in its own words (OCI distribution-spec, Error Codes). */
export interface RegistryErrorEntry {
  /** For example `MANIFEST_UNKNOWN`; empty if the registry sends none. */
  readonly code: string;
  /** For people; may be empty. */
  readonly message: string;
  /** More of it, for example which blob, rule or quota; empty if the message has it. */
  readonly detail: string;
}

/** An error as data, for example for a log. */
export interface ErrorRecord {
  /** As that of the error. */
  readonly code: ErrorCode;
  /** As that of the error: `WHAT failed: WHY`. */
  readonly message: string;
  /** As that of the error. */
  readonly what: string;
  /** As that of the error. */
  readonly why: string;
  /** As that of the error. */
  readonly hint?: string;
  /** As that of the error. */
  readonly reason?: ErrorReason;
  /** As that of the error. */
  readonly status?: number;
  /** As those of the error. */
  readonly errors: readonly RegistryErrorEntry[];
  /** As that of the error. */
  readonly reference?: string;
  /** As those of the error; absent if there are none. */
  readonly items?: readonly string[];
  /** As that of the error. */
  readonly retriable: boolean;
}

/**
 * The only error type that the program throws. The message is `WHAT failed: WHY` on a single line.
 * It may contain remote text, whose control characters should not reach a terminal. It contains no
 * known secrets.
 */
export class ManifestToolError extends Error {
  /**
   * Explicit, because the bundle shortens the name of the class, and stack traces show this one.
   */
  static override readonly name = 'ManifestToolError';
  /** Distinguishes it from other errors if `instanceof` cannot. */
  override readonly name = 'ManifestToolError';
  /** What programs branch on. */
  readonly code: ErrorCode;
  /** What was being done, and to what: `reading example.com/app:1.0`. */
  readonly what: string;
  /** The reason. */
  readonly why: string;
  /** One line that says what to try next. */
  readonly hint: string | undefined;
  /** Stable identifier of the cause, if it has one. */
  readonly reason: ErrorReason | undefined;
  /** Values that belong to `reason`. */
  readonly data: ErrorData;
  /** The HTTP status of the registry or the token server, if it is a response that led to this. */
  readonly status: number | undefined;
  /** What the registry says in that response: remote text. Empty if it says nothing. */
  readonly errors: readonly RegistryErrorEntry[];
  /** The image or repository that the operation was about, if that is known. */
  readonly reference: string | undefined;
  /** Each of several things that are wrong, one line each; the message has their number. */
  readonly items: readonly string[];

  /** Programs create one if their {@link CredentialStore} fails. */
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
    this.status = details.status;
    this.errors = details.errors ?? [];
    this.reference = details.reference;
    this.items = details.items ?? [];
  }

  /**
   * Whether the same call may succeed later although nobody changes anything: the registry was not
   * reached, was busy, or limited the rate of requests. All retries have been made already.
   */
  get retriable(): boolean {
    return this.code === 'UNAVAILABLE' && !FINAL_REASONS.has(this.reason) && this.status !== 501;
  }

  /** The error as data; without the stack and the cause. */
  toJSON(): ErrorRecord {
    const { code, message, what, why, hint, reason, status, errors, reference } = this;
    const { items, retriable } = this;
    return {
      code,
      message,
      what,
      why,
      ...(hint !== undefined && { hint }),
      ...(reason !== undefined && { reason }),
      ...(status !== undefined && { status }),
      errors,
      ...(reference !== undefined && { reference }),
      ...(items.length > 0 && { items }),
      retriable,
    };
  }
}

/** Causes of UNAVAILABLE that do not pass by themselves. */
const FINAL_REASONS: ReadonlySet<ErrorReason | undefined> = new Set([
  'certificate-invalid',
  'certificate-untrusted',
  'tls-not-spoken',
]);

/** The details of an error, for one that says more about the same failure. */
export function detailsOf(error: ManifestToolError): ErrorDetails {
  const { hint, reason, data, status, errors, reference } = error;
  return { hint, reason, data, status, errors, reference };
}

/** The error INTERRUPTED for what a signal or an abort has ended. */
export function interrupted(what: string, cause?: unknown): ManifestToolError {
  return new ManifestToolError('INTERRUPTED', what, 'it was interrupted', { cause });
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

/** The system's error code of a thrown value, if it has one: `ENOENT`, `UND_ERR_SOCKET`. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** How many causes of an error are followed: a chain could end in itself. */
const MAX_CAUSES = 10;

/**
 * An error and its causes, the outermost first; of several errors at once, the first one's. Node
 * wraps the system's errors several times.
 */
export function* causesOf(error: unknown): Generator<unknown, void, undefined> {
  let each = error;
  for (let count = 0; each !== undefined && count < MAX_CAUSES; count += 1) {
    yield each;
    const first: unknown = each instanceof AggregateError ? each.errors[0] : undefined;
    each = first ?? (each instanceof Error ? each.cause : undefined);
  }
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
  EISDIR: 'use a file in it',
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
