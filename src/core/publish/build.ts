import { ManifestToolError, type ErrorReason } from '../../errors.js';
import { changedAnnotations } from '../../oci/annotations.js';
import { isAttestation } from '../../oci/attestation.js';
import { Companions, imageEntries } from '../../oci/companions.js';
import type { ManifestContent } from '../../oci/content.js';
import { MAX_DOCUMENT_SIZE, MAX_INDEX_ENTRIES } from '../../oci/limits.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { encodeIndex, type IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST } from '../../oci/media-types.js';
import { formatPlatform, isUnknownPlatform } from '../../oci/platform.js';
import { entryKey, entryServes } from '../../oci/select-entry.js';
import { formatReference } from '../../oci/reference.js';
import { ociOnlyPart, type EntryAnnotations, type IndexRequest } from './request.js';
import type { ResolvedImage } from './resolved-image.js';

/**
 * Builds the index from its images: in the order of {@link indexEntries}.
 * Pure: the same images give the same bytes.
 * @throws {ManifestToolError} USAGE if nothing tells two images apart, or a Docker manifest
 * list would have an artifact; NOT_FOUND if annotations are
 * for a platform that no image has; FAILED if the index is too large.
 */
export function buildIndex(
  request: IndexRequest,
  images: readonly ResolvedImage[],
): ManifestContent {
  const what = `publishing ${formatReference(request.target)}`;
  refuseDuplicates(what, images);
  const [unmatched] = request.ignoreMissing === true ? [] : unmatchedAnnotations(request, images);
  if (unmatched !== undefined) {
    throw new ManifestToolError('NOT_FOUND', what, unmatched, {
      hint: 'use one of these platforms, or omit the annotation',
    });
  }
  const type = indexTypeOf(request, images);
  if (type === 'docker') refuseArtifacts(what, images, 'docker-artifact');
  const entries = indexEntries(request, images);
  if (images.length > MAX_INDEX_ENTRIES) {
    throw new ManifestToolError(
      'FAILED',
      what,
      `the index has ${images.length} entries, more than ${MAX_INDEX_ENTRIES}`,
      { hint: 'split it into several indexes' },
    );
  }
  const index = encodeIndex(
    type,
    entries,
    changedAnnotations(undefined, request.annotations ?? new Map()),
    request.artifactType,
  );
  checkIndexSize(what, index.size);
  return index;
}

/**
 * @throws {ManifestToolError} FAILED if an index of this many bytes is larger than registries
 * accept.
 */
export function checkIndexSize(what: string, size: number): void {
  if (size <= MAX_DOCUMENT_SIZE) return;
  const why = `the index has ${size} bytes, more than the ${MAX_DOCUMENT_SIZE} that registries accept`;
  throw new ManifestToolError('FAILED', what, why, { hint: 'omit annotations or images' });
}

/**
 * The entries of the index, with the requested annotations: in the order of the request, except
 * that the attestations of sources that are indexes follow everything else.
 */
export function indexEntries(
  request: IndexRequest,
  images: readonly ResolvedImage[],
): Descriptor[] {
  const isLast = ({ entry, isNamed }: ResolvedImage): boolean =>
    isAttestation(entry) && isNamed !== true;
  const companions = new Companions(images.map(({ entry }) => entry));
  const entries = [...images.filter((image) => !isLast(image)), ...images.filter(isLast)];
  return entries.map(({ entry }) => (companions.has(entry) ? entry : annotated(request, entry)));
}

function annotated({ entryAnnotations = [] }: IndexRequest, entry: Descriptor): Descriptor {
  const wanted = entryAnnotations.filter((each) => isFor(each, entry));
  if (wanted.length === 0) return entry;
  const { annotations: held, ...rest } = entry;
  const annotations = changedAnnotations(
    held,
    new Map(wanted.flatMap((each) => [...each.annotations])),
  );
  return annotations.size === 0 ? rest : { ...rest, annotations };
}

/** Whether annotations apply to an image. */
function isFor({ platform }: EntryAnnotations, entry: Descriptor): boolean {
  return platform === undefined || entryServes(entry, platform);
}

/**
 * What is wrong with annotations for a platform that no image has; one line for each, with the
 * platforms that there are.
 */
export function unmatchedAnnotations(
  { entryAnnotations = [] }: IndexRequest,
  images: readonly ResolvedImage[],
): string[] {
  const entries = imageEntries(images.map(({ entry }) => entry));
  const shown = entries.map(({ platform, digest }) =>
    platform ? formatPlatform(platform) : digest,
  );
  return entryAnnotations.flatMap((each) => {
    if (each.platform === undefined || entries.some((entry) => isFor(each, entry))) return [];
    const keys = [...each.annotations.keys()].join(', ');
    return `the annotation ${keys} is for ${formatPlatform(each.platform)}, but no image is; the images are for ${shown.join(', ')}`;
  });
}

/** The type of the index; `auto` is decided by the entries and by what only an OCI index has. */
export function indexTypeOf(request: IndexRequest, images: readonly ResolvedImage[]): IndexType {
  const { type = 'auto' } = request;
  if (type !== 'auto') return type;
  const isDocker = images.every(
    ({ entry: { mediaType, platform, artifactType } }) =>
      mediaType === DOCKER_MANIFEST && platform !== undefined && artifactType === undefined,
  );
  return isDocker && ociOnlyPart(request) === undefined ? 'docker' : 'oci';
}

/**
 * Refuses artifacts in a Docker manifest list: there each entry has a platform, and none an artifact
 * type (Docker image manifest v2.2, manifest list), so that a runtime could select an artifact.
 * @throws {ManifestToolError} USAGE with the given reason.
 */
export function refuseArtifacts(
  what: string,
  images: readonly ResolvedImage[],
  reason: ErrorReason,
): void {
  for (const { entry, name } of images) {
    const { platform, artifactType } = entry;
    const isSelectable = platform !== undefined && !isUnknownPlatform(platform);
    if (platform !== undefined && !(isSelectable && artifactType)) continue;
    const why =
      platform === undefined
        ? `${name} has no platform, but each entry of a Docker manifest list needs one`
        : `${name} is an artifact (${artifactType}), but a Docker manifest list can contain only images`;
    throw new ManifestToolError('USAGE', what, why, { reason });
  }
}

function refuseDuplicates(what: string, images: readonly ResolvedImage[]): void {
  const companions = new Companions(images.map(({ entry }) => entry));
  const seen = new Map<string, ResolvedImage>();
  for (const image of images) {
    const { platform } = image.entry;
    if (platform === undefined || companions.has(image.entry)) continue;
    const key = entryKey(image.entry);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new ManifestToolError(
        'USAGE',
        what,
        `two images have the platform ${formatPlatform(platform)}: ${other.name} (${other.manifest.digest}) and ${image.name} (${image.manifest.digest})`,
        { hint: 'omit one of them, or give it a different variant or OS version' },
      );
    }
    seen.set(key, image);
  }
}
