import { mapConcurrent } from '../../concurrency.js';
import type { Client } from '../../core/client.js';
import type { AddRequest } from '../../core/edit/add.js';
import type { EditRequest, EditResult } from '../../core/edit/edit-index.js';
import { summarizeFailures } from '../../core/publish/failures.js';
import { pushIndex } from '../../core/publish/push.js';
import { tagsOf, type IndexRequest, type Publication } from '../../core/publish/request.js';
import type { Outcome, PushResult } from '../../core/publish/publisher.js';
import type { VerifyOptions } from '../../core/read/verify.js';
import { ManifestToolError } from '../../errors.js';
import { formatName, formatReference, withSuffix, type Reference } from '../../oci/reference.js';
import { usageError, type Options } from '../args/values.js';
import type { Surroundings } from '../command.js';
import { withClient, type ConnectionOptions } from '../options/connection.js';
import { ResultFiles } from '../output/files.js';
import { jsonText } from '../output/json.js';
import {
  editDocument,
  failure,
  planText,
  refuseDefects,
  resultDocument,
  resultText,
  type ResultDocument,
} from '../output/result.js';
import type { Reporter } from '../progress/reporter.js';
import type { Failed, Job, Published } from './job.js';

/** How many specs are published at a time; their requests share the limit of each registry. */
const JOBS_AT_A_TIME = 8;

export interface PublishingContext extends Surroundings {
  readonly args: ConnectionOptions &
    Options<
      'verify' | 'json' | 'digestfile' | 'metadata-file' | 'dotenv' | 'subjects' | 'dry-run'
    > &
    Partial<Options<'strict' | 'untag-sources'>>;
}

/** A job that publishes an index or a copy, at one target or several. */
export function pushJob(
  publication: Publication,
  sources: readonly Reference[],
  push: (client: Client, reporter: Reporter) => Promise<PushResult>,
  warnings: readonly string[] = [],
): Job {
  const dryRun = publication.dryRun === true;
  return {
    target: publication.target,
    targets: [publication, ...(publication.alsoTo ?? [])].map(({ target }) => target),
    sources,
    async run(client, reporter) {
      const { root, outcomes, sources: read } = await push(client, reporter);
      noteUntagged(outcomes, dryRun, reporter);
      return {
        result: resultDocument(outcomes, dryRun, warnings),
        root,
        sources: read,
        targets: outcomes.flatMap((outcome) =>
          'plan' in outcome && outcome.refusal === undefined ? [outcome.target.target] : [],
        ),
        failures: outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : [])),
        refusals: outcomes.flatMap((outcome) =>
          'plan' in outcome && outcome.refusal !== undefined ? [outcome.refusal] : [],
        ),
      };
    },
  };
}

/**
 * A job that publishes an index.
 * @param warnings about the request, which are reported already
 */
export function pushIndexJob(request: IndexRequest, warnings: readonly string[] = []): Job {
  const sources = request.sources.map(({ reference }) => reference);
  const push = (client: Client, reporter: Reporter): Promise<PushResult> =>
    pushIndex(client, request, reporter);
  return pushJob(request, sources, push, warnings);
}

/** A job that edits an index in place. */
export function editJob(
  { target, sources = [], dryRun = false }: EditRequest & Partial<Pick<AddRequest, 'sources'>>,
  edit: (client: Client, reporter: Reporter) => Promise<EditResult>,
  warnings: readonly string[] = [],
): Job {
  return {
    target,
    targets: [target],
    sources: sources.map(({ reference }) => reference),
    async run(client, reporter) {
      const edited = await edit(client, reporter);
      const result = editDocument(target, edited, dryRun, warnings);
      const refusals = edited.refusal === undefined ? [] : [edited.refusal];
      const targets = refusals.length === 0 ? [target] : [];
      const { after, sources: read } = edited;
      return { result, root: after, sources: read, targets, failures: [], refusals };
    },
  };
}

/**
 * Runs the jobs of a command: opens the files for the result, publishes, verifies, writes the files
 * and prints the result. Of several jobs, one that fails is reported when it fails and does not
 * affect the others.
 * @throws {ManifestToolError} the error of a single job; a summary with the code of the first error
 * if some targets or jobs failed.
 */
export async function runJobs(
  jobs: readonly Job[],
  { args, io, reporter }: PublishingContext,
): Promise<void> {
  if (args.dotenv !== undefined && jobs.length > 1) {
    throw usageError(
      `--dotenv accepts only one spec, not ${jobs.length}`,
      'publish each spec with a separate command',
    );
  }
  const names = jobs.flatMap(({ targets }) => targets.map(formatName));
  const isLineFile = args.dotenv !== undefined || args.subjects !== undefined;
  if (isLineFile && names.some((name) => /[\r\n]/.test(name))) {
    throw usageError(
      '--dotenv and --subjects cannot represent a target with a line break in its path',
      'publish to a directory without one',
    );
  }
  const files = await ResultFiles.open(args, io.signal);
  try {
    const references = [
      ...jobs.flatMap(({ targets }) => targets),
      ...jobs.flatMap(({ sources }) => sources),
    ];
    await withClient(args, { io, reporter }, references, async (client) => {
      const isSingle = jobs.length === 1;
      const run = async (job: Job): Promise<Published | Failed> => {
        try {
          const published = await job.run(client, reporter);
          if (args.verify !== undefined && !args.dryRun) {
            const deep = args.verify.includes('deep');
            await verify(client, published, { deep }, reporter);
          }
          if (!isSingle || onlyRefusal(published) === undefined)
            for (const refusal of published.refusals) await reporter.failed(refusal);
          return published;
        } catch (error) {
          if (isSingle || !(error instanceof ManifestToolError)) throw error;
          await reporter.failed(error);
          return { target: job.target, error };
        }
      };
      const { finished, errors } = await reporter.during(async () => {
        const ended = await mapConcurrent(jobs, run, JOBS_AT_A_TIME);
        if (args.untagSources !== true) return { finished: ended, errors: [] };
        const { untagSources } = await import('./untag-sources.js');
        return untagSources(client, jobs, ended, args, reporter);
      });
      const published = finished.flatMap((each) => ('result' in each ? [each] : []));
      if (!args.dryRun) await files.write(published, isSingle);
      io.stdout.write(args.json ? jsonOf(finished) : textOf(finished));
      refuseFailures(finished);
      const [error] = errors;
      if (error !== undefined) throw error;
    });
  } finally {
    await files.close();
  }
}

function noteUntagged(outcomes: readonly Outcome[], dryRun: boolean, reporter: Reporter): void {
  const verb = dryRun ? 'it would be published' : 'it was published';
  for (const outcome of outcomes) {
    if ('error' in outcome || tagsOf(outcome.target).length > 0) continue;
    const name = outcomes.length === 1 ? 'the target' : formatReference(outcome.target.target);
    reporter.note(`${name} has no tag: ${verb} by digest only, and no tag changes`);
  }
}

/**
 * Verifies what was published, from each target.
 * @throws {ManifestToolError} REFUSED with each defect.
 */
export async function verify(
  client: Client,
  {
    targets,
    result,
  }: Pick<Published, 'targets'> & { readonly result: Pick<ResultDocument, 'digest'> },
  options: VerifyOptions,
  reporter: Reporter,
): Promise<void> {
  const { verifyImage } = await import('../../core/read/verify.js');
  for (const target of targets) {
    const published = withSuffix(target, result.digest);
    const name = formatReference(published);
    refuseDefects(name, await verifyImage(client, published, options, reporter));
    reporter.note(`verified ${name}`);
  }
}

/** The result of a single job, or a line for each that did not fail, after its plan in a dry run. */
function textOf(finished: readonly (Published | Failed)[]): string {
  const results = finished.flatMap((each) => ('result' in each ? [each.result] : []));
  if (finished.length === 1) return resultText(results[0]!);
  return results
    .map((result) => {
      const { digest, size, target } = result;
      return `${planText(result)}Digest: ${digest} ${size} ${target}\n`;
    })
    .join('');
}

function jsonOf(finished: readonly (Published | Failed)[]): string {
  const documents = finished.map((each) =>
    'result' in each
      ? each.result
      : { target: formatReference(each.target), error: failure(each.error) },
  );
  return jsonText(documents.length === 1 ? documents[0]! : documents);
}

/** The refusal of a job that has a single target. */
function onlyRefusal({ targets, failures, refusals }: Published): ManifestToolError | undefined {
  const [refusal, ...others] = refusals;
  return targets.length + failures.length + others.length === 0 ? refusal : undefined;
}

/**
 * @throws {ManifestToolError} the refusal of a single job with a single target; otherwise a summary
 * of the failures, each of which is reported already.
 */
function refuseFailures(finished: readonly (Published | Failed)[]): void {
  const [first, ...others] = finished;
  const refusal =
    first !== undefined && 'result' in first && others.length === 0
      ? onlyRefusal(first)
      : undefined;
  if (refusal !== undefined) throw refusal;
  const errors = finished.flatMap((each) =>
    'error' in each ? [each.error] : [...each.failures, ...each.refusals],
  );
  const published = finished.flatMap((each) => ('error' in each ? [] : each.targets));
  const summary = summarizeFailures(errors, published.length + errors.length);
  if (summary !== undefined) throw summary;
}
