import type { ProgressEvents } from '../core/events.js';
import { errorOfCheck, NotTried, Refusal } from './refusal.js';
import type { TestRepository } from './test-repository.js';

/** What is checked (docs/reference/check-registry.md). */
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

/** The outcome of a check. */
export interface CheckResult {
  /** Stable, for programs. */
  readonly name: CheckName;
  /** What is checked, for people. */
  readonly title: string;
  /** `not tried` if a prerequisite failed. */
  readonly result: 'yes' | 'no' | 'not tried';
  /** The registry's answer: remote text. */
  readonly detail: string;
}

/** The outcomes that are known when a check starts. */
export type Results = ReadonlyMap<CheckName, CheckResult>;

/** A check of one feature of a registry. */
export interface Check {
  readonly name: CheckName;
  readonly title: string;
  /** Checks that have to be a `yes`. They precede it in the table. */
  readonly needs: readonly CheckName[];
  /** Checks of which one has to be a `yes`. */
  readonly needsOneOf?: readonly CheckName[];
  /** Checks that have to end before, with any outcome. */
  readonly after?: readonly CheckName[];
  /**
   * Uses the feature and reads back what it wrote.
   * @returns what to add to the `yes`, or an empty string.
   * @throws {Refusal | NotTried} if the registry refuses, or the check cannot be made.
   */
  readonly run: (repository: TestRepository, results: Results) => Promise<string>;
}

/**
 * Runs checks, each as soon as those that it waits for have ended.
 * @param table each check after those that it waits for.
 * @param stop called with each error that is not the outcome of a check, so that no further write
 * starts.
 * @throws one of these errors, when no check is running any more.
 */
export async function runChecks(
  table: readonly Check[],
  repository: TestRepository,
  stop: (error: unknown) => void,
  events: ProgressEvents,
): Promise<CheckResult[]> {
  const started = new Map<CheckName, Promise<CheckResult>>();
  let ended = 0;
  const run = async (check: Check): Promise<CheckResult> => {
    const waitsFor = [...check.needs, ...(check.needsOneOf ?? []), ...(check.after ?? [])];
    const before = await Promise.all(waitsFor.flatMap((name) => started.get(name) ?? []));
    const results = new Map(before.map((result) => [result.name, result]));
    const result = await resultOf(check, repository, results);
    ended += 1;
    events.progress?.(`checking ${repository.name}: ${ended} of ${table.length} checks done`);
    return result;
  };
  for (const check of table) {
    const result = run(check);
    result.catch(stop);
    started.set(check.name, result);
  }
  await Promise.allSettled(started.values());
  return Promise.all(started.values());
}

async function resultOf(
  check: Check,
  repository: TestRepository,
  results: Results,
): Promise<CheckResult> {
  const { name, title } = check;
  const missing = failedPrerequisites(check, results);
  if (missing !== undefined)
    return { name, title, result: 'not tried', detail: `needs ${missing}` };
  try {
    return { name, title, result: 'yes', detail: await check.run(repository, results) };
  } catch (error) {
    if (error instanceof Refusal) return { name, title, result: 'no', detail: error.message };
    if (error instanceof NotTried)
      return { name, title, result: 'not tried', detail: error.message };
    throw errorOfCheck(error);
  }
}

/** The titles of the prerequisites that are not a `yes`; undefined if the check can run. */
function failedPrerequisites({ needs, needsOneOf }: Check, results: Results): string | undefined {
  const isFailed = (name: CheckName): boolean => results.get(name)?.result !== 'yes';
  const titles = (names: readonly CheckName[], word: string): string =>
    names.map((name) => results.get(name)!.title).join(word);
  const failed = needs.filter(isFailed);
  if (failed.length > 0) return titles(failed, ' and ');
  if (needsOneOf?.every(isFailed) === true) return titles(needsOneOf, ' or ');
  return undefined;
}
