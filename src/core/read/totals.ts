import type { Digest } from '../../oci/digest.js';
import type { Described } from './describe.js';

/** Sizes in bytes of a manifest and all below it: what is there twice is counted once. */
export interface Totals {
  /** Of manifests and lists. */
  readonly manifests: number;
  /** Of configurations. */
  readonly configs: number;
  /** Of layers, as they are stored. */
  readonly layers: number;
  /** The sum. */
  readonly total: number;
}

/** Sizes over all that a manifest needs, by digest. */
export function totalsOf(described: Described): Totals {
  const seen = new Set<Digest>();
  const sums = { manifests: 0, configs: 0, layers: 0 };
  const add = (to: keyof typeof sums, { digest, size }: { digest: Digest; size: number }): void => {
    if (seen.has(digest)) return;
    seen.add(digest);
    sums[to] += size;
  };
  const visit = ({ descriptor, manifest, entries }: Described): void => {
    add('manifests', manifest ?? descriptor);
    if (manifest?.document.kind === 'manifest') {
      add('configs', manifest.document.config);
      for (const layer of manifest.document.layers ?? []) add('layers', layer);
    }
    for (const entry of entries) visit(entry);
  };
  visit(described);
  return { ...sums, total: sums.manifests + sums.configs + sums.layers };
}
