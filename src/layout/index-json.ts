import type { Digest } from '../oci/digest.js';
import { FieldError, Fields } from '../oci/json/fields.js';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../oci/json/parse.js';
import { OCI_INDEX } from '../oci/media-types.js';

/**
 * The annotation that names an image of a layout (OCI image-spec, annotations.md, Pre-Defined
 * Annotation Keys).
 */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** What an entry of index.json says of its manifest. */
export interface IndexEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The entries of an index.json, as they stand.
 * @throws {FieldError} where the document is not of that form.
 */
function entriesOf(index: JsonValue): readonly JsonValue[] {
  if (!isJsonObject(index)) throw new FieldError('', 'is not an object');
  const manifests = index.get('manifests') ?? [];
  if (!Array.isArray(manifests)) throw new FieldError('manifests', 'is not a list');
  return manifests as readonly JsonValue[];
}

/** The name of an entry, where it has one (OCI image-spec, image-layout.md, index.json file). */
function refName(entry: JsonValue): string | undefined {
  const annotations = isJsonObject(entry) ? entry.get('annotations') : undefined;
  const name = isJsonObject(annotations) ? annotations.get(REF_NAME) : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** All names of an index.json, each once. */
export function refNames(index: JsonValue): string[] {
  const names = entriesOf(index).map(refName);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * The first entry of that name; only where there is none, one whose name is a full reference
 * (`host/repository:tag`) with that tag, as some tools write it.
 * @throws {FieldError} where the entry is no descriptor, or full references with that tag name
 * different images.
 */
export function findTag(index: JsonValue, tag: string): IndexEntry | undefined {
  const entries = entriesOf(index);
  const exact = entries.findIndex((entry) => refName(entry) === tag);
  if (exact >= 0) return readEntry(entries, exact);
  const full = entries.flatMap((entry, i) =>
    refName(entry)?.endsWith(`:${tag}`) ? [readEntry(entries, i)] : [],
  );
  if (new Set(full.map(({ digest }) => digest)).size > 1) {
    throw new FieldError(
      'manifests',
      `has several images with names that end in ":${tag}"`,
      'name the image by its digest',
    );
  }
  return full[0];
}

/** All entries that are descriptors of manifests, each digest once. */
export function indexEntries(index: JsonValue): IndexEntry[] {
  const entries = entriesOf(index);
  const read = entries.map((_, at) => readEntry(entries, at));
  return [...new Map(read.map((entry) => [entry.digest, entry])).values()];
}

function readEntry(entries: readonly JsonValue[], at: number): IndexEntry {
  const fields = Fields.of(entries[at], `manifests[${at}]`);
  return {
    mediaType: fields.requiredText('mediaType'),
    digest: fields.digest('digest'),
    size: fields.size('size'),
  };
}

/**
 * The index.json in which each of `tags` names the manifest: an entry that had the name is replaced
 * where it stands, else one is added at the end. With no tags the manifest is added without a name,
 * unless it is there. All else stays as it was.
 * @throws {FieldError} where `index` is not of that form.
 */
export function withManifest(
  index: JsonValue | undefined,
  manifest: IndexEntry,
  tags: readonly string[],
): JsonObject {
  const document = index ?? emptyIndex();
  let entries = entriesOf(document);
  for (const tag of tags) entries = withTag(entries, descriptor(manifest, tag), tag);
  if (tags.length === 0 && !entries.some((entry) => hasDigest(entry, manifest.digest))) {
    entries = [...entries, descriptor(manifest, undefined)];
  }
  return new Map([...(document as JsonObject), ['manifests', entries]]);
}

/** Further entries of the same name would make it ambiguous, and go. */
function withTag(
  entries: readonly JsonValue[],
  entry: JsonObject,
  tag: string,
): readonly JsonValue[] {
  const first = entries.findIndex((each) => refName(each) === tag);
  if (first < 0) return [...entries, entry];
  return entries.flatMap((each, i) => {
    if (i === first) return [entry];
    return refName(each) === tag ? [] : [each];
  });
}

function hasDigest(entry: JsonValue, digest: Digest): boolean {
  return isJsonObject(entry) && entry.get('digest') === digest;
}

function descriptor(manifest: IndexEntry, tag: string | undefined): JsonObject {
  return new Map<string, JsonValue>([
    ['mediaType', manifest.mediaType],
    ['digest', manifest.digest],
    ['size', new JsonNumber(String(manifest.size))],
    ...(tag === undefined ? [] : [['annotations', new Map([[REF_NAME, tag]])] as const]),
  ]);
}

function emptyIndex(): JsonObject {
  return new Map<string, JsonValue>([
    ['schemaVersion', new JsonNumber('2')],
    ['mediaType', OCI_INDEX],
    ['manifests', []],
  ]);
}
