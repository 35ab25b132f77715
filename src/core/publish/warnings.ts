import { companionsIn, imageEntries } from '../../oci/companions.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import { ManifestToolError } from '../../errors.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST } from '../../oci/media-types.js';
import { formatPlatform, isUnknownPlatform } from '../../oci/platform.js';
import { variantSibling } from '../../oci/select-entry.js';
import type { ProgressEvents } from '../events.js';

/** More entries exceed limits of some registries, such as GitLab's. */
const MANY_ENTRIES = 100;

/** Passes warnings on and collects them, for `strict`. */
export class WarningCollector {
  readonly warnings: string[] = [];
  readonly events: ProgressEvents;

  constructor(events: ProgressEvents) {
    const warning = (text: string): void => {
      this.warnings.push(text);
      events.warning?.(text);
    };
    this.events = { ...events, warning };
  }
}

/**
 * Turns warnings into an error.
 * @throws {ManifestToolError} USAGE with each of them, if there are any.
 */
export function refuseWarnings(what: string, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const count = warnings.length;
  const are = count === 1 ? 'a warning is an error' : `${count} warnings are errors`;
  const why = `${are} in strict mode: ${warnings.join('; ')}`;
  throw new ManifestToolError('USAGE', what, why, {
    reason: 'warnings-refused',
    data: { count },
  });
}

/** Warnings about an index that is unusual but valid; `artifacts` are those of its entries. */
export function indexWarnings(
  type: IndexType,
  entries: readonly Descriptor[],
  artifacts: ReadonlySet<Digest> = new Set(),
): string[] {
  const images = imageEntries(entries);
  return [
    ...kindWarnings(type, images),
    ...(type === 'docker' ? dockerListWarnings(entries) : []),
    ...images.flatMap(({ digest, platform }) =>
      platform === undefined && !artifacts.has(digest)
        ? [`${digest} has no platform in the index`]
        : [],
    ),
    ...sharedWarnings(images),
    ...unknownWarnings(entries),
    ...variantWarnings(images),
    ...(entries.length > MANY_ENTRIES
      ? [`the index has ${entries.length} entries; some registries accept at most ${MANY_ENTRIES}`]
      : []),
  ];
}

/** Warnings of what a Docker manifest list does not keep of entries. */
export function dockerListWarnings(entries: readonly Descriptor[]): string[] {
  return entries.flatMap(({ digest, artifactType, data }) => {
    const lost = [
      ...(artifactType ? [`the artifact type ${artifactType}`] : []),
      ...(data ? ['the embedded data'] : []),
    ];
    return lost.length === 0
      ? []
      : [`a Docker manifest list does not keep ${lost.join(' and ')} of ${digest}`];
  });
}

function kindWarnings(type: IndexType, images: readonly Descriptor[]): string[] {
  const docker = images.filter(({ mediaType }) => mediaType === DOCKER_MANIFEST).length;
  if (docker > 0 && docker < images.length) {
    return [
      `the index has ${docker} Docker images and ${images.length - docker} OCI images; some clients accept only one of the two`,
    ];
  }
  if (type === 'docker' && docker < images.length) {
    return [
      'the images are OCI images, but the index is a Docker manifest list; an OCI index would match them',
    ];
  }
  if (type === 'oci' && docker > 0) {
    return [
      'the images are Docker images, but the index is an OCI index; a Docker manifest list would match them',
    ];
  }
  return [];
}

function sharedWarnings(images: readonly Descriptor[]): string[] {
  const byDigest = new Map<string, Descriptor[]>();
  for (const image of images) {
    const shared = byDigest.get(image.digest);
    if (shared === undefined) byDigest.set(image.digest, [image]);
    else shared.push(image);
  }
  return [...byDigest].flatMap(([digest, shared]) =>
    shared.length < 2
      ? []
      : [`${digest} is published for several platforms: ${shared.map(shown).join(', ')}`],
  );
}

function unknownWarnings(entries: readonly Descriptor[]): string[] {
  const companions = companionsIn(entries);
  return entries.flatMap((entry) => {
    const isUnknown = isUnknownPlatform(entry.platform ?? {});
    return isUnknown && !companions.isOwned(entry) && !entry.artifactType
      ? [`${entry.digest} is for unknown/unknown, but belongs to no image of the index`]
      : [];
  });
}

/**
 * An image without a variant beside one with a variant: a runtime may select the other one than
 * expected.
 */
function variantWarnings(images: readonly Descriptor[]): string[] {
  const varied = images.filter(({ platform }) => platform?.variant !== undefined);
  return images.flatMap((image) => {
    const sibling = variantSibling(image, varied);
    return sibling === undefined
      ? []
      : [`${shown(image)} has no variant, but the index also has ${shown(sibling)}`];
  });
}

function shown({ platform, digest }: Descriptor): string {
  return platform === undefined ? digest : formatPlatform(platform);
}
