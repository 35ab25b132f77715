import { suggestion } from '../text.js';
import type { Parsed } from './command.js';
import type { ReportStyle } from './reporter.js';
import { usageError } from './usage.js';

const PROGRESS: readonly ReportStyle['progress'][] = ['auto', 'plain', 'json', 'none'];

/**
 * What --progress and --quiet ask for.
 * @throws {ManifestToolError} USAGE.
 */
export function reportStyle({ switches, values }: Parsed): ReportStyle {
  const quiet = switches.has('quiet');
  const given = values.get('progress')?.[0];
  if (given === undefined) return { progress: 'auto', quiet };
  const progress = PROGRESS.find((each) => each === given);
  if (progress === undefined) {
    const known = PROGRESS.join(', ');
    throw usageError(
      `--progress ${JSON.stringify(given)} is none of ${known}${suggestion(given, PROGRESS)}`,
    );
  }
  if (quiet && progress !== 'none') throw usageError('give --quiet or --progress, not both');
  return { progress, quiet };
}
