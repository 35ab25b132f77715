import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { Descriptor } from '../../oci/documents.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';

/** Lists of more entries meet limits of registries (GitLab's is one). */
const MANY_ENTRIES = 100;

/** What is odd about a list that can be published all the same. */
export function indexWarnings(type: IndexType, entries: readonly Descriptor[]): string[] {
  const images = entries.filter((entry) => !isAttestation(entry));
  return [
    ...kindWarnings(type, images),
    ...images.flatMap(({ digest, platform }) =>
      platform === undefined ? [`${digest} has no platform in the list`] : [],
    ),
    ...sharedWarnings(images),
    ...unknownWarnings(entries, images),
    ...variantWarnings(images),
    ...(entries.length > MANY_ENTRIES
      ? [
          `the list has ${entries.length} entries; some registries take no more than ${MANY_ENTRIES}`,
        ]
      : []),
  ];
}

function kindWarnings(type: IndexType, images: readonly Descriptor[]): string[] {
  const docker = images.filter(({ mediaType }) => mediaType === DOCKER_MANIFEST).length;
  if (docker > 0 && docker < images.length) {
    return [
      `the list has ${docker} Docker images and ${images.length - docker} OCI images; some clients take only one kind`,
    ];
  }
  if (type === 'docker' && docker < images.length) {
    return [
      'the images are OCI images, and the list is a Docker manifest list; --type oci would fit them',
    ];
  }
  if (type === 'oci' && docker > 0) {
    return [
      'the images are Docker images, and the list is an OCI index; --type docker would fit them',
    ];
  }
  return [];
}

function sharedWarnings(images: readonly Descriptor[]): string[] {
  const byDigest = new Map<string, Descriptor[]>();
  for (const image of images)
    byDigest.set(image.digest, [...(byDigest.get(image.digest) ?? []), image]);
  return [...byDigest].flatMap(([digest, shared]) =>
    shared.length < 2
      ? []
      : [`${digest} is published for several platforms: ${shared.map(shown).join(', ')}`],
  );
}

function unknownWarnings(entries: readonly Descriptor[], images: readonly Descriptor[]): string[] {
  const digests = new Set<string>(images.map(({ digest }) => digest));
  return entries.flatMap((entry) => {
    const { os, architecture } = entry.platform ?? {};
    const subject = isAttestation(entry) ? attestedDigest(entry) : undefined;
    const isPaired = subject !== undefined && digests.has(subject);
    const isUnknown = os === 'unknown' && architecture === 'unknown';
    return isUnknown && !isPaired
      ? [`${entry.digest} is for unknown/unknown, and belongs to no image of the list`]
      : [];
  });
}

/** An image without variant beside one that has one: which of them a runtime takes is not what it seems. */
function variantWarnings(images: readonly Descriptor[]): string[] {
  return images.flatMap((image) => {
    const { platform } = image;
    if (platform === undefined || platform.variant !== undefined) return [];
    const sibling = images.find(
      (other) =>
        other.platform?.os === platform.os &&
        other.platform.architecture === platform.architecture &&
        other.platform.variant !== undefined,
    );
    return sibling === undefined
      ? []
      : [`${shown(image)} has no variant, and stands beside ${shown(sibling)}`];
  });
}

function shown({ platform, digest }: Descriptor): string {
  return platform === undefined ? digest : formatPlatform(platform);
}
