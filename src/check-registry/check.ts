import type { Site } from './site.js';

/** What is checked (docs/check-registry.md). */
export type CheckName =
  | 'version'
  | 'authentication'
  | 'blobs'
  | 'docker-image'
  | 'oci-image'
  | 'docker-list'
  | 'oci-index'
  | 'mixed-list'
  | 'mixed-index'
  | 'annotations'
  | 'nested-index'
  | 'attestations'
  | 'push-by-digest'
  | 'tag-moves'
  | 'several-tags'
  | 'mount'
  | 'referrers'
  | 'manifest-size'
  | 'delete-tag'
  | 'delete-manifest';

/** How a check ended; `detail` has the registry's own words, which are remote text. */
export interface CheckResult {
  /** Stable, for programs. */
  readonly name: CheckName;
  /** What is checked, for people. */
  readonly title: string;
  /** `not tried` where something that it needs is missing. */
  readonly result: 'yes' | 'no' | 'not tried';
  /** The registry's own words: remote text. */
  readonly detail: string;
}

/** What is known when a check begins. */
export type Results = ReadonlyMap<CheckName, CheckResult>;

/** One thing that a registry does or does not. */
export interface Check {
  readonly name: CheckName;
  readonly title: string;
  /** Checks before it in the table whose `yes` it builds on. */
  readonly needs: readonly CheckName[];
  /** The same, where one of them is enough. */
  readonly needsOneOf?: readonly CheckName[];
  /** Checks that it waits for, however they end. */
  readonly after?: readonly CheckName[];
  /**
   * Proves it by reading back what it wrote.
   * @returns what there is to say beside yes, or nothing.
   * @throws {Refusal | NotTried} where the registry says no, or the check cannot be made.
   */
  readonly prove: (site: Site, results: Results) => Promise<string>;
}
