import { mapInOrder } from '../../concurrency.js';
import { isAttestation } from '../../oci/attestation.js';
import type { Annotations, Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { Platform } from '../../oci/platform.js';
import { pairEntries } from './pair-entries.js';

/** A value that differs; undefined on the side that does not have it. */
export interface ValueChange {
  /** Of the first. */
  readonly from: string | undefined;
  /** Of the second. */
  readonly to: string | undefined;
}

/** One of the two that are compared. */
export interface DiffSide {
  /** Of the image or index. */
  readonly digest: Digest;
  /** Of the image or index. */
  readonly mediaType: string;
}

/** An entry that only one of the two has. */
export interface DiffEntry {
  /** Of the manifest. */
  readonly digest: Digest;
  /** Undefined if it has none. */
  readonly platform: Platform | undefined;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /**
   * Of the manifest with its config and layers, in bytes, as they are stored; undefined if it was
   * not read.
   */
  readonly size: number | undefined;
}

/** An entry that both have for one platform, with other content or other annotations. */
export interface DiffChange {
  /** As the first has it. */
  readonly from: DiffEntry;
  /** As the second has it. */
  readonly to: DiffEntry;
  /** Of the entry, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
  /**
   * Members of the config that differ, without history and layers: `os`, `config.User`,
   * `config.Env.PATH`, `config.Labels.KEY`. Strings as they are, other values as JSON. Undefined if
   * it was not asked for, or is not that of two images.
   */
  readonly config?: Readonly<Record<string, ValueChange>>;
}

/** How the entries and annotations of two images or indexes differ. */
export interface Difference {
  /** In the order of the second. */
  readonly added: readonly DiffEntry[];
  /** In the order of the first. */
  readonly removed: readonly DiffEntry[];
  /** In the order of the first. */
  readonly changed: readonly DiffChange[];
  /** Of the image or index itself, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
}

/** One side of a comparison. */
export interface ComparedContent {
  /** Of the image or index. */
  readonly annotations: Annotations | undefined;
  /** Those of the index, with their platforms; of a single image, itself. */
  readonly entries: readonly Descriptor[];
  /** The size of what an entry names ({@link DiffEntry.size}). */
  readonly sizeOf: (entry: Descriptor) => Promise<number | undefined>;
}

/** Compares the members of the configs of an entry of each side. */
export type CompareConfigs = (
  before: Descriptor,
  after: Descriptor,
) => Promise<Readonly<Record<string, ValueChange>> | undefined>;

/**
 * Compares two images or indexes: every command that shows a difference takes it from here.
 * @throws {ManifestToolError} what the sides and `compareConfigs` throw.
 */
export async function differenceOf(
  before: ComparedContent,
  after: ComparedContent,
  compareConfigs: CompareConfigs = async () => undefined,
): Promise<Difference> {
  const { added, removed, pairs } = pairEntries(before.entries, after.entries);
  const [addedEntries, removedEntries, changed] = await Promise.all([
    mapInOrder(added, (entry) => diffEntry(after, entry)),
    mapInOrder(removed, (entry) => diffEntry(before, entry)),
    mapInOrder(pairs, async ([old, now]): Promise<DiffChange> => {
      const [from, to] = await Promise.all([diffEntry(before, old), diffEntry(after, now)]);
      const config = old.digest === now.digest ? undefined : await compareConfigs(old, now);
      const annotations = valueChanges(old.annotations, now.annotations);
      return { from, to, annotations, ...(config && { config }) };
    }),
  ]);
  return {
    added: addedEntries,
    removed: removedEntries,
    changed,
    annotations: valueChanges(before.annotations, after.annotations),
  };
}

/** The values that differ, by key. */
export function valueChanges(
  before: ReadonlyMap<string, string> = new Map(),
  after: ReadonlyMap<string, string> = new Map(),
): Readonly<Record<string, ValueChange>> {
  const keys = new Set([...before.keys(), ...after.keys()]);
  const changes = [...keys].map(
    (key) => [key, { from: before.get(key), to: after.get(key) }] as const,
  );
  return Object.fromEntries(changes.filter(([, { from, to }]) => from !== to));
}

async function diffEntry({ sizeOf }: ComparedContent, entry: Descriptor): Promise<DiffEntry> {
  const { digest, platform } = entry;
  return {
    digest,
    platform,
    isAttestation: isAttestation(entry),
    size: await sizeOf(entry),
  };
}
