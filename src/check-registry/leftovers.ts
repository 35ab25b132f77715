import { reasonOf } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import type { RawRepository } from '../registry/raw.js';

/** A tag or a manifest that a check has written, or may have written. */
export interface Leftover {
  readonly repository: RawRepository;
  readonly kind: 'tag' | 'manifest';
  /** The tag or the digest. */
  readonly reference: string;
  /** Of the manifest that was written. */
  readonly digest: Digest;
  /**
   * 0 for an image, 1 for an index of images, 2 for an index of indexes. Higher levels are deleted
   * first.
   */
  readonly level: number;
  /** Whether there is no answer yet: the content may still appear. */
  isPending: boolean;
}

/** A blob that a check has written. */
export interface BlobLeftover {
  readonly repository: RawRepository;
  readonly digest: Digest;
}

/**
 * Content that the checks have written and not deleted. Writes are recorded before they are sent.
 */
export class Leftovers {
  private readonly recorded = new Set<Leftover>();
  private readonly writes = new Set<Promise<unknown>>();
  readonly blobs = new Set<BlobLeftover>();
  /** `host/repository` of the repositories that were written to. */
  readonly repositories = new Set<string>();

  /** Those of a kind, each reference once. */
  distinct(kind: Leftover['kind'], level?: number): Leftover[] {
    const found = [...this.recorded].filter(
      (each) => each.kind === kind && (level === undefined || each.level === level),
    );
    return [...new Map(found.map((each) => [each.reference, each])).values()];
  }

  /** Forgets a reference that is gone, however often it was written. */
  forget({ kind, reference }: Leftover): void {
    for (const each of this.recorded)
      if (each.kind === kind && each.reference === reference) this.recorded.delete(each);
  }

  /** Runs the write of a blob. */
  async recordBlob<T>(blob: BlobLeftover, write: () => Promise<T>): Promise<T> {
    this.blobs.add(blob);
    try {
      const answer = await write();
      this.repositories.add(blob.repository.name);
      return answer;
    } catch (error) {
      this.blobs.delete(blob);
      throw error;
    }
  }

  /** Runs the write of a manifest and its tags. A refusal (`isDone` is false) leaves nothing. */
  async record<T extends { readonly isDone: boolean }>(
    written: readonly Omit<Leftover, 'isPending'>[],
    write: () => Promise<T>,
  ): Promise<T> {
    const leftovers = written.map((each) => ({ ...each, isPending: true }));
    for (const each of leftovers) this.recorded.add(each);
    const writing = write();
    this.writes.add(writing);
    try {
      const answer = await writing;
      if (!answer.isDone) for (const each of leftovers) this.recorded.delete(each);
      return answer;
    } finally {
      for (const each of leftovers) each.isPending = false;
      this.writes.delete(writing);
    }
  }

  /** Resolves when no write is in flight any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.writes);
  }
}

/** What the registry can delete; undefined if that has not been tried. */
export interface CanDelete {
  readonly tags: boolean | undefined;
  readonly manifests: boolean | undefined;
}

/** What could not be deleted. */
export interface Remaining {
  /** Tags, and digests of manifests that none of these tags points to. */
  readonly references: readonly string[];
  /** Why: the answer of the first refusal; undefined if no request was refused. */
  readonly reason: string | undefined;
}

/**
 * Deletes all leftovers that can be deleted: tags first, then manifests from the highest level
 * down, as some registries require it.
 */
export async function cleanUp(leftovers: Leftovers, can: CanDelete): Promise<Remaining> {
  let reason: string | undefined;
  const removeAll = async (references: readonly Leftover[]): Promise<void> => {
    const refusals = await Promise.all(references.map(remove));
    for (const [i, refusal] of refusals.entries()) {
      if (refusal === undefined) leftovers.forget(references[i]!);
      else reason ??= refusal;
    }
  };
  if (can.tags !== false) await removeAll(leftovers.distinct('tag'));
  if (can.manifests !== false) {
    for (const level of [2, 1, 0]) await removeAll(leftovers.distinct('manifest', level));
    // Registries collect blobs that nothing names; one that cannot be deleted is not reported.
    await Promise.allSettled(
      [...leftovers.blobs].map(({ repository, digest }) => repository.remove('blobs', digest)),
    );
  }

  // Some tags are deleted with their manifest, and some were never made although the registry
  // accepted them.
  const noted = leftovers.distinct('tag');
  const isGone = await Promise.all(noted.map(isTagGone));
  for (const [i, tag] of noted.entries()) if (isGone[i]!) leftovers.forget(tag);

  const tags = leftovers.distinct('tag');
  const tagged = new Set(tags.map(({ digest }) => digest));
  const untagged = leftovers.distinct('manifest').filter(({ digest }) => !tagged.has(digest));
  return { references: [...tags, ...untagged].map(({ reference }) => reference), reason };
}

/** Why a reference could not be deleted; undefined if it is gone. */
async function remove({ repository, reference, isPending }: Leftover): Promise<string | undefined> {
  try {
    const { isDone, status, words } = await repository.remove('manifests', reference);
    if (isDone) return undefined;
    if (status !== 404) return words;
    return isPending ? 'it is not known whether it was written' : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function isTagGone({ repository, reference, isPending }: Leftover): Promise<boolean> {
  try {
    return !isPending && (await repository.digestOf(reference)) === undefined;
  } catch {
    return false;
  }
}
