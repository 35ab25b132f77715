import { parsePlatform as parseCorePlatform, type Platform } from '../oci/platform.js';
import { comparePlatforms, platformKey } from '../oci/select-entry.js';
import { list, platform, wrong } from './arguments.js';

/**
 * Reads `os/arch[/variant][:osversion]` as a user types it, or
 * `os(osversion+feature+…)/arch[/variant]` as containerd and buildx write it (containerd/platforms,
 * FormatAll). Aliases (`x86_64`, `armhf`, `macos`), upper case and variants such as `7` become the
 * names of the specification.
 * @throws {ManifestToolError} USAGE for a wrong form, or an unknown os, architecture or variant.
 */
export function parsePlatform(text: string): Platform {
  if (typeof text !== 'string') throw wrong('text', 'a string', text);
  return parseCorePlatform(text);
}

/**
 * Whether two platforms are the same, as container runtimes see it: `linux/arm64` is
 * `linux/arm64/v8`, `linux/arm` is `linux/arm/v7`, `linux/amd64` is `linux/amd64/v1`, and aliases
 * such as `linux/x86_64` count as the names that they stand for (containerd/platforms, Normalize).
 * @throws {ManifestToolError} USAGE if a string is not a platform.
 */
export function platformsMatch(a: Platform | string, b: Platform | string): boolean {
  return platformKey(platform(a, 'a')) === platformKey(platform(b, 'b'));
}

/**
 * Whether each of `required` is among `available`, as {@link platformsMatch} compares them.
 * Available platforms may have os features that are not required.
 * @throws {ManifestToolError} USAGE if a string is not a platform.
 */
export function hasPlatforms(
  available: readonly (Platform | string)[],
  required: readonly (Platform | string)[],
): boolean {
  const platforms = list(platform);
  const { missing } = comparePlatforms(
    platforms(available, 'available'),
    platforms(required, 'required'),
  );
  return missing.length === 0;
}
