import { interrupted, ManifestToolError } from '../../errors.js';

/** The outcome of reading something that may be missing or damaged: the value, or why there is none. */
export type Attempt<T> = { readonly value: T } | { readonly why: string };

/**
 * Reads something of an image. What is missing or damaged is a finding; what could not be found out
 * is an error.
 * @param what what is being done, for errors
 * @throws {ManifestToolError} INTERRUPTED if the signal is aborted; other errors of `work` but
 * NOT_FOUND and CORRUPT.
 */
export async function attempt<T>(
  what: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (signal.aborted) throw interrupted(what, error);
    const isFault = error instanceof ManifestToolError && !/^(NOT_FOUND|CORRUPT)$/.test(error.code);
    if (isFault || !(error instanceof Error)) throw error;
    return { why: error instanceof ManifestToolError ? error.why : error.message };
  }
}
