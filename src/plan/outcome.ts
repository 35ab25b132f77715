import { ManifestToolError } from '../errors.js';

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
  );
}

/** An error before any tag could move; after an interrupt the user wants to hear that none has. */
export function withNothingPublished(error: unknown): unknown {
  const isInterrupted = error instanceof ManifestToolError && error.code === 'INTERRUPTED';
  return isInterrupted ? withWhy(error, 'nothing was published') : error;
}

function withWhy(error: ManifestToolError, outcome: string): ManifestToolError {
  const { code, what, why, hint } = error;
  return new ManifestToolError(code, what, `${why}; ${outcome}`, { cause: error, hint });
}
