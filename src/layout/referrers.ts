import { mapInOrder, yieldToEventLoop } from '../concurrency.js';
import { ManifestToolError, interrupted } from '../errors.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import {
  AmbiguousDocument,
  NO_IMAGE_HINT,
  parseDocument,
  type ParsedDocument,
} from '../oci/documents.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../oci/json/parse.js';
import { isDocumentType } from '../oci/media-types.js';
import {
  indexEntries,
  isReferrersIndex,
  referrerDescriptor,
  referrersTag,
  withReferrers,
} from '../oci/referrers.js';
import { parsing } from './errors.js';
import type { LayoutFiles } from './layout-files.js';
import { allEntries, findNamed, referrersOf, withManifest, withReferrerEntries } from './names.js';

/**
 * Finds the referrers of a manifest in a layout: manifests whose `subject` it is, in index.json or
 * in an index that it names; those that index.json says refer to it, as containerd writes it; and
 * the entries of the index under its referrers tag, as regctl writes it. The manifests are read once
 * for each content of index.json, not once for each subject.
 */
export class ReferrerFinder {
  private readonly bySubject = new WeakMap<JsonObject, Promise<ReferrersBySubject>>();

  constructor(
    private readonly files: LayoutFiles,
    private readonly signal: AbortSignal,
  ) {}

  async find(what: string, subject: Digest): Promise<readonly Descriptor[]> {
    const indexJson = await this.files.readIndex(what);
    const found = new Map((await this.subjectsOf(what, indexJson)).get(subject));
    const index = await taggedIndex(what, this.files, indexJson, subject);
    if (index !== undefined && index !== 'other') {
      for (const entry of indexEntries(index)) found.set(entry.digest, entry);
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
    const { files } = this;
    const [entries, stated] = parsing(what, files.indexFile, () => [
      allEntries(indexJson),
      referrersOf(indexJson),
    ]);
    const bySubject = new Map<Digest, Map<Digest, Descriptor>>();
    const add = (subject: Digest, entry: Descriptor): void => {
      const referrers = bySubject.get(subject) ?? new Map<Digest, Descriptor>();
      bySubject.set(subject, referrers.set(entry.digest, entry));
    };
    await this.eachManifest(what, entries, (manifest) => {
      const subject = manifest.document.subject?.digest ?? stated.get(manifest.digest);
      if (subject !== undefined) add(subject, referrerDescriptor(manifest));
    });
    return bySubject;
  }

  /**
   * Reads what the entries name, and what indexes among that name, each content once: that also
   * bounds the work for indexes that name one another many times.
   */
  private async eachManifest(
    what: string,
    entries: readonly Descriptor[],
    visit: (manifest: FetchedManifest) => void,
  ): Promise<void> {
    const seen = new Set<Digest>();
    const isFresh = ({ digest, mediaType }: Descriptor): boolean => {
      const isNew = isDocumentType(mediaType) && !seen.has(digest);
      if (isNew) seen.add(digest);
      return isNew;
    };
    let level = entries.filter(isFresh);
    while (level.length > 0) {
      const manifests = await mapInOrder(level, async (entry) => {
        await yieldToEventLoop();
        if (this.signal.aborted) throw interrupted(what);
        return ifAny(readManifest(what, this.files, entry, parseAmbiguous));
      });
      level = [];
      for (const manifest of manifests) {
        if (manifest === undefined) continue;
        visit(manifest);
        if (manifest.document.kind === 'index')
          level.push(...manifest.document.manifests.filter(isFresh));
      }
    }
  }
}

/** The referrers of each subject, by their digests. */
type ReferrersBySubject = ReadonlyMap<Digest, ReadonlyMap<Digest, Descriptor>>;

/** An index.json with referrers added. */
export interface RecordedReferrers {
  readonly index: JsonObject;
  /** The index under the referrers tag, to be written first. */
  readonly tagged?: ManifestContent;
  /** Why other programs may not find them. */
  readonly warning?: string;
}

/**
 * Adds referrers to index.json in the forms that other programs read: as entries that name their
 * subject (oras reads the manifest, containerd and buildx the annotation), and in the index under
 * the referrers tag (regctl).
 */
export async function recordReferrers(
  what: string,
  files: Pick<LayoutFiles, 'root' | 'indexFile' | 'readBlob' | 'fileOf'>,
  indexJson: JsonValue,
  subject: Digest,
  entries: readonly Descriptor[],
): Promise<RecordedReferrers> {
  const index = withReferrerEntries(indexJson, entries, subject);
  const held = await taggedIndex(what, files, index, subject);
  const tag = referrersTag(subject);
  if (held === 'other') {
    const digests = entries.map(({ digest }) => digest).join(', ');
    const warning = `${digests} cannot be recorded under the tag ${tag}, which is not an index of the referrers of ${subject}`;
    return { index, warning };
  }
  const tagged = withReferrers(held, entries);
  if (tagged === undefined) return { index };
  return { index: withManifest(what, index, tagged, [tag]).index, tagged };
}

/** What the referrers tag of a manifest names: the index of its referrers, or something else. */
async function taggedIndex(
  what: string,
  files: Pick<LayoutFiles, 'indexFile' | 'readBlob' | 'fileOf'>,
  indexJson: JsonValue,
  subject: Digest,
): Promise<FetchedManifest | 'other' | undefined> {
  const [named] = parsing(what, files.indexFile, () => findNamed(indexJson, referrersTag(subject)));
  const manifest = named && (await ifAny(readManifest(what, files, named)));
  if (manifest === undefined) return undefined;
  const isIndex = isReferrersIndex(manifest, subject);
  if (isIndex !== 'unclear') return isIndex ? manifest : 'other';
  for (const entry of indexEntries(manifest)) {
    const referrer = await ifAny(readManifest(what, files, entry));
    if (referrer?.document.subject?.digest === subject) return manifest;
  }
  return 'other';
}

async function readManifest(
  what: string,
  files: Pick<LayoutFiles, 'readBlob' | 'fileOf'>,
  { digest, size, mediaType }: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>,
  parse = parseDocument,
): Promise<FetchedManifest> {
  const bytes = await files.readBlob(what, digest, size);
  const file = files.fileOf(what, digest);
  const parsed = parsing(what, file, () => parse(bytes, mediaType), NO_IMAGE_HINT);
  return { ...parsed, digest, size: bytes.length, bytes };
}

/**
 * Reads a document as Go does if it is ambiguous: whoever uses it refuses it, and those who look for
 * the referrers of another image do not.
 */
function parseAmbiguous(bytes: Uint8Array, contentType: string | undefined): ParsedDocument {
  try {
    return parseDocument(bytes, contentType);
  } catch (error) {
    if (error instanceof AmbiguousDocument) return error.parsed;
    throw error;
  }
}

/**
 * What `reading` gives; undefined if its blob is missing, as a layout allows (OCI image-spec,
 * image-layout.md, Blobs).
 */
async function ifAny<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
