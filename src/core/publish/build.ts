import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { ManifestContent } from '../../oci/content.js';
import { MAX_DOCUMENT_SIZE, MAX_INDEX_ENTRIES, type Descriptor } from '../../oci/documents.js';
import { encodeIndex, type IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST } from '../../oci/media-types.js';
import { formatPlatform, platformKey, servesPlatform } from '../../oci/platform.js';
import { formatReference } from '../../oci/reference.js';
import type { IndexRequest } from './request.js';
import type { ResolvedImage } from './resolved.js';

/** After an error about a list with too many bytes: images and annotations are what it is made of. */
export const TOO_LARGE_HINT = 'leave annotations or images out of it';

/**
 * The list itself, from its images: images in the order of the request, attestations after all of them. Pure: the same images give the
 * same bytes.
 * @throws {ManifestToolError} USAGE where two images have one platform; FAILED where it is too large.
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
      `the list has ${images.length} entries, more than ${MAX_INDEX_ENTRIES}`,
      { hint: 'make several lists of them' },
    );
  }
  const list = encodeIndex(indexTypeOf(request, images), entries, request.annotations ?? new Map());
  if (list.size > MAX_DOCUMENT_SIZE) {
    throw new ManifestToolError(
      'FAILED',
      what,
      `the list has ${list.size} bytes, more than the ${MAX_DOCUMENT_SIZE} that registries take`,
      { hint: TOO_LARGE_HINT },
    );
  }
  return list;
}

/** The entries of a list: images in the order of the request, then attestations; with the annotations that are asked for. */
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
    ({ platform }) =>
      platform === undefined || (entry.platform && servesPlatform(entry.platform, platform)),
  );
  if (wanted.length === 0) return entry;
  const added = wanted.flatMap(({ annotations }) => [...annotations]);
  return { ...entry, annotations: new Map([...(entry.annotations ?? []), ...added]) };
}

/** The kind of a list of which the user has not said it; annotations need an OCI index. */
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
    const key = platformKey(platform);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new ManifestToolError(
        'USAGE',
        what,
        `two images are for ${formatPlatform(platform)}: ${other.name} (${other.manifest.digest}) and ${image.name} (${image.manifest.digest})`,
        { hint: 'leave one of them out, or give it another variant or os version' },
      );
    }
    seen.set(key, image);
  }
}
