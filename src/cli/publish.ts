import { formatReference, parseReference, withSuffix } from '../oci/reference.js';
import type { Publication } from '../plan/publication.js';
import { pushList } from '../plan/push.js';
import type { ListRequest } from '../plan/request.js';
import type { PushPlan } from '../plan/steps.js';
import type { Stores } from '../plan/stores.js';
import type { Parsed } from './command.js';
import { refuseDefects } from './defects.js';
import type { Io } from './io.js';
import type { Reporter } from './reporter.js';
import { ResultFiles } from './result-files.js';
import { jsonText, renderPlan, resultDocument, type ResultDocument } from './result.js';
import { storesFor } from './settings.js';

/** Publishes a list and prints its digest: what all commands have in common that make one. */
export async function publish(
  request: ListRequest,
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<void> {
  await publishWith(request, parsed, io, reporter, (stores) => pushList(stores, request, reporter));
}

/** The same for whatever `run` publishes. */
export async function publishWith(
  publication: Publication,
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
  run: (stores: Stores) => Promise<PushPlan>,
): Promise<void> {
  const files = await ResultFiles.open(parsed);
  const stores = await storesFor(parsed, io, reporter);
  try {
    const dryRun = publication.dryRun === true;
    const plan = await reporter.during(() => run(stores));
    const result = resultDocument(publication.target, plan, dryRun);
    if (result.tags.length === 0) {
      const verb = dryRun ? 'would be published' : 'is published';
      reporter.note(
        `the target has no tag: what was asked for ${verb} by its digest alone, and no tag has moved`,
      );
    }
    await proveWhole(stores, result, parsed, reporter);
    if (!dryRun) await files.write(result);
    io.stdout.write(parsed.switches.has('json') ? jsonText(result) : humanText(result));
  } finally {
    await Promise.all([stores.close(), files.close()]);
  }
}

function humanText(result: ResultDocument): string {
  const plan = result.dryRun ? renderPlan(result) : '';
  return `${plan}Digest: ${result.digest} ${result.size}\n`;
}

/**
 * Proves from the target that what was published is whole, where --verify asks for it.
 * @throws {ManifestToolError} REFUSED with each defect.
 */
export async function proveWhole(
  stores: Stores,
  { target, digest, dryRun }: ResultDocument,
  parsed: Parsed,
  reporter: Reporter,
): Promise<void> {
  if (dryRun || !parsed.switches.has('verify')) return;
  const { verifyImage } = await import('../plan/verify.js');
  const published = withSuffix(parseReference(target), digest);
  const name = formatReference(published);
  const verification = await verifyImage(stores, published, {}, reporter);
  refuseDefects(name, verification);
  reporter.note(`verified ${name}`);
}
