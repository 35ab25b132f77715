import { ManifestToolError } from '../../../errors.js';
import { formatName, formatReference } from '../../../oci/reference.js';
import { summarizeFailures } from '../../../core/publish/failures.js';
import { tagsOf } from '../../../core/publish/request.js';
import { pushIndex } from '../../../core/publish/push.js';
import type { IndexRequest } from '../../../core/publish/request.js';
import type { Parsed } from '../../command.js';
import type { Io } from '../../io.js';
import { proveWhole, publishedAt } from './publish.js';
import type { Reporter } from '../../progress/reporter.js';
import { ResultFiles } from '../../output/files.js';
import { failure, resultDocument, type ResultDocument } from '../../output/result.js';
import { clientFor } from '../../options/connection.js';
import { usageError } from '../../args/usage.js';

/** How many lists are published at a time: their requests share the limit of each registry all the same. */
const LISTS_AT_A_TIME = 8;

/**
 * Publishes several lists over shared connections and tokens. A list that fails is reported for itself, and leaves the others whole.
 * @throws {ManifestToolError} with the code of the first list that failed, when all are done.
 */
export async function publishMany(
  requests: readonly IndexRequest[],
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<void> {
  refuseSharedTags(requests);
  const files = await ResultFiles.open(parsed);
  const client = await clientFor(parsed, io, reporter);
  const outcomes = new Map<IndexRequest, ResultDocument | ManifestToolError>();
  const waiting = [...requests];
  const worker = async (): Promise<void> => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      try {
        const { outcomes: published } = await pushIndex(client, request, reporter);
        const result = resultDocument(published, request.dryRun === true);
        await proveWhole(client, publishedAt(published), result, parsed, reporter);
        outcomes.set(request, result);
      } catch (error) {
        if (!(error instanceof ManifestToolError)) throw error;
        outcomes.set(request, error);
        reporter.failed(error);
      }
    }
  };
  try {
    await reporter.during(() => Promise.all(Array.from({ length: LISTS_AT_A_TIME }, worker)));
    const all = requests.map((request) => outcomes.get(request)!);
    const done = all.flatMap((outcome) => (outcome instanceof ManifestToolError ? [] : [outcome]));
    if (requests[0]?.dryRun !== true) await files.writeAll(done);
    io.stdout.write(parsed.switches.has('json') ? jsonOf(requests, all) : textOf(requests, all));
    const failed = all.flatMap((outcome) =>
      outcome instanceof ManifestToolError ? [outcome] : [],
    );
    const what = `publishing ${requests.length} specs`;
    const summary = summarizeFailures(what, failed, requests.length);
    if (summary !== undefined) throw summary;
  } finally {
    await Promise.all([client.close(), files.close()]);
  }
}

/** @throws {ManifestToolError} USAGE where two lists are to have one tag: which of them it names in the end would be chance. */
function refuseSharedTags(requests: readonly IndexRequest[]): void {
  const seen = new Set<string>();
  for (const { target, tags = [] } of requests) {
    for (const tag of tagsOf({ target, tags })) {
      const name = `${formatName(target)}:${tag}`;
      if (seen.has(name)) {
        throw usageError(
          `two of the specs publish ${name}`,
          'give one of them another tag; spec check says where they are',
        );
      }
      seen.add(name);
    }
  }
}

/** A line a list that was published, in the order of the specs. */
function textOf(
  requests: readonly IndexRequest[],
  outcomes: readonly (ResultDocument | ManifestToolError)[],
): string {
  return outcomes
    .map((outcome, i) =>
      outcome instanceof ManifestToolError
        ? ''
        : `Digest: ${outcome.digest} ${outcome.size} ${formatReference(requests[i]!.target)}\n`,
    )
    .join('');
}

function jsonOf(
  requests: readonly IndexRequest[],
  outcomes: readonly (ResultDocument | ManifestToolError)[],
): string {
  const documents = outcomes.map((outcome, i) => {
    if (!(outcome instanceof ManifestToolError)) return outcome;
    return { target: formatReference(requests[i]!.target), error: failure(outcome) };
  });
  return `${JSON.stringify(documents, undefined, 2)}\n`;
}
