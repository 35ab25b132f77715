import { formatPlatform, platformKey, type Platform } from '../oci/platform.js';
import { formatReference } from '../oci/reference.js';
import { checkRequest, type RequestedType, type SourceRequest } from '../core/publish/request.js';
import { ManifestToolError } from '../errors.js';
import type { PlacedSpec } from './spec.js';

/**
 * Refuses what a publish would refuse whatever the images are.
 * @throws {ManifestToolError} USAGE with file, line and column.
 */
export function refuseFaults(
  placed: PlacedSpec,
  type: RequestedType,
  warning: (text: string) => void,
): void {
  const { spec, root, annotations } = placed;
  try {
    checkRequest({ ...spec, type });
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    const { code, what, why } = (annotations ?? root).error(error.why, error.hint);
    const { hint, reason, data } = error;
    throw new ManifestToolError(code, what, why, { hint, reason, data });
  }
  refuseTwins(placed, warning);
}

/** Two entries for one platform, or one image twice. */
function refuseTwins({ spec, entries }: PlacedSpec, warning: (text: string) => void): void {
  const first = new Map<string, number>();
  spec.sources.forEach((source, i) => {
    const { key, shown, isSettled } = identity(source);
    const twin = first.get(key);
    if (twin === undefined) {
      first.set(key, i);
      return;
    }
    const why = `${entries[i]!.path} is for ${shown}, as ${entries[twin]!.path} is`;
    if (isSettled) {
      const hint = 'a list has one image for a platform: leave one of them out';
      throw entries[i]!.error(why, hint);
    }
    warning(`${entries[i]!.place()}: ${why}: their configurations have to tell them apart`);
  });
}

interface Identity {
  readonly key: string;
  readonly shown: string;
  /** Nothing that the configuration of an image commonly adds could make another platform of it. */
  readonly isSettled: boolean;
}

function identity({ reference, platform = {} }: SourceRequest): Identity {
  const { os, architecture, variant, osVersion } = platform;
  if (os === undefined || architecture === undefined) {
    const name = formatReference(reference);
    const key = JSON.stringify([name, platform]);
    return { key, shown: `the platforms of ${name}`, isSettled: true };
  }
  const asked: Platform = { ...platform, os, architecture };
  const isSettled =
    (os !== 'windows' || osVersion !== undefined) &&
    (architecture !== 'arm' || variant !== undefined);
  return { key: platformKey(asked), shown: formatPlatform(asked), isSettled };
}
