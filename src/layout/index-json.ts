import { ManifestToolError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/documents.js';
import { FieldError, Fields } from '../oci/json/fields.js';
import { asWritable, goMarshalIndent } from '../oci/json/go-marshal.js';
import {
  isJsonObject,
  JsonNumber,
  parseJson,
  type JsonObject,
  type JsonValue,
} from '../oci/json/parse.js';
import { OCI_INDEX } from '../oci/media-types.js';
import { corrupt, parsing } from './errors.js';
import { readDocument, writeAtomically } from './files.js';
import { withLock } from './lock.js';
import { indexPath } from './paths.js';

/**
 * Reads index.json, which every layout has (OCI image-spec, image-layout.md, index.json file).
 * @throws {ManifestToolError} CORRUPT if it is missing, not JSON, not a regular file, or larger
 * than MAX_DOCUMENT_SIZE.
 */
export async function readIndex(what: string, root: string): Promise<JsonValue> {
  const index = await readIndexIfAny(what, root);
  if (index === undefined) throw corrupt(what, root, 'the layout has no index.json');
  return index;
}

async function readIndexIfAny(what: string, root: string): Promise<JsonValue | undefined> {
  const file = indexPath(root);
  const bytes = await readDocument(what, file);
  if (bytes === undefined) return undefined;
  return parsing(what, file, () => parseJson(Buffer.from(bytes).toString('utf8')));
}

/**
 * Changes index.json. It is read, changed and replaced under a lock, so that programs which publish
 * at the same time do not undo each other's work; a reader sees either the old file or the new one.
 * `change` is given undefined if there is none.
 * @throws {ManifestToolError} UNAVAILABLE if another program holds the lock; CORRUPT if it cannot
 * be read; FAILED if it would become larger than MAX_DOCUMENT_SIZE.
 * @throws the reason of `signal` if it is aborted before the change has begun.
 */
export async function updateIndex(
  what: string,
  root: string,
  signal: AbortSignal,
  change: (index: JsonValue | undefined) => JsonValue,
): Promise<void> {
  const file = indexPath(root);
  await withLock(what, `${file}.lock`, signal, async () => {
    const index = await readIndexIfAny(what, root);
    const changed = parsing(what, file, () => change(index));
    const text = goMarshalIndent(asWritable(changed), '  ');
    if (Buffer.byteLength(text) > MAX_DOCUMENT_SIZE) {
      const why = `${file} would be larger than ${MAX_DOCUMENT_SIZE} bytes`;
      throw new ManifestToolError('FAILED', what, why, {
        hint: 'publish into another layout: this one names too many images',
      });
    }
    await writeAtomically(file, () => text);
  });
}

/**
 * The annotation that names an image of a layout (OCI image-spec, annotations.md, Pre-Defined
 * Annotation Keys).
 */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The descriptor of a manifest in index.json. */
export interface IndexEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The entries of an index.json, unparsed.
 * @throws {FieldError} if the document has no list of them.
 */
function entriesOf(index: JsonValue): readonly JsonValue[] {
  if (!isJsonObject(index)) throw new FieldError('', 'is not an object');
  const manifests = index.get('manifests') ?? [];
  if (!Array.isArray(manifests)) throw new FieldError('manifests', 'is not a list');
  return manifests as readonly JsonValue[];
}

/** The name of an entry, if it has one (OCI image-spec, image-layout.md, index.json file). */
function refName(entry: JsonValue): string | undefined {
  const annotations = isJsonObject(entry) ? entry.get('annotations') : undefined;
  const name = isJsonObject(annotations) ? annotations.get(REF_NAME) : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** All names in an index.json, each once. */
export function refNames(index: JsonValue): string[] {
  const names = entriesOf(index).map(refName);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * The first entry with that name. If there is none, the entry whose name is a full reference
 * (`host/repository:tag`) with that tag, as some tools write it.
 * @throws {FieldError} if the entry is not a descriptor, or full references with that tag name
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

/** All entries, each digest once. */
export function indexEntries(index: JsonValue): IndexEntry[] {
  const entries = entriesOf(index);
  const read = entries.map((_, at) => readEntry(entries, at));
  return [...new Map(read.map((entry) => [entry.digest, entry])).values()];
}

function readEntry(entries: readonly JsonValue[], at: number): IndexEntry {
  const fields = Fields.of(entries[at], `manifests[${at}]`);
  return {
    mediaType: fields.requiredString('mediaType'),
    digest: fields.digest('digest'),
    size: fields.size('size'),
  };
}

/**
 * The index.json in which each of `tags` names the manifest: an entry with that name is replaced in
 * its place, otherwise one is added at the end. Without tags the manifest is added without a name,
 * unless it is there. Everything else is kept.
 * @throws {FieldError} if `index` has no list of entries.
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

/** Replaces the first entry with that name and removes the others: they would be ambiguous. */
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
