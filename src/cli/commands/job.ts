import type { Client } from '../../core/client.js';
import type { ManifestToolError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import type { Reference } from '../../oci/reference.js';
import type { PublishedContent } from '../output/files.js';
import type { ResultDocument } from '../output/result.js';
import type { Reporter } from '../progress/reporter.js';

/** One thing to publish: an index, a copy, or an edit of an index. */
export interface Job {
  readonly target: Reference;
  /** All targets. */
  readonly targets: readonly Reference[];
  readonly sources: readonly Reference[];
  /** @throws {ManifestToolError} if it failed at every target. */
  run(client: Client, reporter: Reporter): Promise<Published>;
}

/** What a job published, or would in a dry run. */
export interface Published extends PublishedContent {
  readonly result: ResultDocument;
  /** What each source of an index pointed to when it was read, by its reference. */
  readonly sources?: ReadonlyMap<string, Digest> | undefined;
  /** One for each target at which it failed. */
  readonly failures: readonly ManifestToolError[];
  /** One for each target that cannot be pushed to, in a dry run. */
  readonly refusals: readonly ManifestToolError[];
}

/** A job of which nothing was published. */
export interface Failed {
  readonly target: Reference;
  readonly error: ManifestToolError;
}
