import type { IndexRequest } from '../../core/publish/request.js';
import { parsePlatform, type Platform } from '../../oci/platform.js';
import { usageError, type Options } from '../args/values.js';

/**
 * The platforms of --platform.
 * @throws {ManifestToolError} USAGE for a wrong form or an unknown part.
 */
export function platformsFrom({ platform }: Options<'platform'>): Platform[] {
  return platform.map((text) => parsePlatform(text, `reading --platform ${JSON.stringify(text)}`));
}

/**
 * The only platform of --platform, if there is one.
 * @throws {ManifestToolError} USAGE with this hint for several; for a wrong form.
 */
export function singlePlatform(args: Options<'platform'>, hint: string): Platform | undefined {
  const [platform, ...more] = platformsFrom(args);
  if (more.length === 0) return platform;
  throw usageError(`--platform has ${more.length + 1} platforms`, hint);
}

/**
 * The platforms of --require.
 * @throws {ManifestToolError} USAGE for a wrong form or an unknown part.
 */
export function requiredPlatforms({
  require,
}: Options<'require'>): Pick<IndexRequest, 'requiredPlatforms'> {
  if (require.length === 0) return {};
  const parse = (text: string): Platform =>
    parsePlatform(text, `reading --require ${JSON.stringify(text)}`);
  return { requiredPlatforms: require.map(parse) };
}

/** What --platform takes of sources that are indexes; everything without it. */
export function sourcePlatforms(args: Options<'platform'>): Pick<IndexRequest, 'platforms'> {
  const platforms = platformsFrom(args);
  return platforms.length === 0 ? {} : { platforms };
}
