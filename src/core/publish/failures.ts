import {
  detailsOf,
  EXIT_CODES,
  ManifestToolError,
  type ErrorCode,
  type ErrorReason,
} from '../../errors.js';

/** Details of {@link summarizeFailures}. */
export interface FailureSummary {
  /** The action, for the message. */
  readonly what?: string;
  /** The code of the summary; that of the first error by default. */
  readonly codeOf?: (errors: readonly ManifestToolError[]) => ErrorCode;
  readonly reason?: ErrorReason;
}

/**
 * The error for several pieces of work of which some failed, each reported before; undefined if none
 * failed.
 * @param total how many there were
 */
export function summarizeFailures(
  errors: readonly ManifestToolError[],
  total: number,
  summary: FailureSummary = {},
): ManifestToolError | undefined {
  const [first] = errors;
  if (first === undefined) return undefined;
  const { what = `publishing to ${total} targets`, codeOf, reason = 'several-failed' } = summary;
  const failed = errors.length;
  const why =
    failed === total ? `all ${total} failed` : `${failed} of ${total} failed, the others succeeded`;
  return new ManifestToolError(codeOf?.(errors) ?? first.code, what, why, {
    cause: first,
    reason,
    data: { failed, total },
  });
}

/** The code of errors that all have the same exit code; FAILED for any others. */
export function sharedCode(errors: readonly ManifestToolError[]): ErrorCode {
  const [first, ...others] = errors;
  const isShared = others.every(({ code }) => EXIT_CODES[code] === EXIT_CODES[first!.code]);
  return first !== undefined && isShared ? first.code : 'FAILED';
}

/** Adds to an error of a write of tags which of them moved, if they can have different outcomes. */
export function withTagOutcome(
  error: unknown,
  tags: readonly string[],
  moved: readonly string[],
): unknown {
  if (!(error instanceof ManifestToolError)) return error;
  const isInterrupted = error.code === 'INTERRUPTED';
  if (!isInterrupted && tags.length < 2) return error;
  const others = tags.filter((tag) => !moved.includes(tag));
  // A request that was in flight at the signal, or whose answer was lost, may have arrived.
  const isKnown = !isInterrupted && error.code !== 'UNAVAILABLE';
  const nothing = isKnown ? NOTHING_PUBLISHED : 'nothing is known to be published';
  const published = moved.length === 0 ? nothing : `published: ${moved.join(', ')}`;
  const outcome = isKnown ? 'not published' : 'not confirmed';
  return withOutcome(
    error,
    `${published}${others.length === 0 ? '' : `; ${outcome}: ${others.join(', ')}`}`,
    isInterrupted ? 'run it again: tags that are up to date are not written again' : undefined,
  );
}

const NOTHING_PUBLISHED = 'nothing was published';

/** Adds to an interrupt before any tag could move that none has. */
export function withNothingPublished(error: unknown): unknown {
  const isInterrupted = error instanceof ManifestToolError && error.code === 'INTERRUPTED';
  if (!isInterrupted) return error;
  const hint = 'run it again: blobs and images that were uploaded are not sent again';
  return withOutcome(error, NOTHING_PUBLISHED, hint);
}

function withOutcome(
  error: ManifestToolError,
  outcome: string,
  ownHint: string | undefined,
): ManifestToolError {
  const { code, what, why } = error;
  const advice = ownHint === undefined ? {} : { hint: ownHint, reason: undefined, data: undefined };
  const details = { ...detailsOf(error), cause: error, ...advice };
  return new ManifestToolError(code, what, `${why}; ${outcome}`, details);
}
