import type { Platform } from '../../oci/platform.js';
import { defined, usageError, type Options } from '../args/values.js';
import { singlePlatform } from './platforms.js';

/** `human` is what manifest-tool v2 prints, `manifest-tool` what it prints with --raw. */
type Format = NonNullable<Options<'format'>['format']> | 'human' | 'manifest-tool';

export interface InspectOptions {
  readonly format: Format;
  readonly expandConfig: boolean;
  readonly platform?: Platform;
  /** Shows the config in place of the image. */
  readonly config: boolean;
  /** Lists the referrers. */
  readonly referrers: boolean;
}

/** @throws {ManifestToolError} USAGE for options that contradict each other. */
export function inspectOptions(
  args: Options<'format' | 'platform' | 'config' | 'referrers' | 'raw' | 'expand-config'>,
): InspectOptions {
  const { raw, expandConfig, config, referrers } = args;
  if (raw && args.format !== undefined)
    throw usageError(
      'pass --raw or --format, not both',
      '--raw selects the format of manifest-tool',
    );
  if (expandConfig && !raw) {
    throw usageError(
      '--expand-config needs --raw',
      'pass both, or --config for the configuration alone',
    );
  }
  if (config && expandConfig) {
    throw usageError(
      'pass --config or --expand-config, not both',
      '--config shows only the config',
    );
  }
  const format = args.format ?? (raw ? (config ? 'raw' : 'manifest-tool') : 'human');
  if (config && !['json', 'raw', 'human'].includes(format)) {
    throw usageError(
      `--config cannot be combined with --format ${format}`,
      'pass --config without a format, or with --format json or raw',
    );
  }
  if (referrers && (config || !['json', 'table', 'human'].includes(format))) {
    const other = config ? '--config' : raw ? '--raw' : `--format ${format}`;
    throw usageError(
      `--referrers cannot be combined with ${other}`,
      'give it without a format, or with --format table or json',
    );
  }
  const platform = singlePlatform(args, 'inspect shows one at a time');
  return { format, expandConfig, config, referrers, ...defined({ platform }) };
}
