import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { ImageManifest } from '../../oci/documents.js';
import { checkPlatform, formatPlatform, type Platform } from '../../oci/platform.js';
import { readConfig } from '../read/config.js';
import type { RequestedPlatform } from './request.js';

/**
 * Reads the platform in the config of an image; `name` is that of the image, for errors.
 * @throws {ManifestToolError} CORRUPT if the config cannot be read.
 */
export async function configPlatform(
  source: ImageReader,
  manifest: ImageManifest,
  name: string,
): Promise<Platform> {
  return (await readConfig(source, manifest, name)).platform;
}

/**
 * The platform of an entry. Fields that the request omits come from the config of the image; os and
 * architecture only if the request has neither, as manifest-tool does it. Warns if the image was
 * built for another os or architecture.
 * @throws {ManifestToolError} USAGE if no container runtime would select the result.
 */
export function entryPlatform(
  request: RequestedPlatform,
  config: Platform,
  name: string,
  warning: (text: string) => void,
): Platform {
  const os = request.os || config.os;
  const architecture = request.architecture || config.architecture;
  warnOfContradiction(request, config, name, warning);
  const osVersion = request.osVersion || config.osVersion;
  const osFeatures = request.osFeatures?.length ? request.osFeatures : config.osFeatures;
  // The variant of another architecture means nothing here.
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
      hint: 'give both os and architecture: the config of the image does not',
    });
  }
  checkPlatform(platform, what);
  return platform;
}

function warnOfContradiction(
  request: RequestedPlatform,
  config: Platform,
  name: string,
  warning: (text: string) => void,
): void {
  const differs = (requested: string | undefined, own: string): boolean =>
    Boolean(requested) && own !== '' && requested !== own;
  if (!differs(request.os, config.os) && !differs(request.architecture, config.architecture))
    return;
  const { os = '', architecture = '' } = request;
  const own = formatPlatform({ os: config.os, architecture: config.architecture });
  const requested = formatPlatform({ os, architecture });
  warning(`${name} was built for ${own}, and is published for ${requested}, as requested`);
}
