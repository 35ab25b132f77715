import { ManifestToolError } from '../errors.js';
import { listSome } from '../text.js';
import { imageEntries } from './companions.js';
import type { Descriptor } from './descriptor.js';
import { present } from './json/fields.js';
import { formatPlatform, properPlatform, type Platform } from './platform.js';

/*
 * Which entry of an index serves a platform, and which platforms are the same: every part of the
 * program that compares platforms does it here.
 */

/**
 * Equal for platforms that a container runtime cannot tell apart: linux/arm64, linux/arm64/v8 and
 * linux/aarch64 (containerd/platforms, database.go and compare.go).
 */
export function platformKey(platform: Platform): string {
  const { architecture, os, variant, osVersion, osFeatures } = normalized(platform);
  const features = (osFeatures ?? []).toSorted();
  return JSON.stringify([architecture, os, variant ?? '', osVersion ?? '', features]);
}

/** Variants that container runtimes assume for an architecture without one. */
const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ['amd64', 'v1'],
  ['arm', 'v7'],
  ['arm64', 'v8'],
]);

/** A platform in the names of the specification, with the default variant filled in. */
function normalized(platform: Platform): Platform {
  const proper = properPlatform(platform);
  const variant = proper.variant?.toLowerCase() || DEFAULT_VARIANTS.get(proper.architecture);
  return { ...proper, ...present('variant', variant) };
}

/**
 * Whether two platforms contradict each other: they name a different os, architecture, variant, os
 * version or os features. A field that either omits contradicts nothing.
 */
export function platformsContradict(a: Platform, b: Platform): boolean {
  const [one, other] = [properPlatform(a), properPlatform(b)];
  const differs = (['os', 'architecture', 'variant', 'osVersion'] as const).some(
    (field) => Boolean(one[field]) && Boolean(other[field]) && one[field] !== other[field],
  );
  if (differs || !one.osFeatures?.length || !other.osFeatures?.length) return differs;
  return (
    !includesAll(one.osFeatures, other.osFeatures) || !includesAll(other.osFeatures, one.osFeatures)
  );
}

function includesAll(names: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((name) => names.includes(name));
}

/**
 * Whether an image for `platform` can be used for a request: os and architecture must be equal, and
 * variant and os version if the request names them; it has all os features of the request.
 */
export function servesPlatform(platform: Platform, request: Platform): boolean {
  const [own, wanted] = [normalized(platform), normalized(request)];
  return (
    own.os === wanted.os &&
    own.architecture === wanted.architecture &&
    (properPlatform(request).variant === undefined || own.variant === wanted.variant) &&
    (wanted.osVersion === undefined || own.osVersion === wanted.osVersion) &&
    includesAll(own.osFeatures ?? [], wanted.osFeatures ?? [])
  );
}

/** Whether an entry can be used for a request. One without a platform serves none. */
export function entryServes({ platform }: Descriptor, request: Platform): boolean {
  return platform !== undefined && servesPlatform(platform, request);
}

/** Annotations of an entry that name its compression, as podman writes them. */
const COMPRESSION = /^io\.github\.containers\.compression\./;

/**
 * Equal for entries that a client cannot tell apart: the same platform, artifact type and
 * compression.
 */
export function entryKey({
  platform,
  artifactType,
  annotations,
}: Pick<Descriptor, 'platform' | 'artifactType' | 'annotations'>): string {
  const compression = [...(annotations ?? [])].filter(([key]) => COMPRESSION.test(key));
  const names = compression.map(([key, value]) => `${key}=${value}`).toSorted();
  return JSON.stringify([platform && platformKey(platform), artifactType ?? '', names]);
}

/** Images that nothing tells apart from an earlier one; each with that one. */
export function shadowedEntries(
  images: readonly Descriptor[],
): ReadonlyMap<Descriptor, Descriptor> {
  const first = new Map<string, Descriptor>();
  const shadowed = new Map<Descriptor, Descriptor>();
  for (const image of images) {
    if (image.platform === undefined) continue;
    const key = entryKey(image);
    const before = first.get(key);
    if (before === undefined) first.set(key, image);
    else shadowed.set(image, before);
  }
  return shadowed;
}

/**
 * Platforms that are required and missing, and those that are there and not required. A required
 * platform without os features is also met by one with any, unless that is required itself.
 */
export function comparePlatforms(
  actual: readonly Platform[],
  required: readonly Platform[],
): { readonly missing: Platform[]; readonly extra: Platform[] } {
  const keys = new Set(required.map(platformKey));
  const metBy = (platform: Platform): string | undefined => {
    const candidates = [platform, { ...platform, osFeatures: [] }];
    return candidates.map(platformKey).find((key) => keys.has(key));
  };
  const met = new Set(actual.map(metBy));
  return {
    missing: required.filter((platform) => !met.has(platformKey(platform))),
    extra: actual.filter((platform) => metBy(platform) === undefined),
  };
}

/**
 * Required platforms that are missing; more are fine. A required platform without an os version or
 * os features is met by one with any.
 */
export function missingPlatforms(
  actual: readonly Platform[],
  required: readonly Platform[],
): readonly Platform[] {
  const all = actual.flatMap((platform) => {
    const { osVersion: _, ...anyVersion } = platform;
    return [platform, anyVersion];
  });
  return comparePlatforms(all, required).missing;
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
 * The images that serve a platform, best first: those for exactly that platform, or if there are
 * none, those that are compatible, in the order of the index (OCI image-spec, image-index.md: the
 * first that matches should be used). Of the arm variants, the highest up to v7 is best.
 */
export function matchingEntries(platform: Platform, entries: readonly Descriptor[]): Descriptor[] {
  const serving = imageEntries(entries).filter((entry) => entryServes(entry, platform));
  const key = platformKey(platform);
  const exact = serving.filter((entry) => entry.platform && platformKey(entry.platform) === key);
  if (exact.length > 0) return exact;
  if (normalized(platform).architecture !== 'arm') return serving;
  const rank = (entry: Descriptor): number => {
    const level = variantLevel(entry.platform!);
    return level > ARM_V7 ? level : -level;
  };
  return serving.toSorted((a, b) => rank(a) - rank(b));
}

const ARM_V7 = 7;

/** 8.2 for v8.2; 0 without a variant of that form. */
function variantLevel(platform: Platform): number {
  return Number(/^v(\d+(?:\.\d+)?)$/.exec(normalized(platform).variant ?? '')?.[1] ?? 0);
}

/** Whether a platform needs more than the default variant of its architecture. */
function exceedsDefault(platform: Platform): boolean {
  const { os, architecture } = properPlatform(platform);
  return variantLevel(platform) > variantLevel({ os, architecture });
}

/** Callbacks of a selection. */
export interface SelectionEvents {
  /** Several entries serve the platform, which is legal. */
  readonly note?: (text: string) => void;
  /** The entry may not run on every machine of the platform. */
  readonly warning?: (text: string) => void;
}

/**
 * The image of an index for one platform: the first of {@link matchingEntries}. `what` is being
 * done, for messages.
 * @throws {ManifestToolError} NOT_FOUND with reason `entry-not-found` if there is none.
 */
export function selectEntry(
  what: string,
  platform: Platform,
  entries: readonly Descriptor[],
  events: SelectionEvents = {},
): Descriptor {
  const matching = matchingEntries(platform, entries);
  const [selected] = matching;
  const wanted = formatPlatform(platform);
  if (selected === undefined) {
    const why =
      entries.length === 0
        ? 'it is an index with no entries'
        : `it has no entry for ${wanted}; it has ${listEntries(imageEntries(entries))}`;
    throw new ManifestToolError('NOT_FOUND', what, why, { reason: 'entry-not-found' });
  }
  const count = new Set(matching.map(({ digest }) => digest)).size;
  const own = formatPlatform(selected.platform!);
  if (count > 1)
    events.note?.(`${what}: ${count} entries are for ${wanted}; using ${own}, ${selected.digest}`);
  if (platform.variant === undefined && exceedsDefault(selected.platform!)) {
    const why = `${own} is used for ${wanted}, but does not run on every ${wanted} machine`;
    events.warning?.(`${what}: ${why}`);
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
