import { ManifestToolError } from '../errors.js';
import { listSome } from '../text.js';
import { imageEntries } from './attestation.js';
import type { Descriptor } from './descriptor.js';
import { formatPlatform, type Platform } from './platform.js';

/*
 * Which entry of an index serves a platform, and which platforms are the same: every part of the
 * program that compares platforms does it here.
 */

/** Equal for platforms with the same fields. manifest-tool refuses two images with equal ones. */
export function platformKey(platform: Platform): string {
  return keyOf(platform, platform.variant);
}

/**
 * Equal for platforms that a container runtime cannot tell apart: linux/arm64 and linux/arm64/v8.
 */
export function runtimeKey(platform: Platform): string {
  return keyOf(platform, effectiveVariant(platform));
}

function keyOf(
  { architecture, os, osVersion, osFeatures }: Platform,
  variant: string | undefined,
): string {
  return JSON.stringify([architecture, os, variant ?? '', osVersion ?? '', osFeatures ?? []]);
}

/** Variants that container runtimes assume for an architecture without one. */
const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm', 'v7'],
  ['arm64', 'v8'],
]);

function effectiveVariant({ architecture, variant }: Platform): string | undefined {
  return variant ?? DEFAULT_VARIANTS.get(architecture);
}

/**
 * Whether an image for `platform` can be used for a request: os and architecture must be equal, and
 * variant and os version if the request names them.
 */
export function servesPlatform(platform: Platform, request: Platform): boolean {
  return (
    platform.os === request.os &&
    platform.architecture === request.architecture &&
    (request.variant === undefined || effectiveVariant(platform) === effectiveVariant(request)) &&
    (request.osVersion === undefined || platform.osVersion === request.osVersion)
  );
}

/** Whether an entry can be used for a request. One without a platform serves none. */
export function entryServes({ platform }: Descriptor, request: Platform): boolean {
  return platform !== undefined && servesPlatform(platform, request);
}

/**
 * Images that a runtime never selects, because an earlier one has the same platform to it; each
 * with that one.
 */
export function shadowedEntries(
  images: readonly Descriptor[],
): ReadonlyMap<Descriptor, Descriptor> {
  const first = new Map<string, Descriptor>();
  const shadowed = new Map<Descriptor, Descriptor>();
  for (const image of images) {
    if (image.platform === undefined) continue;
    const key = runtimeKey(image.platform);
    const before = first.get(key);
    if (before === undefined) first.set(key, image);
    else shadowed.set(image, before);
  }
  return shadowed;
}

/** Platforms that are required and missing, and those that are there and not required. */
export function comparePlatforms(
  actual: readonly string[],
  required: readonly Platform[],
): { readonly missing: string[]; readonly extra: string[] } {
  const names = required.map(formatPlatform);
  return {
    missing: names.filter((name) => !actual.includes(name)),
    extra: actual.filter((name) => !names.includes(name)),
  };
}

/** An image that differs from this one only in having a variant; runtimes may prefer either. */
export function variantSibling(
  { platform }: Descriptor,
  images: readonly Descriptor[],
): Descriptor | undefined {
  if (platform === undefined || platform.variant !== undefined) return undefined;
  return images.find(
    (other) =>
      other.platform?.variant !== undefined &&
      entryServes(other, { os: platform.os, architecture: platform.architecture }),
  );
}

/**
 * The image of an index for one platform: the only one that serves it, or the only one of these
 * with exactly the requested variant. `what` is being done, for the error.
 * @throws {ManifestToolError} NOT_FOUND with reason `entry-not-found` if there is none, USAGE if
 * there are several.
 */
export function selectEntry(
  what: string,
  platform: Platform,
  entries: readonly Descriptor[],
): Descriptor {
  const images = imageEntries(entries);
  const serving = images.filter((entry) => entryServes(entry, platform));
  const exact = serving.filter((entry) => entry.platform?.variant === platform.variant);
  const [selected, ...others] = exact.length === 1 ? exact : serving;
  if (selected === undefined) {
    const why = `it has no entry for ${formatPlatform(platform)}; it has ${listEntries(images)}`;
    throw new ManifestToolError('NOT_FOUND', what, why, { reason: 'entry-not-found' });
  }
  if (others.length > 0) {
    const why = `several entries are for ${formatPlatform(platform)}: ${listEntries(serving)}`;
    throw new ManifestToolError('USAGE', what, why, {
      hint: 'name the variant or the os version as well, or the digest',
    });
  }
  return selected;
}

/** Platforms that a message lists; more are counted. */
const MAX_LISTED = 20;

/** The platforms of entries for a message, each once; the digest of one without a platform. */
export function listEntries(entries: readonly Descriptor[]): string {
  const names = new Set(
    entries.map(({ platform, digest }) =>
      platform === undefined ? digest : formatPlatform(platform),
    ),
  );
  return names.size === 0 ? 'none' : listSome([...names], MAX_LISTED);
}
