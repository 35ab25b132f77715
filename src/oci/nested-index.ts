import { companionsIn } from './companions.js';
import type { Descriptor } from './descriptor.js';
import { IndexWalker, type IndexGraph, type WalkOptions } from './graph.js';
import { isIndexType } from './media-types.js';
import { isNoPlatform } from './platform.js';

/**
 * Follows the indexes inside an index from which a platform is selected. One that the index lists
 * for a platform is selected as a whole, and one that belongs to another entry goes with that.
 * @throws {ManifestToolError} as {@link IndexWalker.walk}.
 */
export function walkNested(
  manifests: readonly Descriptor[],
  options: Omit<WalkOptions<void>, 'visit'>,
): Promise<IndexGraph<void>> {
  const walker = new IndexWalker<void>({
    ...options,
    visit: async (entry, read, entries) => {
      if (isFolded(entry, entries)) await read();
    },
  });
  return walker.walk(manifests);
}

function isFolded(entry: Descriptor, entries: readonly Descriptor[]): boolean {
  const { mediaType, platform, artifactType } = entry;
  const isSelectable = platform !== undefined && !isNoPlatform(platform);
  return (
    isIndexType(mediaType) && !isSelectable && !artifactType && !companionsIn(entries).has(entry)
  );
}

/** The entries of an index, with those of indexes inside it that were followed in their place. */
export function unfoldedEntries(graph: IndexGraph<void>): Descriptor[] {
  return graph
    .fold<readonly Descriptor[]>(({ descriptor, manifest }, inner) =>
      manifest === undefined ? [descriptor] : inner.flat(),
    )
    .flat();
}
