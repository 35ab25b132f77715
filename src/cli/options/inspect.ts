import { parsePlatform, type Platform } from '../../oci/platform.js';
import { choice } from '../args/choice.js';
import type { Parsed } from '../command.js';
import type { Choice } from '../args/options.js';
import { items, optional } from './connection.js';
import { usageError } from '../args/usage.js';

/** Where no format is given: `human` is what manifest-tool prints, `manifest-tool` what it prints with --raw. */
type Format = NonNullable<Choice<'format'>> | 'human' | 'manifest-tool';

export interface InspectOptions {
  readonly format: Format;
  readonly expandConfig: boolean;
  readonly platform?: Platform;
  /** Shows the configuration in place of the image. */
  readonly config: boolean;
  /** Lists what refers to it. */
  readonly referrers: boolean;
}

/**
 * Reads the options of inspect, and refuses those that contradict each other.
 * @throws {ManifestToolError} USAGE.
 */
export function inspectOptions(parsed: Parsed): InspectOptions {
  const { switches } = parsed;
  const isRaw = switches.has('raw');
  const expandConfig = switches.has('expand-config');
  const config = switches.has('config');
  const referrers = switches.has('referrers');
  const given = choice(parsed, 'format');
  if (isRaw && given !== undefined)
    throw usageError('give --raw or --format, not both', '--raw is the form of manifest-tool');
  if (expandConfig && !isRaw) {
    throw usageError(
      '--expand-config is only of use with --raw',
      'give both, or --config for the configuration alone',
    );
  }
  if (config && expandConfig) {
    throw usageError(
      'give --config or --expand-config, not both',
      '--config shows the configuration alone',
    );
  }
  const format = given ?? (isRaw ? (config ? 'raw' : 'manifest-tool') : 'human');
  if (config && !['json', 'raw', 'human'].includes(format)) {
    throw usageError(`--config has no --format ${format}`, 'it is shown as JSON, or raw');
  }
  if (referrers && (config || !['json', 'table', 'human'].includes(format))) {
    const other = config ? '--config' : isRaw ? '--raw' : `--format ${format}`;
    throw usageError(
      `--referrers is of no use with ${other}`,
      'give it without a format, or with --format table or json',
    );
  }
  return {
    format,
    expandConfig,
    ...optional('platform', platformOption(parsed)),
    config,
    referrers,
  };
}

function platformOption(parsed: Parsed): Platform | undefined {
  const [text, ...more] = items(parsed, 'platform');
  if (text === undefined) return undefined;
  if (more.length > 0) {
    throw usageError(
      `--platform names ${more.length + 1} platforms`,
      'inspect shows one at a time',
    );
  }
  return parsePlatform(text, `reading --platform ${JSON.stringify(text)}`);
}
