import type { ValueChange } from '../../core/read/index-changes.js';

/** A value before and after; null on the side that does not have it. */
export interface ChangeDocument {
  readonly from: string | null;
  readonly to: string | null;
}

/** Changes by their keys, for programs. */
export function changeDocuments(
  changes: Iterable<readonly [key: string, change: ValueChange]>,
): Readonly<Record<string, ChangeDocument>> {
  return Object.fromEntries([...changes].map(([key, change]) => [key, changeDocument(change)]));
}

export function changeDocument({ from, to }: ValueChange): ChangeDocument {
  return { from: from ?? null, to: to ?? null };
}
