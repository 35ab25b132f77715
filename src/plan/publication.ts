import type { Digest } from '../oci/digest.js';
import type { Reference } from '../oci/reference.js';

/** Where something is published, and under which conditions. */
export interface Publication {
  readonly target: Reference;
  /** Tags beside that of the target. */
  readonly tags: readonly string[];
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
