import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { ImageManifest } from '../../oci/documents.js';
import { checkPlatform, formatPlatform, type Platform } from '../../oci/platform.js';
import { readConfig } from '../read/config.js';
import type { RequestedPlatform } from './request.js';

/**
 * The platform that an image says it is for.
 * @throws {ManifestToolError} CORRUPT where its configuration cannot be read.
 */
export async function configPlatform(
  source: ImageReader,
  manifest: ImageManifest,
  name: string,
): Promise<Platform> {
  return (await readConfig(source, manifest, name)).platform;
}

/**
 * The platform of an entry: what the request leaves out comes from the configuration of the image; os and architecture only where the
 * request gives neither (the byte contract with manifest-tool).
 * @throws {ManifestToolError} USAGE where the result is none that a runtime could select.
 */
export function entryPlatform(
  request: RequestedPlatform,
  config: Platform,
  name: string,
  warning: (text: string) => void,
): Platform {
  const os = request.os || config.os;
  const architecture = request.architecture || config.architecture;
  warnOfOther(request, config, name, warning);
  const osVersion = request.osVersion || config.osVersion;
  const osFeatures = request.osFeatures?.length ? request.osFeatures : config.osFeatures;
  // A variant is one of its architecture: that of another one would be nonsense here.
  const variant =
    request.variant || (config.architecture === architecture ? config.variant : undefined);
  const platform: Platform = {
    architecture,
    os,
    ...(osVersion ? { osVersion } : {}),
    ...(osFeatures?.length ? { osFeatures } : {}),
    ...(variant ? { variant } : {}),
  };
  const what = `including ${name}`;
  if (os === '' || architecture === '') {
    const missing = os === '' ? 'os' : 'architecture';
    throw new ManifestToolError('USAGE', what, `its platform has no ${missing}`, {
      hint: 'give both os and architecture: the configuration of the image does not',
    });
  }
  checkPlatform(platform, what);
  return platform;
}

function warnOfOther(
  request: RequestedPlatform,
  config: Platform,
  name: string,
  warning: (text: string) => void,
): void {
  const differs = (asked: string | undefined, own: string): boolean =>
    Boolean(asked) && own !== '' && asked !== own;
  if (!differs(request.os, config.os) && !differs(request.architecture, config.architecture))
    return;
  const asked = formatPlatform({ os: request.os ?? '', architecture: request.architecture ?? '' });
  warning(
    `${name} was built for ${formatPlatform({ os: config.os, architecture: config.architecture })}, ` +
      `and is published for ${asked}, as asked`,
  );
}
