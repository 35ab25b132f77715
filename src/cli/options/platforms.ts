import type { IndexRequest } from '../../core/publish/request.js';
import { parsePlatform, type Platform } from '../../oci/platform.js';
import type { Options } from '../args/values.js';

/**
 * The platforms of --platform.
 * @throws {ManifestToolError} USAGE for a wrong form or an unknown part.
 */
export function platformsFrom({ platform }: Options<'platform'>): Platform[] {
  return platform.map((text) => parsePlatform(text, `reading --platform ${JSON.stringify(text)}`));
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
