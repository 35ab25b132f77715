import { formatReference, withSuffix, type Reference } from '../../../oci/reference.js';
import { summarizeFailures } from '../../../core/publish/failures.js';
import { tagsOf, type Publication } from '../../../core/publish/request.js';
import type { Outcome, PushResult } from '../../../core/publish/publisher.js';
import { pushIndex } from '../../../core/publish/push.js';
import type { IndexRequest } from '../../../core/publish/request.js';
import type { Client } from '../../../core/client.js';
import type { Parsed } from '../../command.js';
import { refuseDefects } from '../../output/defects.js';
import type { Io } from '../../io.js';
import type { Reporter } from '../../progress/reporter.js';
import { ResultFiles } from '../../output/files.js';
import { jsonText, renderPlan, resultDocument, type ResultDocument } from '../../output/result.js';
import { clientFor } from '../../options/connection.js';

/** Publishes a list and prints its digest: what all commands have in common that make one. */
export async function publish(
  request: IndexRequest,
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<void> {
  await publishWith(request, parsed, io, reporter, (client) =>
    pushIndex(client, request, reporter),
  );
}

/**
 * The same for whatever `run` publishes.
 * @throws {ManifestToolError} with the code of the first target at which it failed, when all that can be done is done.
 */
export async function publishWith(
  publication: Publication,
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
  run: (client: Client) => Promise<PushResult>,
): Promise<void> {
  const files = await ResultFiles.open(parsed);
  const client = await clientFor(parsed, io, reporter);
  try {
    const dryRun = publication.dryRun === true;
    const { outcomes } = await reporter.during(() => run(client));
    const result = resultDocument(outcomes, dryRun);
    noteUntagged(outcomes, dryRun, reporter);
    await proveWhole(client, publishedAt(outcomes), result, parsed, reporter);
    if (!dryRun) await files.write(result);
    io.stdout.write(parsed.switches.has('json') ? jsonText(result) : humanText(result));
    refuseFailures(outcomes);
  } finally {
    await Promise.all([client.close(), files.close()]);
  }
}

function noteUntagged(outcomes: readonly Outcome[], dryRun: boolean, reporter: Reporter): void {
  const verb = dryRun ? 'would be published' : 'is published';
  for (const outcome of outcomes) {
    if ('error' in outcome || tagsOf(outcome.target).length > 0) continue;
    const name = outcomes.length === 1 ? 'the target' : formatReference(outcome.target.target);
    reporter.note(
      `${name} has no tag: what was asked for ${verb} by its digest alone, and no tag has moved`,
    );
  }
}

/** The targets at which it did not fail. */
export function publishedAt(outcomes: readonly Outcome[]): Reference[] {
  return outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome.target.target]));
}

function refuseFailures(outcomes: readonly Outcome[]): void {
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  const what = `publishing to ${outcomes.length} targets`;
  const summary = summarizeFailures(what, errors, outcomes.length);
  if (summary !== undefined) throw summary;
}

function humanText(result: ResultDocument): string {
  const plan = result.dryRun ? renderPlan(result) : '';
  return `${plan}Digest: ${result.digest} ${result.size}\n`;
}

/**
 * Proves from each target that what was published there is whole, where --verify asks for it.
 * @throws {ManifestToolError} REFUSED with each defect.
 */
export async function proveWhole(
  client: Client,
  targets: readonly Reference[],
  { digest, dryRun }: ResultDocument,
  parsed: Parsed,
  reporter: Reporter,
): Promise<void> {
  if (dryRun || !parsed.switches.has('verify')) return;
  const { verifyImage } = await import('../../../core/read/verify.js');
  for (const target of targets) {
    const published = withSuffix(target, digest);
    const name = formatReference(published);
    refuseDefects(name, await verifyImage(client, published, {}, reporter));
    reporter.note(`verified ${name}`);
  }
}
