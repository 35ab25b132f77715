import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { ImageManifest } from '../../oci/documents.js';
import { present } from '../../oci/json/fields.js';
import {
  checkPlatform,
  formatPlatform,
  properPlatform,
  type Platform,
} from '../../oci/platform.js';
import { readConfig } from '../read/config.js';
import type { RequestedPlatform } from './request.js';

/**
 * Reads the platform in the config of an image; undefined if it names none, and for an artifact
 * without an image config. `name` is that of the image, for errors.
 * @throws {ManifestToolError} CORRUPT if the config cannot be read.
 */
export async function configPlatform(
  source: ImageReader,
  manifest: ImageManifest,
  name: string,
): Promise<Platform | undefined> {
  return (await readConfig(source, manifest, name))?.platform;
}

/** The platform of a config in the names of the specification. Warns if the config has others. */
export function namedPlatform(
  config: Platform,
  name: string,
  warning: (text: string) => void,
): Platform {
  const proper = properPlatform(config);
  const [own, published] = [formatPlatform(config), formatPlatform(proper)];
  if (own !== published)
    warning(`the config of ${name} names the platform ${own}; it is published as ${published}`);
  return proper;
}

/**
 * The platform of an entry. Fields that the request omits come from the config of the image; os and
 * architecture only if the request has neither, as manifest-tool does it. Warns if the image was
 * built for another os, architecture or variant.
 * @throws {ManifestToolError} USAGE if no container runtime would select the result.
 */
export function entryPlatform(
  requested: RequestedPlatform,
  written: Platform | undefined,
  name: string,
  warning: (text: string) => void,
): Platform {
  const request = properPlatform(requested);
  const isRequested = Boolean(request.os) && Boolean(request.architecture);
  const own = written ?? { os: '', architecture: '' };
  const config = properPlatform(own);
  const os = request.os || config.os;
  const architecture = request.architecture || config.architecture;
  warnOfContradiction(request, config, name, 'as requested', warning);
  const osVersion = request.osVersion || config.osVersion;
  const osFeatures = request.osFeatures?.length ? request.osFeatures : config.osFeatures;
  // The variant of another architecture means nothing here.
  const variant =
    request.variant || (config.architecture === architecture ? config.variant : undefined);
  if (!isRequested || (!request.variant && variant)) namedPlatform(own, name, warning);
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
      reason: 'platform-missing',
    });
  }
  checkPlatform(platform, what);
  return platform;
}

/**
 * Warns if the image of an entry was built for another os, architecture or variant than its index
 * lists.
 */
export function checkListedPlatform(
  listed: Platform,
  config: Platform,
  name: string,
  warning: (text: string) => void,
): void {
  const [request, own] = [properPlatform(listed), properPlatform(config)];
  warnOfContradiction(request, own, name, 'as its index lists it', warning);
}

function warnOfContradiction(
  request: RequestedPlatform,
  config: Platform,
  name: string,
  why: string,
  warning: (text: string) => void,
): void {
  const differs = (requested: string | undefined, own: string): boolean =>
    Boolean(requested) && own !== '' && requested !== own;
  const { os = '', architecture = '' } = request;
  const isOther =
    differs(request.os, config.os) || differs(request.architecture, config.architecture);
  const isOtherVariant = !isOther && differs(request.variant, config.variant ?? '');
  if (!isOther && !isOtherVariant) return;
  const shown = (variant?: string) => (isOtherVariant ? present('variant', variant) : {});
  const own = formatPlatform({
    os: config.os,
    architecture: config.architecture,
    ...shown(config.variant),
  });
  const requested = formatPlatform({
    os: os || config.os,
    architecture: architecture || config.architecture,
    ...shown(request.variant),
  });
  warning(`${name} was built for ${own}, and is published for ${requested}, ${why}`);
}
