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
  /** Whether the repository may hold tags of others. */
  readonly isShared: boolean;
}

/** What could not be deleted. */
export interface Remaining {
  /** Tags, and digests of manifests that none of these tags points to. */
  readonly references: readonly string[];
  /** Why: the first refusal; undefined if no request was refused. */
  readonly reason: string | undefined;
}

/**
 * Deletes all leftovers that can be deleted: tags first, then manifests from the highest level
 * down, as some registries require it. What is not confirmed to be deleted is looked for: some tags
 * are deleted with their manifest, some manifests with their tag, and some were never made although
 * the registry accepted them.
 */
export async function cleanUp(leftovers: Leftovers, can: CanDelete): Promise<Remaining> {
  const refusals = new Map<string, Refused>();
  const removeAll = async (references: readonly Leftover[]): Promise<void> => {
    await Promise.all(
      references.map(async (each) => {
        const refused = await remove(each);
        if (refused === undefined) leftovers.forget(each);
        else refusals.set(each.reference, refused);
      }),
    );
  };
  const tags = leftovers.distinct('tag');
  const isTrialNeeded = can.isShared && can.tags === undefined && tags.length > 0;
  if (!isTrialNeeded || (await isDeletionSafe(tags, removeAll))) {
    if (can.tags !== false) await removeAll(leftovers.distinct('tag'));
    if (can.manifests !== false) {
      for (const level of [2, 1, 0]) await removeAll(leftovers.distinct('manifest', level));
      // Registries collect blobs that nothing names; one that cannot be deleted is not reported.
      await Promise.allSettled(
        [...leftovers.blobs].map(({ repository, digest }) => repository.remove('blobs', digest)),
      );
    }
  }

  const noted = [...leftovers.distinct('tag'), ...leftovers.distinct('manifest')];
  await Promise.all(
    noted.map(async (each) => {
      const isGone = refusals.get(each.reference)?.status === 404 && !each.isPending;
      if (!((await isThere(each)) ?? !isGone)) leftovers.forget(each);
    }),
  );

  const left = leftovers.distinct('tag');
  const tagged = new Set(left.map(({ digest }) => digest));
  const untagged = leftovers.distinct('manifest').filter(({ digest }) => !tagged.has(digest));
  const references = [...left, ...untagged].map(({ reference }) => reference);
  const refused = references.flatMap((reference) => refusals.get(reference) ?? []);
  return { references, reason: refused[0]?.reason };
}

/**
 * Tries the deletion of one tag of this run, and whether it leaves the others alone: some registries
 * delete more than they are asked for. Without a second tag it is not tried.
 */
async function isDeletionSafe(
  tags: readonly Leftover[],
  removeAll: (tags: readonly Leftover[]) => Promise<void>,
): Promise<boolean> {
  const first = tags.find(({ isPending }) => !isPending);
  if (first === undefined) return false;
  const before = await tagsThere(tags, first.digest);
  await removeAll([first]);
  const after = await tagsThere(tags, first.digest);
  return before.length > 0 && after.length === before.length;
}

/** Those tags that are there and do not point to a manifest. */
export async function tagsThere(tags: readonly Leftover[], digest: Digest): Promise<Leftover[]> {
  const others = tags.filter((tag) => tag.digest !== digest && !tag.isPending);
  const areThere = await Promise.all(others.map(isThere));
  return others.filter((_, i) => areThere[i] === true);
}

/** Why a reference was not deleted. */
interface Refused {
  readonly reason: string;
  /** Of the registry's answer, if there was one. */
  readonly status?: number;
}

/** Deletes a reference; undefined if the registry confirms it. */
async function remove({
  repository,
  reference,
  isPending,
}: Leftover): Promise<Refused | undefined> {
  try {
    const { isDone, status, words } = await repository.remove('manifests', reference);
    if (isDone) return undefined;
    const isUnknown = status === 404 && isPending;
    return { status, reason: isUnknown ? 'it is not known whether it was written' : words };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** Undefined if that cannot be found out: a write that is not answered may still arrive. */
async function isThere({
  repository,
  reference,
  isPending,
}: Leftover): Promise<boolean | undefined> {
  if (isPending) return undefined;
  try {
    return (await repository.digestOf(reference)) !== undefined;
  } catch {
    return undefined;
  }
}
