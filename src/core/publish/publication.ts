import { ManifestToolError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { formatName, isTag, TAG_RULE, type Reference } from '../../oci/reference.js';

/** A repository, or a layout, and the tags in it under which something is published. */
export interface Target {
  /** With neither a tag here nor in `tags` it is published by its digest alone, and no tag moves. */
  readonly target: Reference;
  /** Tags beside that of the reference. */
  readonly tags?: readonly string[];
}

/** Under which conditions tags move, and whether they do. */
export interface PublishingOptions {
  /** Moves no tag that exists; the default is false. */
  readonly noClobber?: boolean;
  /**
   * Moves tags only from this digest. A registry cannot compare and set: it is looked at right before the write, and another publisher can
   * still come between.
   */
  readonly expect?: Digest;
  /** Makes every warning an error, before anything is written; the default is false. */
  readonly strict?: boolean;
  /** How long what is not found may take to appear, in milliseconds and all in all; the default is not at all. */
  readonly waitMs?: number;
  /** Does all but write: what comes back is what would be written; the default is false. */
  readonly dryRun?: boolean;
}

/** Where something is published, and under which conditions. */
export interface Publication extends Target, PublishingOptions {
  /** Further repositories, registries and layouts; a failure at one leaves the others whole. */
  readonly alsoTo?: readonly Target[];
}

/** All tags of a target, each once. */
export function tagsOf({ target, tags = [] }: Target): string[] {
  return [...new Set([...(target.tag === undefined ? [] : [target.tag]), ...tags])];
}

/**
 * Refuses what is no tag before it gets into a URL or a file.
 * @throws {ManifestToolError} USAGE.
 */
export function checkTags(target: Target): void {
  const wrong = tagsOf(target).find((tag) => !isTag(tag));
  if (wrong === undefined) return;
  const what = `publishing ${formatName(target.target)}`;
  throw new ManifestToolError('USAGE', what, `${JSON.stringify(wrong)} is no tag`, {
    hint: TAG_RULE,
  });
}
