import { ManifestToolError } from '../errors.js';

/** An error in what was typed. */
export function usageError(why: string, hint?: string): ManifestToolError {
  return new ManifestToolError('USAGE', 'reading the command line', why, { hint });
}
