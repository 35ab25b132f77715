import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { ImageManifest } from '../../oci/documents.js';
import { present } from '../../oci/json/fields.js';
import {
  checkPlatform,
  formatPlatform,
  isNoPlatform,
  properPlatform,
  type Platform,
} from '../../oci/platform.js';
import { readConfig } from '../read/read-config.js';
import type { RequestedPlatform } from './request.js';
import type { ResolvedImage } from './resolved-image.js';

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
    warning(`the config of ${name} has the platform ${own}; it is published as ${published}`);
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
 * Warns of images that were built for another os, architecture or variant than the index that they
 * come from lists. A config that is missing or damaged is left to those who need it.
 * @throws {ManifestToolError} what the readers throw otherwise.
 */
export async function checkListedPlatforms(
  images: readonly ResolvedImage[],
  warning: (text: string) => void,
): Promise<void> {
  /** By the digest of the config: its content is the same wherever it is read. */
  const configs = new Map<Digest, Promise<Platform | undefined>>();
  const warnings = await mapInOrder(images, async (image) => {
    const { entry, manifest, source, name, isPlatformListed } = image;
    const { document } = manifest;
    const listed = entry.platform;
    const isCompared = isPlatformListed === true && listed !== undefined && !isNoPlatform(listed);
    if (!isCompared || document.kind !== 'manifest') return [];
    const { digest } = document.config;
    const reading =
      configs.get(digest) ?? configPlatform(source, document, name).catch(undefinedIfFaulty);
    configs.set(digest, reading);
    const config = await reading;
    const texts: string[] = [];
    if (config !== undefined) {
      const [request, own] = [properPlatform(listed), properPlatform(config)];
      warnOfContradiction(request, own, name, 'as its index lists it', (text) => texts.push(text));
    }
    return texts;
  });
  for (const text of warnings.flat()) warning(text);
}

function undefinedIfFaulty(error: unknown): undefined {
  const isFault = error instanceof ManifestToolError && /^(NOT_FOUND|CORRUPT)$/.test(error.code);
  if (!isFault) throw error;
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
  warning(`${name} was built for ${own}, but is published for ${requested}, ${why}`);
}
