import type { Digest } from '../oci/digest.js';
import type { Reference } from '../oci/reference.js';

/** A repository, or a layout, and the tags in it under which something is published. */
export interface Target {
  readonly target: Reference;
  /** Tags beside that of the reference. */
  readonly tags: readonly string[];
}

/** Where something is published, and under which conditions. */
export interface Publication extends Target {
  /** Further repositories, registries and layouts; a failure at one leaves the others whole. */
  readonly alsoTo?: readonly Target[];
  /** Moves no tag that exists. */
  readonly noClobber?: boolean;
  /** Moves tags only from this digest. */
  readonly expect?: Digest;
  /** Makes every warning an error, before anything is written. */
  readonly strict?: boolean;
  /** How long what is not found may take to appear, in milliseconds. */
  readonly waitMs?: number;
  /** Does all but write. */
  readonly dryRun?: boolean;
}

/** All tags of a target, each once. */
export function tagsOf({ target, tags }: Target): string[] {
  return [...new Set([...(target.tag === undefined ? [] : [target.tag]), ...tags])];
}
