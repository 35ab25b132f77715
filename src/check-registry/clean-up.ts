import { reasonOf } from '../errors.js';
import type { Trace, Traces } from './traces.js';

/** What is known of deletion; undefined where it has not been tried. */
export interface CanDelete {
  readonly tags: boolean | undefined;
  readonly manifests: boolean | undefined;
}

/** What is left when all was deleted that can be. */
export interface Leftovers {
  /** Tags, and digests of what no such tag names. */
  readonly references: readonly string[];
  /** Why, in the words of the first refusal; undefined where no request was refused now. */
  readonly reason: string | undefined;
}

/** Deletes all that a check has left: tags first, and what names others before those, because some registries demand it. */
export async function cleanUp(traces: Traces, can: CanDelete): Promise<Leftovers> {
  let reason: string | undefined;
  const remove = async (left: readonly Trace[]): Promise<void> => {
    const outcomes = await Promise.all(left.map((trace) => removeOne(trace)));
    for (const [i, why] of outcomes.entries()) {
      const trace = left[i]!;
      if (why === undefined) traces.forget(sameAs(traces, trace));
      else reason ??= why;
    }
  };
  const unique = (kind: Trace['kind'], level?: number): Trace[] => {
    const found = traces
      .all()
      .filter((each) => each.kind === kind && (level === undefined || each.level === level));
    return [...new Map(found.map((trace) => [trace.reference, trace])).values()];
  };

  if (can.tags !== false) await remove(unique('tag'));
  if (can.manifests !== false) {
    for (const level of [2, 1, 0]) await remove(unique('manifest', level));
    // What nothing names is collected by registries in time: where it cannot be deleted now, nothing is said of it.
    await Promise.allSettled(
      [...traces.blobs].map(({ probe, digest }) => probe.remove('blobs', digest)),
    );
  }

  // Tags go with what they name, and some were never made although the registry agreed to them.
  const noted = unique('tag');
  const isGone = await Promise.all(noted.map(isTagGone));
  for (const [i, trace] of noted.entries()) if (isGone[i]!) traces.forget(sameAs(traces, trace));

  const tags = unique('tag');
  const tagged = new Set(tags.map(({ digest }) => digest));
  const untagged = unique('manifest').filter(({ digest }) => !tagged.has(digest));
  return { references: [...tags, ...untagged].map(({ reference }) => reference), reason };
}

/** Why something could not be deleted; undefined where it is gone. */
async function removeOne({ probe, reference, isOpen }: Trace): Promise<string | undefined> {
  try {
    const { isDone, status, words } = await probe.remove('manifests', reference);
    if (isDone) return undefined;
    if (status !== 404) return words;
    return isOpen ? 'it is not known whether it was written' : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

async function isTagGone({ probe, reference, isOpen }: Trace): Promise<boolean> {
  try {
    return !isOpen && (await probe.tagDigest(reference)) === undefined;
  } catch {
    return false;
  }
}

/** All notes of the same thing. */
function sameAs(traces: Traces, { kind, reference }: Trace): Trace[] {
  return traces.all().filter((each) => each.kind === kind && each.reference === reference);
}
