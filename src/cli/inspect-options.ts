import { parsePlatform, type Platform } from '../oci/platform.js';
import { suggestion } from '../text.js';
import type { Parsed } from './command.js';
import { items, optional, value } from './settings.js';
import { usageError } from './usage.js';

const FORMATS = ['json', 'table', 'docker', 'docker-verbose', 'raw'] as const;

/** Where no format is given: `human` is what manifest-tool prints, `manifest-tool` what it prints with --raw. */
type Format = (typeof FORMATS)[number] | 'human' | 'manifest-tool';

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
  const given = formatOption(parsed);
  if (isRaw && given !== undefined) throw usageError('give --raw or --format, not both');
  if (expandConfig && !isRaw) throw usageError('--expand-config is only of use with --raw');
  if (config && expandConfig) throw usageError('give --config or --expand-config, not both');
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

function formatOption(parsed: Parsed): Format | undefined {
  const given = value(parsed, 'format');
  if (given === undefined) return undefined;
  const format = FORMATS.find((each) => each === given);
  if (format !== undefined) return format;
  const names = `${FORMATS.slice(0, -1).join(', ')} and ${FORMATS.at(-1)!}`;
  throw usageError(
    `--format ${JSON.stringify(given)} is none of ${names}${suggestion(given, FORMATS)}`,
  );
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
