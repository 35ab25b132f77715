import { attestedDigest, imageEntries, isAttestation } from '../../oci/attestation.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { ImageIndex } from '../../oci/documents.js';
import { formatPlatform, isUnknownPlatform, type Platform } from '../../oci/platform.js';
import { comparePlatforms, shadowedEntries } from '../../oci/select-entry.js';

/** Something that is wrong, and where. */
export interface Defect {
  /** The digest of an entry, or a platform. */
  readonly where: string;
  /** A predicate for `where`; it may contain remote text. */
  readonly what: string;
}

/**
 * Finds a platform that contradicts the config of the image; a field that either omits does not.
 */
export function configDefects(where: string, { platform }: Descriptor, config: Platform): Defect[] {
  if (platform === undefined) return [{ where, what: 'has no platform in the index' }];
  const contradict = (own: string | undefined, listed: string | undefined): boolean =>
    Boolean(own) && Boolean(listed) && own !== listed;
  const differs =
    contradict(config.os, platform.os) ||
    contradict(config.architecture, platform.architecture) ||
    contradict(config.variant, platform.variant) ||
    contradict(config.osVersion, platform.osVersion);
  if (!differs) return [];
  const [listed, own] = [formatPlatform(platform), formatPlatform(config)];
  return [{ where, what: `is for ${listed} in the index, and for ${own} in its config` }];
}

/** Finds entries that are never selected, and attestations without the image that they are for. */
export function indexDefects({ manifests }: ImageIndex): Defect[] {
  const images = imageEntries(manifests);
  const shadowed = shadowedEntries(images);
  return [
    ...images.flatMap((entry) => shadowDefects(entry, shadowed.get(entry))),
    ...unpairedDefects(manifests, images),
  ];
}

function shadowDefects({ digest, platform }: Descriptor, before: Descriptor | undefined): Defect[] {
  if (platform === undefined || before === undefined) return [];
  const what = `is for ${formatPlatform(platform)}, for which ${before.digest} comes before it`;
  return [{ where: digest, what }];
}

function unpairedDefects(
  manifests: readonly Descriptor[],
  images: readonly Descriptor[],
): Defect[] {
  const digests = new Set<string>(images.map(({ digest }) => digest));
  return manifests.flatMap((entry): Defect[] => {
    const { digest: where, platform } = entry;
    if (isAttestation(entry)) {
      const subject = attestedDigest(entry);
      if (subject !== undefined && digests.has(subject)) return [];
      const what = `is an attestation for ${subject ?? 'nothing'}, which is not in the index`;
      return [{ where, what }];
    }
    const isUnknown = isUnknownPlatform(platform ?? {});
    return isUnknown ? [{ where, what: 'is for unknown/unknown, and not an attestation' }] : [];
  });
}

/** Finds required platforms that are missing, and others that are not required. */
export function platformDefects(
  entries: readonly (string | undefined)[],
  required: readonly Platform[] | undefined,
): Defect[] {
  if (required === undefined) return [];
  const actual = entries.map((platform) => platform ?? 'an image without platform');
  const { missing, extra } = comparePlatforms(actual, required);
  return [
    ...missing.map((where) => ({ where, what: 'is required, and not in the index' })),
    ...extra.map((where) => ({ where, what: 'is in the index, and not required' })),
  ];
}
