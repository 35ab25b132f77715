import { ManifestToolError } from '../errors.js';
import { listSome } from '../text.js';
import type { Descriptor } from '../oci/descriptor.js';
import { isDigest, type Digest } from '../oci/digest.js';
import { FieldError, Fields } from '../oci/json/fields.js';
import { isJsonObject, JsonNumber, type JsonObject, type JsonValue } from '../oci/json/parse.js';
import { OCI_INDEX } from '../oci/media-types.js';
import { isDigestTag } from '../oci/referrers.js';
import {
  DEFAULT_TAG,
  formatReference,
  isTag,
  parseReference,
  withDefaultTag,
} from '../oci/reference.js';

/**
 * The annotation that names an image of a layout (OCI image-spec, annotations.md, Pre-Defined
 * Annotation Keys).
 */
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * The full name of an image, as containerd, docker and buildx write it beside
 * {@link REF_NAME}, which is then the tag alone.
 */
const CONTAINERD_NAME = 'io.containerd.image.name';

/** The descriptor of a manifest in index.json. */
export interface IndexEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The digest of the manifest that an entry refers to, as containerd, docker and buildx write it in
 * an index.json.
 */
const SUBJECT = 'io.containerd.manifest.subject';

/** Which names count as those of an image. */
export interface NameRules {
  /** Whether `app` means `docker.io/library/app:latest`, as in an archive of `docker save`. */
  readonly shortNames?: boolean;
}

/**
 * The entries of an index.json, unparsed.
 * @throws {FieldError} if the document has no list of them.
 */
function entriesOf(index: JsonValue): readonly JsonValue[] {
  const isListed = Fields.of(index, '').has('manifests');
  const manifests = isListed ? ((index as JsonObject).get('manifests') as JsonValue) : [];
  if (!Array.isArray(manifests)) throw new FieldError('manifests', 'is not a list');
  return manifests as readonly JsonValue[];
}

function annotation(entry: JsonValue, key: string): string | undefined {
  const annotations = isJsonObject(entry) ? entry.get('annotations') : undefined;
  const value = isJsonObject(annotations) ? annotations.get(key) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The names of an entry, the fullest first (OCI image-spec, image-layout.md, index.json file). */
function namesOf(entry: JsonValue): string[] {
  return [CONTAINERD_NAME, REF_NAME].flatMap((key) => annotation(entry, key) ?? []);
}

/** The fullest name of each image in an index.json, each once. */
function imageNames(index: JsonValue): string[] {
  const images = entriesOf(index).filter((entry) => !isReferrer(entry));
  return [...new Set(images.flatMap((entry) => namesOf(entry).slice(0, 1)))];
}

/**
 * The positions of all entries that a name refers to: those with exactly that name; if there is
 * none, those whose full name (`host/repository:tag`) has that tag, or is the same when both are
 * written in full.
 */
function matching(entries: readonly JsonValue[], name: string, rules: NameRules = {}): number[] {
  const find = (isMatch: (known: string) => boolean) => positionsOf(entries, isMatch);
  const exact = find((known) => known === name);
  if (exact.length > 0) return exact;
  const isWord = !/[:/]/.test(name);
  const tagged = isWord ? find((known) => known.endsWith(`:${name}`)) : [];
  if (tagged.length > 0 || (isWord && rules.shortNames !== true)) return tagged;
  const full = fullName(name);
  return full === undefined ? [] : find((known) => fullName(known) === full);
}

/** The positions of the entries with a name that matches. */
function positionsOf(entries: readonly JsonValue[], isMatch: (name: string) => boolean): number[] {
  return entries.flatMap((entry, i) => (namesOf(entry).some(isMatch) ? [i] : []));
}

/** The name in full, as docker reads it; undefined if it is not that of an image in a registry. */
export function fullName(name: string): string | undefined {
  try {
    const reference = parseReference(name);
    return reference.kind === 'registry' ? formatReference(withDefaultTag(reference)) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The different manifests that a name refers to. An empty name refers to `latest`, or else to
 * everything that index.json names, apart from referrers.
 * @throws {FieldError} if one of them is not a descriptor.
 */
export function findNamed(index: JsonValue, name: string, rules: NameRules = {}): IndexEntry[] {
  const entries = entriesOf(index);
  if (name !== '') return distinct(entries, matching(entries, name, rules));
  const latest = positionsOf(entries, (known) => known === DEFAULT_TAG);
  if (latest.length > 0) return distinct(entries, latest);
  const all = [...entries.keys()];
  const images = all.filter((i) => !isReferrer(entries[i]!));
  return distinct(entries, images.length > 0 ? images : all);
}

/**
 * The names by which images can be read, each once: of the names of an image the shortest, unless
 * other images have it as well.
 * @throws {FieldError} if an entry is not a descriptor.
 */
export function listNames(index: JsonValue, rules: NameRules = {}): string[] {
  const images = entriesOf(index).filter((entry) => !isReferrer(entry));
  const names = images.flatMap((entry) => {
    const [full, short = full] = namesOf(entry);
    if (full === undefined || short === undefined) return [];
    return [findNamed(index, short, rules).length === 1 ? short : full];
  });
  return [...new Set(names)];
}

/**
 * Referrers are listed beside the images that they belong to: without a name, or under the tags of
 * the digest of their image.
 */
function isReferrer(entry: JsonValue): boolean {
  const names = namesOf(entry);
  if (names.length > 0) return names.every(isDigestTag);
  const artifactType = isJsonObject(entry) ? entry.get('artifactType') : undefined;
  const hasType = typeof artifactType === 'string' && artifactType !== '';
  return hasType || annotation(entry, SUBJECT) !== undefined;
}

/** The subject of each entry that names one in its annotations. */
export function referrersOf(index: JsonValue): Map<Digest, Digest> {
  const entries = entriesOf(index);
  const pairs = entries.flatMap((entry, i): [Digest, Digest][] => {
    const subject = annotation(entry, SUBJECT);
    const isKnown = subject !== undefined && isDigest(subject);
    return isKnown ? [[readEntry(entries, i).digest, subject]] : [];
  });
  return new Map(pairs);
}

/**
 * The index.json in which each of these referrers has an entry that names its subject: the entries
 * that it has already, or a new one without a name.
 */
export function withReferrerEntries(
  index: JsonValue,
  referrers: readonly Descriptor[],
  subject: Digest,
): JsonObject {
  let entries = entriesOf(index);
  for (const { artifactType, ...referrer } of referrers) {
    const isNew = !entries.some((entry) => hasDigest(entry, referrer.digest));
    const all = isNew ? [...entries, descriptor(referrer, [])] : entries;
    entries = all.map((entry) =>
      isJsonObject(entry) && hasDigest(entry, referrer.digest)
        ? referrerEntry(entry, artifactType, subject)
        : entry,
    );
  }
  return new Map([...(index as JsonObject), ['manifests', entries]]);
}

function referrerEntry(
  entry: JsonObject,
  artifactType: string | undefined,
  subject: Digest,
): JsonObject {
  const held = entry.get('annotations');
  const annotations = new Map([...(isJsonObject(held) ? held : []), [SUBJECT, subject]]);
  const type = artifactType === undefined ? [] : [['artifactType', artifactType] as const];
  return new Map<string, JsonValue>([...entry, ['annotations', annotations], ...type]);
}

function distinct(entries: readonly JsonValue[], positions: readonly number[]): IndexEntry[] {
  const read = positions.map((at) => readEntry(entries, at));
  return [...new Map(read.map((entry) => [entry.digest, entry])).values()];
}

/** All entries, each digest once. */
export function allEntries(index: JsonValue): IndexEntry[] {
  const entries = entriesOf(index);
  return distinct(entries, [...entries.keys()]);
}

function readEntry(entries: readonly JsonValue[], at: number): IndexEntry {
  const fields = Fields.of(entries[at], `manifests[${at}]`);
  return {
    mediaType: fields.requiredString('mediaType'),
    digest: fields.digest('digest'),
    size: fields.size('size'),
  };
}

/** An index.json after a change, and what the change has replaced. */
export interface ChangedIndex {
  readonly index: JsonObject;
  /** For each name that stood for several manifests, all of them. */
  readonly replaced: readonly { readonly name: string; readonly digests: readonly Digest[] }[];
}

/**
 * The index.json in which each of `tags` names the manifest: the first entry that the name stands
 * for is replaced in its place and keeps its full name, the others are removed; if there is none,
 * an entry is added at the end. Without tags the manifest is added without a name, unless it is
 * there. Everything else is kept.
 * @throws {FieldError} if `index` has no list of entries.
 * @throws {ManifestToolError} USAGE if a tag refers to images of different repositories.
 */
export function withManifest(
  what: string,
  index: JsonValue | undefined,
  manifest: IndexEntry,
  tags: readonly string[],
): ChangedIndex {
  const document = index ?? emptyIndex();
  let entries = entriesOf(document);
  const replaced: ChangedIndex['replaced'][number][] = [];
  for (const tag of tags) {
    const found = matching(entries, tag);
    const known = found.map((i) => namesOf(entries[i]!)[0]!);
    if (new Set(known).size > 1) throw ambiguous(what, tag, known);
    const digests = distinct(entries, found).map(({ digest }) => digest);
    if (digests.length > 1) replaced.push({ name: tag, digests });
    entries = withTag(entries, found, manifest, tag);
  }
  if (tags.length === 0 && !entries.some((entry) => hasDigest(entry, manifest.digest))) {
    entries = [...entries, descriptor(manifest, [])];
  }
  return { index: new Map([...(document as JsonObject), ['manifests', entries]]), replaced };
}

/** An index.json in which a tag names nothing, and what it named. */
export interface UntaggedIndex {
  readonly index: JsonObject;
  /** More than one if the tag named an image for each platform. */
  readonly digests: readonly Digest[];
}

/**
 * The index.json without a tag: the manifests that it names stay listed without a name, as those of
 * a registry do. Everything else is kept.
 * @throws {FieldError} if `index` has no list of entries.
 * @throws {ManifestToolError} NOT_FOUND if there is no such tag; USAGE if it refers to images of
 * different repositories.
 */
export function withoutTag(
  what: string,
  index: JsonValue,
  tag: string,
  noun: string,
): UntaggedIndex {
  const entries = entriesOf(index);
  const found = matching(entries, tag);
  const known = found.map((i) => namesOf(entries[i]!)[0]!);
  if (found.length === 0) throw missingTag(what, index, tag, noun);
  if (new Set(known).size > 1) throw ambiguous(what, tag, known);
  const digests = distinct(entries, found).map(({ digest }) => digest);
  const others = entries.filter((_, i) => !found.includes(i));
  const isListed = (entry: JsonObject): boolean =>
    others.some((other) => isJsonObject(other) && other.get('digest') === entry.get('digest'));
  const left = entries.flatMap((entry, i) => {
    if (!found.includes(i) || !isJsonObject(entry)) return [entry];
    return isListed(entry) ? [] : [withoutNames(entry)];
  });
  return { index: new Map([...(index as JsonObject), ['manifests', left]]), digests };
}

function withoutNames(entry: JsonObject): JsonObject {
  const members = [...entry].flatMap(([key, value]): [string, JsonValue][] => {
    if (key !== 'annotations' || !isJsonObject(value)) return [[key, value]];
    const kept = [...value].filter(([name]) => name !== REF_NAME && name !== CONTAINERD_NAME);
    return kept.length === 0 ? [] : [[key, new Map(kept)]];
  });
  return new Map(members);
}

function missingTag(what: string, index: JsonValue, name: string, noun: string): ManifestToolError {
  const why = `the ${noun} has no tag ${quoted(name)}`;
  return new ManifestToolError('NOT_FOUND', what, why, { hint: tagHint(imageNames(index)) });
}

function ambiguous(what: string, tag: string, names: readonly string[]): ManifestToolError {
  const all = listed(names.map((name) => JSON.stringify(name)));
  return new ManifestToolError('USAGE', what, `the tag ${tag} is that of ${all}`, {
    hint: 'give the full name: oci:PATH:NAME',
  });
}

function withTag(
  entries: readonly JsonValue[],
  found: readonly number[],
  manifest: IndexEntry,
  tag: string,
): readonly JsonValue[] {
  const [first, ...others] = found;
  if (first === undefined) return [...entries, descriptor(manifest, [[REF_NAME, tag]])];
  const names = [REF_NAME, CONTAINERD_NAME].flatMap((key) => {
    const name = annotation(entries[first]!, key);
    return name === undefined ? [] : [[key, name] as const];
  });
  return entries.flatMap((each, i) => {
    if (i === first) return [descriptor(manifest, names)];
    return others.includes(i) ? [] : [each];
  });
}

function hasDigest(entry: JsonValue, digest: Digest): boolean {
  return isJsonObject(entry) && entry.get('digest') === digest;
}

function descriptor(
  manifest: IndexEntry,
  names: readonly (readonly [key: string, name: string])[],
): JsonObject {
  return new Map<string, JsonValue>([
    ['mediaType', manifest.mediaType],
    ['digest', manifest.digest],
    ['size', new JsonNumber(String(manifest.size))],
    ...(names.length === 0 ? [] : [['annotations', new Map(names)] as const]),
  ]);
}

/** The action of a publish, for messages; `at` gives the full name of a tag or digest. */
export function publishAction(
  { digest }: Pick<IndexEntry, 'digest'>,
  tags: readonly string[],
  at: (name: string) => string,
): string {
  return `writing ${(tags.length === 0 ? [digest] : tags).map(at).join(', ')}`;
}

/** Warnings about images that lose a name that they shared. */
export function replacedWarnings(
  replaced: ChangedIndex['replaced'],
  manifest: Pick<IndexEntry, 'digest'>,
  at: (name: string) => string,
): string[] {
  return replaced.map(({ name, digests }) => {
    const others = digests.filter((digest) => digest !== manifest.digest);
    const have = others.length === 1 ? 'has' : 'have';
    return `${at(name)} named several images; ${others.join(', ')} no longer ${have} the name`;
  });
}

/** An index.json without entries. */
export function emptyIndex(): JsonObject {
  return new Map<string, JsonValue>([
    ['schemaVersion', new JsonNumber('2')],
    ['mediaType', OCI_INDEX],
    ['manifests', []],
  ]);
}

/** How many names a message lists; the rest are counted. */
const MAX_LISTED = 10;

/**
 * The only manifest that a name refers to.
 * @param noun what holds the images: `layout` or `archive`
 * @throws {FieldError} if an entry is not a descriptor.
 * @throws {ManifestToolError} NOT_FOUND if there is none; USAGE if there are several, with their
 * digests.
 */
export function resolveName(
  what: string,
  index: JsonValue,
  name: string,
  noun: string,
  rules: NameRules = {},
): IndexEntry {
  const [first, ...others] = findNamed(index, name, rules);
  if (first === undefined) {
    if (name !== '') throw missingTag(what, index, name, noun);
    throw new ManifestToolError('NOT_FOUND', what, `the ${noun} has no images`, {
      hint: tagHint(imageNames(index)),
    });
  }
  if (others.length === 0) return first;
  if (name === '') {
    const names = imageNames(index);
    throw new ManifestToolError(
      'USAGE',
      what,
      `the ${noun} has several images: select one of them`,
      {
        hint:
          names.length === 0
            ? `use the digest of one: ${listed([first, ...others].map(({ digest }) => digest))}`
            : tagHint(names),
      },
    );
  }
  const why = `${quoted(name)} refers to several images: ${described(index, [first, ...others])}`;
  throw new ManifestToolError('USAGE', what, why, { reason: 'ambiguous-name' });
}

/** Each with its full name, if it has one. */
function described(index: JsonValue, entries: readonly IndexEntry[]): string {
  const all = entriesOf(index);
  return listed(
    entries.map(({ digest }) => {
      const names = all.filter((entry) => hasDigest(entry, digest)).flatMap(namesOf);
      const name = names.find((each) => !isTag(each));
      return name === undefined ? digest : `${name} (${digest})`;
    }),
  );
}

function tagHint(names: readonly string[]): string {
  if (names.length === 0) return 'its images have no tags: use a digest';
  return `available tags: ${listed(names.map(quoted))}`;
}

function quoted(name: string): string {
  return isTag(name) ? name : JSON.stringify(name);
}

function listed(items: readonly string[]): string {
  return listSome(items, MAX_LISTED);
}
