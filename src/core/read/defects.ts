import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { Descriptor, ImageIndex } from '../../oci/documents.js';
import { formatPlatform, servesPlatform, type Platform } from '../../oci/platform.js';

/** One thing that is wrong, and where. */
export interface Defect {
  /** The digest of the entry, or the platform that is meant. */
  readonly where: string;
  /** In words; it may hold remote text. */
  readonly what: string;
}

/** A platform that is not the one which the image says of itself; what one of them leaves out is no contradiction. */
export function configDefects(where: string, { platform }: Descriptor, config: Platform): Defect[] {
  if (platform === undefined) return [{ where, what: 'has no platform in the list' }];
  const contradict = (own: string | undefined, listed: string | undefined): boolean =>
    Boolean(own) && Boolean(listed) && own !== listed;
  const differs =
    contradict(config.os, platform.os) ||
    contradict(config.architecture, platform.architecture) ||
    contradict(config.variant, platform.variant) ||
    contradict(config.osVersion, platform.osVersion);
  if (!differs) return [];
  return [
    {
      where,
      what: `is for ${formatPlatform(platform)} in the list, and for ${formatPlatform(config)} in its configuration`,
    },
  ];
}

/** What is wrong with a list as such: entries that are never taken, attestations without what they are for. */
export function indexDefects({ manifests }: ImageIndex): Defect[] {
  const images = manifests.filter((entry) => !isAttestation(entry));
  return [
    ...images.flatMap((entry, i) => shadowed(entry, images.slice(0, i))),
    ...unpaired(manifests, images),
  ];
}

/** A runtime takes the first entry that serves its platform: one behind it that serves no other is never taken. */
function shadowed({ digest, platform }: Descriptor, before: readonly Descriptor[]): Defect[] {
  if (platform === undefined) return [];
  const first = before.find(
    (entry) =>
      entry.platform !== undefined &&
      servesPlatform(entry.platform, platform) &&
      servesPlatform(platform, entry.platform) &&
      String(entry.platform.osFeatures ?? '') === String(platform.osFeatures ?? ''),
  );
  if (first === undefined) return [];
  return [
    {
      where: digest,
      what: `is for ${formatPlatform(platform)}, for which ${first.digest} stands before it`,
    },
  ];
}

function unpaired(manifests: readonly Descriptor[], images: readonly Descriptor[]): Defect[] {
  const digests = new Set<string>(images.map(({ digest }) => digest));
  return manifests.flatMap((entry): Defect[] => {
    const { digest: where, platform } = entry;
    if (isAttestation(entry)) {
      const subject = attestedDigest(entry);
      if (subject !== undefined && digests.has(subject)) return [];
      return [
        { where, what: `is an attestation for ${subject ?? 'nothing'}, which is not in the list` },
      ];
    }
    const isUnknown = platform?.os === 'unknown' && platform.architecture === 'unknown';
    return isUnknown ? [{ where, what: 'is for unknown/unknown, and no attestation' }] : [];
  });
}

/** Platforms that a list has to have and has not, or has and should not. */
export function platformDefects(
  entries: readonly (string | undefined)[],
  wanted: readonly Platform[] | undefined,
): Defect[] {
  if (wanted === undefined) return [];
  const have = entries.map((platform) => platform ?? 'an image without platform');
  const want = wanted.map(formatPlatform);
  const missing = want.filter((each) => !have.includes(each));
  const extra = have.filter((each) => !want.includes(each));
  return [
    ...missing.map((where) => ({ where, what: 'is demanded, and not in the list' })),
    ...extra.map((where) => ({ where, what: 'is in the list, and not demanded' })),
  ];
}
