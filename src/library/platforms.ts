import type { Platform } from '../oci/platform.js';
import { comparePlatforms, platformKey } from '../oci/select-entry.js';
import { list, platform } from './arguments.js';

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
