import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import { companionsIn, imageEntries } from '../../oci/companions.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { ImageIndex, ImageManifest } from '../../oci/documents.js';
import { announcedLayers, isArtifact, type ImageConfig } from '../../oci/image-config.js';
import {
  formatPlatform,
  isEmptyPlatform,
  isUnknownPlatform,
  type Platform,
} from '../../oci/platform.js';
import { platformsContradict, shadowedEntries } from '../../oci/select-entry.js';
import { countOf } from '../../text.js';

/** What can be required of an image or index; as the options of `verifyImage` name it. */
export type Requirement = 'platforms' | 'atLeast' | 'sameAs' | 'sameLabels' | 'attestations';

/** Something that is wrong, and where. */
export interface Defect {
  /** The digest of an entry, or a platform. */
  readonly where: string;
  /** A predicate for `where`; it may contain remote text. */
  readonly what: string;
  /** The requirement that is not met; undefined for what is wrong by itself. */
  readonly requirement?: Requirement;
  /** A fault that copying the content again does not repair. */
  readonly fault?: ContentFault;
}

/**
 * Content that readers could interpret differently, an index without entries, a program that is
 * started and of another architecture, or a platform that is not among those required.
 */
export type ContentFault = 'ambiguous' | 'empty' | 'architecture' | 'unexpected';

/**
 * Finds a platform that is missing, unless the entry is an artifact, or that contradicts the config of
 * the image.
 */
export function entryPlatformDefects(
  { digest: where, platform }: Descriptor,
  config: Platform | undefined,
  isOfArtifact: boolean,
): Defect[] {
  if (platform === undefined)
    return isOfArtifact ? [] : [{ where, what: 'has no platform in the index' }];
  if (config === undefined || isUnknownPlatform(config)) return [];
  if (!platformsContradict(config, platform)) return [];
  const [listed, own] = [formatPlatform(platform), formatPlatform(config)];
  return [{ where, what: `is for ${listed} in the index, but for ${own} in its config` }];
}

/** Finds an image config that is for another number of layers than the image has. */
export function layerDefects(
  where: string,
  manifest: ImageManifest,
  config: ImageConfig,
): Defect[] {
  const { layers = [] } = manifest;
  const announced = isArtifact(manifest) ? undefined : announcedLayers(config);
  if (announced === undefined || announced === layers.length) return [];
  const what = `has ${countOf(layers.length, 'layer')}, but its config lists ${announced} (rootfs.diff_ids)`;
  return [{ where, what }];
}

/** Finds images that nothing tells apart from an earlier one: legal, but never selected. */
export function duplicateEntries({ manifests }: ImageIndex): Defect[] {
  return [...shadowedEntries(imageEntries(manifests))].map(([{ digest, platform }, before]) => ({
    where: digest,
    what: `is for ${formatPlatform(platform!)}, but ${before.digest} comes first for that platform`,
  }));
}

/**
 * Defects of the entries of an index: none at all, an attestation whose image is missing, an image
 * without a platform, an incomplete platform. `where` is the digest of the index.
 */
export function indexDefects(where: string, { manifests }: ImageIndex): Defect[] {
  if (manifests.length === 0)
    return [{ where, what: 'is an index without entries', fault: 'empty' }];
  const companions = companionsIn(manifests);
  const digests = new Set<string>(manifests.map(({ digest }) => digest));
  return manifests.flatMap((entry): Defect[] => {
    const { digest, platform, artifactType } = entry;
    const incomplete = platform === undefined ? [] : incompletePlatform(digest, platform);
    if (isAttestation(entry)) {
      const subject = attestedDigest(entry);
      if (subject !== undefined && digests.has(subject)) return incomplete;
      const what = `is an attestation for ${subject ?? 'nothing'}, which is not in the index`;
      return [{ where: digest, what }, ...incomplete];
    }
    const isForNothing = !companions.isOwned(entry) && !artifactType;
    return isForNothing && isUnknownPlatform(platform ?? {})
      ? [{ where: digest, what: 'is for unknown/unknown, but is not an attestation' }]
      : incomplete;
  });
}

/** Finds a platform without os or architecture, which it must have (OCI image-spec, image-index.md). */
function incompletePlatform(where: string, platform: Platform): Defect[] {
  const { os, architecture } = platform;
  if (isEmptyPlatform(platform)) return [{ where, what: 'has an empty platform in the index' }];
  if (os !== '' && architecture !== '') return [];
  const missing = os === '' ? 'os' : 'architecture';
  return [{ where, what: `has a platform without ${missing} in the index` }];
}
