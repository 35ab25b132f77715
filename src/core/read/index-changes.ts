import { isAttestation } from '../../oci/attestation.js';
import type { Annotations, Descriptor } from '../../oci/descriptor.js';
import type { ManifestContent } from '../../oci/content.js';
import { parseDocument, type ImageDocument, type ImageIndex } from '../../oci/documents.js';
import { formatPlatform } from '../../oci/platform.js';

/** A value that differs; undefined on the side that does not have it. */
export interface ValueChange {
  /** Of the first. */
  readonly from: string | undefined;
  /** Of the second. */
  readonly to: string | undefined;
}

/** An entry of only one of two indexes. */
export interface ListedEntry {
  /** Of the entry. */
  readonly digest: string;
  /** As `formatPlatform` writes it. */
  readonly platform: string | undefined;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
}

/** An entry that both indexes have, with another platform or other annotations. */
export interface ChangedEntry extends ListedEntry {
  /** Of `platform`, as `formatPlatform` writes it; undefined if it is the same. */
  readonly platformChange: ValueChange | undefined;
  /** By key; only those that differ. */
  readonly annotations: ReadonlyMap<string, ValueChange>;
}

/** What an index has that another does not have, and the other way round. */
export interface IndexChanges {
  /** In the order of the second index. */
  readonly added: readonly ListedEntry[];
  /** In the order of the first index. */
  readonly removed: readonly ListedEntry[];
  /** In the order of the first index. */
  readonly changed: readonly ChangedEntry[];
  /** Of the index itself, by key; only those that differ. */
  readonly annotations: ReadonlyMap<string, ValueChange>;
}

type Comparable = Pick<ImageIndex, 'manifests' | 'annotations'>;

/** Compares two indexes entry by entry: entries with the same digest are the same entry. */
export function indexChanges(before: Comparable, after: Comparable): IndexChanges {
  const later = byDigest(after.manifests);
  const removed: ListedEntry[] = [];
  const changed: ChangedEntry[] = [];
  for (const entry of before.manifests) {
    const now = later.get(entry.digest)?.shift();
    if (now === undefined) removed.push(listed(entry));
    else changed.push(...entryChange(entry, now));
  }
  const left = new Set([...later.values()].flat());
  return {
    added: after.manifests.filter((entry) => left.has(entry)).map(listed),
    removed,
    changed,
    annotations: annotationChanges(before.annotations, after.annotations),
  };
}

/** An index may name a manifest several times, with other platforms. */
function byDigest(entries: readonly Descriptor[]): Map<string, Descriptor[]> {
  const all = new Map<string, Descriptor[]>();
  for (const entry of entries) {
    const same = all.get(entry.digest);
    if (same === undefined) all.set(entry.digest, [entry]);
    else same.push(entry);
  }
  return all;
}

function listed(entry: Descriptor): ListedEntry {
  return { digest: entry.digest, platform: shown(entry), isAttestation: isAttestation(entry) };
}

function shown({ platform }: Descriptor): string | undefined {
  return platform === undefined ? undefined : formatPlatform(platform);
}

function entryChange(before: Descriptor, after: Descriptor): ChangedEntry[] {
  const [from, to] = [shown(before), shown(after)];
  const annotations = annotationChanges(before.annotations, after.annotations);
  if (from === to && annotations.size === 0) return [];
  const platformChange = from === to ? undefined : { from, to };
  return [{ ...listed(before), platformChange, annotations }];
}

/** The annotations that differ, by key. */
export function annotationChanges(
  before: Annotations = new Map(),
  after: Annotations = new Map(),
): Map<string, ValueChange> {
  const keys = new Set([...before.keys(), ...after.keys()]);
  const changes = [...keys].map(
    (key) => [key, { from: before.get(key), to: after.get(key) }] as const,
  );
  return new Map(changes.filter(([, { from, to }]) => from !== to));
}

/** A document before and after an edit; {@link documentChanges} compares them. */
export interface EditedDocument {
  readonly before: { readonly document: ImageDocument };
  readonly after: Pick<ManifestContent, 'bytes' | 'mediaType'>;
}

/** What an edit changes in the index; a single image counts as an index without entries. */
export function documentChanges({ before, after }: EditedDocument): IndexChanges {
  const { document } = parseDocument(after.bytes, after.mediaType);
  const [from, to] = [before.document, document].map((each) =>
    each.kind === 'index' ? each : { manifests: [] },
  );
  return indexChanges(from!, to!);
}
