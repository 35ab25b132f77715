import { ManifestToolError } from '../errors.js';

/**
 * What `--strict` makes of warnings.
 * @throws {ManifestToolError} USAGE with each of them, where there is one.
 */
export function refuseWarnings(what: string, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const count = warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`;
  const why = `there is ${count}, and --strict makes an error of it: ${warnings.join('; ')}`;
  throw new ManifestToolError('USAGE', what, why);
}
