import { mapInOrder } from '../concurrency.js';
import { ManifestToolError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { NO_IMAGE_HINT, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../oci/json/parse.js';
import { isIndexType, isManifestType } from '../oci/media-types.js';
import { referrerDescriptor, referrersTag } from '../oci/referrers.js';
import { parsing } from './errors.js';
import { findNamed, indexEntries } from './names.js';
import type { LayoutFiles } from './layout-files.js';

/**
 * Finds the referrers of a manifest in a layout: manifests in index.json whose `subject` it is, and
 * the entries of the index under its referrers tag, which some tools write in layouts as well. The
 * manifests are read once for each content of index.json, not once for each subject.
 */
export class ReferrerFinder {
  private readonly bySubject = new WeakMap<JsonObject, Promise<ReferrersBySubject>>();

  constructor(
    private readonly files: LayoutFiles,
    private readonly signal: AbortSignal,
  ) {}

  async find(what: string, subject: Digest): Promise<readonly Descriptor[]> {
    const { files } = this;
    const indexJson = await files.readIndex(what);
    const tagged = parsing(what, files.indexFile, () =>
      findNamed(indexJson, referrersTag(subject)),
    );
    const found = new Map((await this.subjectsOf(what, indexJson)).get(subject));
    const index = tagged[0] && (await readIfAny(what, files, tagged[0]));
    if (index?.document.kind === 'index') {
      for (const entry of index.document.manifests) found.set(entry.digest, entry);
    }
    return [...found.values()];
  }

  private subjectsOf(what: string, indexJson: JsonValue): Promise<ReferrersBySubject> {
    if (!isJsonObject(indexJson)) return this.readSubjects(what, indexJson);
    const reading = this.bySubject.get(indexJson) ?? this.readSubjects(what, indexJson);
    this.bySubject.set(indexJson, reading);
    return reading;
  }

  private async readSubjects(what: string, indexJson: JsonValue): Promise<ReferrersBySubject> {
    const { files, signal } = this;
    const entries = parsing(what, files.indexFile, () =>
      indexEntries(indexJson).filter(
        ({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType),
      ),
    );
    const manifests = await mapInOrder(entries, async (entry) => {
      signal.throwIfAborted();
      return readIfAny(what, files, entry);
    });
    const bySubject = new Map<Digest, Map<Digest, Descriptor>>();
    for (const manifest of manifests) {
      const subject = manifest?.document.subject?.digest;
      if (manifest === undefined || subject === undefined) continue;
      const referrers = bySubject.get(subject) ?? new Map<Digest, Descriptor>();
      bySubject.set(subject, referrers.set(manifest.digest, referrerDescriptor(manifest)));
    }
    return bySubject;
  }
}

/** The referrers of each subject, by their digests. */
type ReferrersBySubject = ReadonlyMap<Digest, ReadonlyMap<Digest, Descriptor>>;

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
