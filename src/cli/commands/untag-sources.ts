import type { Client } from '../../core/client.js';
import { untag, type Untagged } from '../../core/edit/untag.js';
import { sharedCode, summarizeFailures } from '../../core/publish/failures.js';
import { ManifestToolError } from '../../errors.js';
import {
  formatReference,
  parseReference,
  repositoryKey,
  sameRepository,
  type Reference,
} from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Options } from '../args/values.js';
import type { Reporter } from '../progress/reporter.js';
import type { Failed, Job, Published } from './job.js';

type Finished = Published | Failed;

/** Jobs after their source tags were deleted. */
interface UntaggedJobs {
  /** The jobs, with what was deleted of the sources of each. */
  readonly finished: readonly Finished[];
  /** With --strict: what could not be deleted. */
  readonly errors: readonly ManifestToolError[];
}

/**
 * Deletes the tags of the sources of jobs that succeeded, in the registries of their targets; in a
 * dry run, only says which. A tag stays that has moved since it was read, that this run has
 * published, or that a job which failed needs when it is repeated.
 */
export async function untagSources(
  client: Client,
  jobs: readonly Job[],
  finished: readonly Finished[],
  { strict = false, dryRun }: Options<'dry-run'> & Partial<Options<'strict'>>,
  reporter: Reporter,
): Promise<UntaggedJobs> {
  const kept = new Set(
    jobs.flatMap((job, i) => [
      ...targetTags(job, finished[i]!).map(keyOf),
      ...(isSuccess(finished[i]!) ? [] : job.sources.map(keyOf)),
    ]),
  );
  const digests = new Map(
    finished.flatMap((each) => ('result' in each ? [...(each.sources ?? [])] : [])),
  );
  const references = new Map<string, Reference>();
  const elsewhere = new Map<string, string>();
  for (const [i, job] of jobs.entries()) {
    if (!isSuccess(finished[i]!)) continue;
    for (const source of job.sources) {
      const name = formatReference(source);
      if (source.tag === undefined || source.digest !== undefined || kept.has(keyOf(source)))
        continue;
      // A source that was left out because it does not exist.
      if (!digests.has(name)) continue;
      if (job.targets.some((target) => isSameRegistry(source, target)))
        references.set(keyOf(source), source);
      else elsewhere.set(keyOf(source), name);
    }
  }
  for (const [key, name] of elsewhere)
    if (!references.has(key))
      reporter.note(`${name} keeps its tag: it is not in the registry of the target`);
  let untagged: readonly Untagged[];
  try {
    untagged = await untag(
      client,
      {
        references: [...references.values()],
        isExpected: (digest, reference) => digests.get(formatReference(reference)) === digest,
        dryRun,
      },
      { progress: reporter.progress },
    );
  } catch (error) {
    // What was published is reported all the same.
    if (error instanceof ManifestToolError) return { finished, errors: [error] };
    throw error;
  }
  const errors = await reportFailures(untagged, strict, reporter);
  const deleted = new Map(
    untagged.flatMap((each) =>
      'error' in each ? [] : [[formatReference(each.reference), each.digest] as const],
    ),
  );
  if (!dryRun && deleted.size > 0)
    reporter.note(
      `deleted ${countOf(deleted.size, 'source tag')}: ${[...deleted.keys()].join(', ')}`,
    );
  return {
    finished: finished.map((each, i) =>
      'error' in each ? each : withUntagged(each, jobs[i]!, deleted),
    ),
    errors,
  };
}

function withUntagged(
  published: Published,
  { sources }: Job,
  deleted: ReadonlyMap<string, ResultDigest>,
): Published {
  const names = [...new Set(sources.map(formatReference))];
  const untagged = names.flatMap((name) => {
    const digest = deleted.get(name);
    return digest === undefined ? [] : [{ name, digest }];
  });
  return { ...published, result: { ...published.result, untagged } };
}

type ResultDigest = Published['result']['digest'];

function isSuccess(finished: Finished): boolean {
  return 'result' in finished && finished.failures.length + finished.refusals.length === 0;
}

/** All tags that a job publishes, whether or not it has succeeded. */
function targetTags({ targets }: Job, finished: Finished): Reference[] {
  const own = targets.filter(({ tag }) => tag !== undefined);
  if ('error' in finished) return own;
  const { tags, referrerTags = [] } = finished.result;
  return [...own, ...[...tags, ...referrerTags].map(({ name }) => parseReference(name))];
}

/** Identifies a tag, however the path of a layout or an archive is written. */
function keyOf(reference: Reference): string {
  return `${repositoryKey(reference)} ${reference.tag}`;
}

function isSameRegistry(source: Reference, target: Reference): boolean {
  return source.kind === 'registry' && target.kind === 'registry'
    ? source.host === target.host
    : sameRepository(source, target);
}

/** Warns of tags that could not be deleted; with --strict they are errors. */
async function reportFailures(
  untagged: readonly Untagged[],
  strict: boolean,
  reporter: Reporter,
): Promise<ManifestToolError[]> {
  // One that does not exist any more needs no deletion.
  const errors = untagged.flatMap((each) =>
    'error' in each && each.error.code !== 'NOT_FOUND' ? [each.error] : [],
  );
  if (!strict) {
    for (const { message } of errors) reporter.warning(`${message}; the tag is kept`);
    return [];
  }
  if (errors.length < 2) return errors;
  for (const error of errors) await reporter.failed(error);
  const what = `deleting ${countOf(untagged.length, 'source tag')}`;
  const summary = summarizeFailures(errors, untagged.length, {
    what,
    codeOf: sharedCode,
    reason: 'several-not-deleted',
  });
  return summary === undefined ? [] : [summary];
}
