import { choice } from '../args/choice.js';
import type { Parsed } from '../command.js';
import type { ReportStyle } from '../progress/reporter.js';
import { usageError } from '../args/usage.js';

/**
 * What --progress and --quiet ask for.
 * @throws {ManifestToolError} USAGE.
 */
export function reportStyle(parsed: Parsed): ReportStyle {
  const quiet = parsed.switches.has('quiet');
  const progress = choice(parsed, 'progress');
  const isShown = progress !== undefined && progress !== 'none';
  if (quiet && isShown) {
    throw usageError(
      'give --quiet or --progress, not both',
      '--quiet shows nothing but warnings, errors and the result',
    );
  }
  return { progress: progress ?? 'auto', quiet };
}
