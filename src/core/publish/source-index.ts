import { changedAnnotations } from '../../oci/annotations.js';
import type { FetchedIndex, FetchedManifest } from '../../oci/content.js';
import type { Annotations, Descriptor } from '../../oci/descriptor.js';
import {
  isJsonObject,
  parseJsonBytes,
  type JsonObject,
  type JsonValue,
} from '../../oci/json/parse.js';
import { goMarshal } from '../../oci/json/go-marshal.js';
import { ociDescriptor } from '../../oci/json/go-structs.js';
import { DOCKER_MANIFEST_LIST } from '../../oci/media-types.js';
import type { IndexRequest } from './request.js';
import type { ResolvedImage } from './resolved-image.js';

/** The indexes of which a request takes all entries, by their references or digests. */
export type SourceIndexes = ReadonlyMap<string, FetchedIndex>;

/**
 * The index that a request would publish again: its only source, if the request changes neither its
 * entries nor anything else. Undefined if a new index has to be built, and if the request does not
 * allow it.
 */
export function unchangedIndex(
  request: IndexRequest,
  indexes: SourceIndexes,
  images: readonly ResolvedImage[],
): FetchedManifest | undefined {
  const [index] = indexes.values();
  if (request.keepUnchanged !== true || index === undefined) return undefined;
  const isOnly = request.sources.length === 1 && indexes.size === 1;
  if (!isOnly || asksForChange(request, index)) return undefined;
  const entries = images.map(({ entry }) => entry);
  return areEqual(entries, index.document.manifests) ? index : undefined;
}

function asksForChange(request: IndexRequest, { mediaType }: FetchedManifest): boolean {
  const { type = 'auto', annotations, artifactType, entryAnnotations = [], sources } = request;
  const own = mediaType === DOCKER_MANIFEST_LIST ? 'docker' : 'oci';
  const changes = [
    annotations,
    ...[...entryAnnotations, ...sources].map((each) => each.annotations),
  ];
  return (
    (type !== 'auto' && type !== own) ||
    artifactType !== undefined ||
    changes.some((each) => each !== undefined && each.size > 0) ||
    sources.some(({ platform = {} }) => Object.keys(platform).length > 0)
  );
}

/** Whether two indexes have the same entries, in any order. */
function areEqual(some: readonly Descriptor[], others: readonly Descriptor[]): boolean {
  const texts = (entries: readonly Descriptor[]): string[] =>
    entries.map((entry) => goMarshal(ociDescriptor(entry))).toSorted();
  const [one, other] = [texts(some), texts(others)];
  return one.length === other.length && one.every((text, i) => text === other[i]);
}

/** What the source indexes say about themselves, and the index that is built from them does not. */
export function lossWarnings(request: IndexRequest, indexes: SourceIndexes): string[] {
  const kept = changedAnnotations(undefined, request.annotations ?? new Map());
  return [...indexes].toSorted(byName).flatMap(([name, { document, bytes }]) => {
    const { annotations, artifactType, subject } = document;
    const others = otherMembers(membersOf(parseJsonBytes(bytes)), INDEX_MEMBERS);
    const lost = [
      ...lostAnnotations(annotations, kept),
      ...(artifactType && artifactType !== request.artifactType
        ? [`the artifact type ${artifactType}`]
        : []),
      ...(subject === undefined ? [] : [`the subject ${subject.digest}`]),
      ...(others.length === 0 ? [] : [namedMembers(others)]),
    ];
    return lost.length === 0 ? [] : [`the new index does not keep ${lost.join(', ')} of ${name}`];
  });
}

const INDEX_MEMBERS: ReadonlySet<string> = new Set([
  'schemaVersion',
  'mediaType',
  'artifactType',
  'manifests',
  'subject',
  'annotations',
]);
const ENTRY_MEMBERS: ReadonlySet<string> = new Set([
  'mediaType',
  'digest',
  'size',
  'urls',
  'annotations',
  'data',
  'platform',
  'artifactType',
]);
const PLATFORM_MEMBERS: ReadonlySet<string> = new Set([
  'architecture',
  'os',
  'os.version',
  'os.features',
  'variant',
]);

/**
 * Warnings of members of source entries that the specifications do not have (Docker's
 * `platform.features` among them): an entry that is written anew does not keep them.
 */
export function lostMemberWarnings(
  indexes: SourceIndexes,
  images: readonly ResolvedImage[],
): string[] {
  const digests = new Set<JsonValue | undefined>(images.map(({ entry }) => entry.digest));
  return [...indexes].toSorted(byName).flatMap(([name, { bytes }]) => {
    const entries = membersOf(parseJsonBytes(bytes)).get('manifests');
    const lost = (Array.isArray(entries) ? (entries as readonly JsonValue[]) : []).flatMap(
      (value) => {
        const entry = membersOf(value);
        if (!digests.has(entry.get('digest'))) return [];
        const ofPlatform = otherMembers(membersOf(entry.get('platform')), PLATFORM_MEMBERS);
        return [
          ...otherMembers(entry, ENTRY_MEMBERS),
          ...ofPlatform.map((member) => `platform.${member}`),
        ];
      },
    );
    return lost.length === 0
      ? []
      : [`the new entries do not keep ${namedMembers(lost)} of entries of ${name}`];
  });
}

function membersOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : new Map();
}

/** The members that are not known, unless they say nothing. */
function otherMembers(object: JsonObject, known: ReadonlySet<string>): string[] {
  return [...object].flatMap(([key, value]) => {
    const isEmpty = value === null || value === '' || (Array.isArray(value) && value.length === 0);
    return known.has(key) || isEmpty ? [] : [key];
  });
}

function namedMembers(members: readonly string[]): string {
  const names = [...new Set(members)];
  return `the ${names.length === 1 ? 'member' : 'members'} ${names.join(', ')}`;
}

/** An annotation that the request sets as well is replaced, not lost. */
function lostAnnotations(annotations: Annotations = new Map(), kept: Annotations): string[] {
  const keys = [...annotations.keys()].filter((key) => !kept.has(key));
  if (keys.length === 0) return [];
  return [`the ${keys.length === 1 ? 'annotation' : 'annotations'} ${keys.join(', ')}`];
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
