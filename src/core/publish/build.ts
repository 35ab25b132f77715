import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { ManifestContent } from '../../oci/content.js';
import { MAX_DOCUMENT_SIZE, MAX_INDEX_ENTRIES } from '../../oci/documents.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { encodeIndex, type IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';
import { entryKey, entryServes } from '../../oci/select-entry.js';
import { formatReference } from '../../oci/reference.js';
import type { IndexRequest } from './request.js';
import type { ResolvedImage } from './resolved.js';

/**
 * Builds the index from its images: images in the order of the request, then all attestations.
 * Pure: the same images give the same bytes.
 * @throws {ManifestToolError} USAGE if nothing tells two images apart; FAILED if the index is too
 * large.
 */
export function buildIndex(
  request: IndexRequest,
  images: readonly ResolvedImage[],
): ManifestContent {
  const what = `publishing ${formatReference(request.target)}`;
  refuseDuplicates(what, images);
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
    indexTypeOf(request, images),
    entries,
    request.annotations ?? new Map(),
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
 * The entries of the index: images in the order of the request, then attestations, with the
 * requested annotations.
 */
export function indexEntries(
  request: IndexRequest,
  images: readonly ResolvedImage[],
): Descriptor[] {
  const entries = images.map(({ entry }) => entry);
  return [
    ...entries.filter((entry) => !isAttestation(entry)).map((entry) => annotated(request, entry)),
    ...entries.filter(isAttestation),
  ];
}

function annotated({ entryAnnotations = [] }: IndexRequest, entry: Descriptor): Descriptor {
  const wanted = entryAnnotations.filter(
    ({ platform }) => platform === undefined || entryServes(entry, platform),
  );
  if (wanted.length === 0) return entry;
  const added = wanted.flatMap(({ annotations }) => [...annotations]);
  return { ...entry, annotations: new Map([...(entry.annotations ?? []), ...added]) };
}

/** The type of the index; `auto` is decided by the images. Annotations need an OCI index. */
export function indexTypeOf(
  { type = 'auto', annotations, entryAnnotations = [] }: IndexRequest,
  images: readonly ResolvedImage[],
): IndexType {
  if (type !== 'auto') return type;
  const isDocker = images.every(({ entry }) => entry.mediaType === DOCKER_MANIFEST);
  return isDocker && (annotations?.size ?? 0) + entryAnnotations.length === 0 ? 'docker' : 'oci';
}

function refuseDuplicates(what: string, images: readonly ResolvedImage[]): void {
  const seen = new Map<string, ResolvedImage>();
  for (const image of images) {
    const { platform } = image.entry;
    if (platform === undefined || isAttestation(image.entry)) continue;
    const key = entryKey(image.entry);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new ManifestToolError(
        'USAGE',
        what,
        `two images have the platform ${formatPlatform(platform)}: ${other.name} (${other.manifest.digest}) and ${image.name} (${image.manifest.digest})`,
        { hint: 'omit one of them, or give it another variant or os version' },
      );
    }
    seen.set(key, image);
  }
}
