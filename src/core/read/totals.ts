import type { Digest } from '../../oci/digest.js';
import type { Described } from './describe.js';

/** Sizes in bytes of a manifest and everything below it; what is named twice is counted once. */
export interface Totals {
  /** Of manifests and indexes. */
  readonly manifests: number;
  /** Of configs. */
  readonly configs: number;
  /** Of layers, as they are stored. */
  readonly layers: number;
  /** The sum. */
  readonly total: number;
}

/** Adds up the sizes of everything that a manifest needs, each digest once. */
export function totalsOf(described: Described): Totals {
  const seen = new Set<Digest>();
  const sums = { manifests: 0, configs: 0, layers: 0 };
  const add = (
    to: keyof typeof sums,
    { digest, size }: { digest: Digest; size: number },
  ): boolean => {
    if (seen.has(digest)) return false;
    seen.add(digest);
    sums[to] += size;
    return true;
  };
  const visit = ({ descriptor, manifest, entries }: Described): void => {
    const isNew = add('manifests', manifest ?? descriptor);
    if (isNew && manifest?.document.kind === 'manifest') {
      add('configs', manifest.document.config);
      for (const layer of manifest.document.layers ?? []) add('layers', layer);
    }
    for (const entry of entries) visit(entry);
  };
  visit(described);
  return { ...sums, total: sums.manifests + sums.configs + sums.layers };
}
