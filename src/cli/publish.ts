import type { Publication } from '../plan/publication.js';
import type { PushResult } from '../plan/publish.js';
import { pushList } from '../plan/push.js';
import type { ListRequest } from '../plan/request.js';
import type { Stores } from '../plan/stores.js';
import type { Parsed } from './command.js';
import type { Io } from './io.js';
import type { OptionName } from './options.js';
import type { Reporter } from './reporter.js';
import { ResultFile } from './result-files.js';
import { metadataText, renderPlan, resultDocument, type ResultDocument } from './result.js';
import { storesFor, value } from './settings.js';

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
  run: (stores: Stores) => Promise<PushResult>,
): Promise<void> {
  const files = await openResultFiles(parsed);
  const stores = await storesFor(parsed, io, reporter);
  try {
    const dryRun = publication.dryRun === true;
    const pushed = await reporter.during(() => run(stores));
    const result = resultDocument(publication.target, pushed, dryRun);
    if (result.tags.length === 0) {
      const verb = dryRun ? 'would be published' : 'is published';
      reporter.note(
        `the target has no tag: what was asked for ${verb} by its digest alone, and no tag has moved`,
      );
    }
    if (!dryRun) for (const { file, text } of files) await file.write(text(result));
    io.stdout.write(parsed.switches.has('json') ? jsonText(result) : humanText(result));
  } finally {
    await Promise.all([stores.close(), ...files.map(({ file }) => file.close())]);
  }
}

function humanText(result: ResultDocument): string {
  const plan = result.dryRun ? renderPlan(result) : '';
  return `${plan}Digest: ${result.digest} ${result.size}\n`;
}

function jsonText(result: ResultDocument): string {
  return `${JSON.stringify(result, undefined, 2)}\n`;
}

interface ResultWriter {
  readonly file: ResultFile;
  readonly text: (result: ResultDocument) => string;
}

async function openResultFiles(parsed: Parsed): Promise<ResultWriter[]> {
  const wanted: [OptionName, ResultWriter['text']][] = [
    ['digestfile', ({ digest }) => digest],
    ['metadata-file', metadataText],
  ];
  const writers: ResultWriter[] = [];
  for (const [option, text] of wanted) {
    const path = value(parsed, option);
    if (path !== undefined) writers.push({ file: await ResultFile.open(option, path), text });
  }
  return writers;
}
