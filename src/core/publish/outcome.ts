import { ManifestToolError } from '../../errors.js';

/** After an error that only counts those which were told before it. */
export const SUMMARY_HINT =
  'see to what is told above, and run it again: what is published already stays as it is';

/** An error while tags were moving, with what has become of each of them, where there is more than one fate. */
export function withTagOutcome(
  error: unknown,
  tags: readonly string[],
  moved: readonly string[],
): unknown {
  if (!(error instanceof ManifestToolError)) return error;
  const isInterrupted = error.code === 'INTERRUPTED';
  if (!isInterrupted && tags.length < 2) return error;
  const others = tags.filter((tag) => !moved.includes(tag));
  // What was on its way when the signal came, or has lost its answer, may have arrived.
  const isKnown = !isInterrupted && error.code !== 'UNAVAILABLE';
  const nothing = isKnown ? 'nothing was published' : 'nothing is known to be published';
  const published = moved.length === 0 ? nothing : `published: ${moved.join(', ')}`;
  const fate = isKnown ? 'not published' : 'not confirmed';
  return withWhy(
    error,
    `${published}${others.length === 0 ? '' : `; ${fate}: ${others.join(', ')}`}`,
    isInterrupted ? 'run it again: a tag that names the list already stays as it is' : undefined,
  );
}

/** An error before any tag could move; after an interrupt the user wants to hear that none has. */
export function withNothingPublished(error: unknown): unknown {
  const isInterrupted = error instanceof ManifestToolError && error.code === 'INTERRUPTED';
  return isInterrupted
    ? withWhy(error, 'nothing was published', 'run it again: what has arrived is not sent again')
    : error;
}

function withWhy(error: ManifestToolError, outcome: string, hint = error.hint): ManifestToolError {
  const { code, what, why } = error;
  return new ManifestToolError(code, what, `${why}; ${outcome}`, { cause: error, hint });
}
