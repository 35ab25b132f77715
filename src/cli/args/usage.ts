import { ManifestToolError } from '../../errors.js';

/** An error in what was typed; without a hint of its own it says to see the help of the command. */
export function usageError(why: string, hint?: string): ManifestToolError {
  return new ManifestToolError('USAGE', 'reading the command line', why, { hint });
}
