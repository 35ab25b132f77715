import { attestedDigest, imageEntries, isAttestation } from '../../oci/attestation.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { ImageIndex, ImageManifest } from '../../oci/documents.js';
import { announcedLayers, type ImageConfig } from '../../oci/image-config.js';
import { isConfigType } from '../../oci/media-types.js';
import { formatPlatform, isUnknownPlatform, type Platform } from '../../oci/platform.js';
import { platformsContradict, shadowedEntries } from '../../oci/select-entry.js';
import { countOf } from '../../text.js';

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
  if (!platformsContradict(config, platform)) return [];
  const [listed, own] = [formatPlatform(platform), formatPlatform(config)];
  return [{ where, what: `is for ${listed} in the index, and for ${own} in its config` }];
}

/** Finds an image config that is for another number of layers than the image has. */
export function layerDefects(
  where: string,
  { config: { mediaType }, layers = [] }: ImageManifest,
  config: ImageConfig,
): Defect[] {
  const announced = isConfigType(mediaType) ? announcedLayers(config) : undefined;
  if (announced === undefined || announced === layers.length) return [];
  const what = `has ${countOf(layers.length, 'layer')}, and its config is for ${announced} (rootfs.diff_ids)`;
  return [{ where, what }];
}

/** Finds images that nothing tells apart from an earlier one: legal, but never selected. */
export function duplicateEntries({ manifests }: ImageIndex): Defect[] {
  return [...shadowedEntries(imageEntries(manifests))].map(([{ digest, platform }, before]) => ({
    where: digest,
    what: `is for ${formatPlatform(platform!)}, for which ${before.digest} comes before it`,
  }));
}

/**
 * Finds that an index has no entries, attestations without the image that they are for, and other
 * entries for no platform; `where` is the digest of the index.
 */
export function indexDefects(where: string, { manifests }: ImageIndex): Defect[] {
  if (manifests.length === 0) return [{ where, what: 'is an index without entries' }];
  const images = imageEntries(manifests);
  const digests = new Set<string>(images.map(({ digest }) => digest));
  return manifests.flatMap((entry): Defect[] => {
    const { digest, platform } = entry;
    if (isAttestation(entry)) {
      const subject = attestedDigest(entry);
      if (subject !== undefined && digests.has(subject)) return [];
      const what = `is an attestation for ${subject ?? 'nothing'}, which is not in the index`;
      return [{ where: digest, what }];
    }
    const isUnknown = isUnknownPlatform(platform ?? {});
    return isUnknown
      ? [{ where: digest, what: 'is for unknown/unknown, and not an attestation' }]
      : [];
  });
}
