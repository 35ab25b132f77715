import { ManifestToolError, type ErrorCode } from '../errors.js';
import { corrupt } from '../layout/errors.js';

const DAMAGED = 'the archive is damaged or incomplete: create it again with the tool that made it';

/** The error CORRUPT for an archive that cannot be read as it should be. */
export function damaged(what: string, file: string, why: string, cause?: unknown): Error {
  return corrupt(what, file, why, { cause, hint: DAMAGED });
}

/** The error for a file that is not what its reference says. */
export function unusable(
  what: string,
  why: string,
  hint: string,
  code: ErrorCode = 'FAILED',
): ManifestToolError {
  return new ManifestToolError(code, what, why, { hint });
}
