import { ManifestToolError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { NO_IMAGE_HINT, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { JsonValue } from '../oci/json/parse.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import { referrerDescriptor, referrersTag } from '../oci/referrers.js';
import { parsing } from './errors.js';
import { findNamed, indexEntries } from './names.js';
import type { LayoutFiles } from './layout-files.js';

/**
 * Finds the referrers of a manifest in a layout: manifests in index.json whose `subject` it is, and
 * the entries of the index under its referrers tag, which some tools write in layouts as well.
 */
export async function findReferrers(
  what: string,
  files: LayoutFiles,
  indexJson: JsonValue,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const [entries, tagged] = parsing(what, files.indexFile, () => [
    indexEntries(indexJson).filter(
      ({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType),
    ),
    findNamed(indexJson, referrersTag(subject)),
  ]);
  const found = new Map<Digest, Descriptor>();
  for (const entry of entries) {
    const manifest = await readIfAny(what, files, entry);
    if (manifest?.document.subject?.digest !== subject) continue;
    found.set(entry.digest, referrerDescriptor(manifest));
  }
  const index = tagged[0] && (await readIfAny(what, files, tagged[0]));
  if (index?.document.kind === 'index') {
    for (const entry of index.document.manifests) found.set(entry.digest, entry);
  }
  return [...found.values()];
}

/**
 * Reads a manifest; undefined if its blob is missing, as a layout allows (OCI image-spec,
 * image-layout.md, Blobs).
 */
async function readIfAny(
  what: string,
  files: LayoutFiles,
  { digest, size, mediaType }: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>,
) {
  try {
    const bytes = await files.readBlob(what, digest, size);
    const file = files.fileOf(what, digest);
    const parsed = parsing(what, file, () => parseDocument(bytes, mediaType), NO_IMAGE_HINT);
    return { ...parsed, digest, size: bytes.length, bytes };
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
