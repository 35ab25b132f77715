import { parsePlatform } from '../../../oci/platform.js';
import { parseDigest } from '../../../oci/digest.js';
import { parseReference } from '../../../oci/reference.js';
import type { EditRequest, EditResult } from '../../../core/edit/edit-index.js';
import type { Selection } from '../../../core/edit/index-edits.js';
import type { Client } from '../../../core/client.js';
import type { Parsed } from '../../command.js';
import type { Io } from '../../io.js';
import { publishingOptions } from '../../options/publishing.js';
import { proveWhole } from './publish.js';
import type { Reporter } from '../../progress/reporter.js';
import { ResultFiles } from '../../output/files.js';
import { editDocument, jsonText, renderEdit } from '../../output/result.js';
import { items, clientFor } from '../../options/connection.js';
import { usageError } from '../../args/usage.js';

/** Edits the list that the first argument names, and prints its digest: what add, remove and annotate have in common. */
export async function edit(
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
  run: (client: Client, request: EditRequest) => Promise<EditResult>,
): Promise<void> {
  const name = parsed.positionals[0]!;
  const target = parseReference(name);
  if (target.digest !== undefined) {
    throw usageError(
      `${JSON.stringify(name)} names a digest, which cannot change`,
      'name the list by a tag',
    );
  }
  const request = { target, ...publishingOptions(parsed) };
  const files = await ResultFiles.open(parsed);
  const client = await clientFor(parsed, io, reporter);
  try {
    const edited = await reporter.during(() => run(client, request));
    const dryRun = request.dryRun === true;
    const document = editDocument(target, edited, dryRun);
    await proveWhole(client, [target], document, parsed, reporter);
    if (!dryRun) await files.write(document);
    const isJson = parsed.switches.has('json');
    io.stdout.write(isJson ? jsonText(document) : renderEdit(document));
  } finally {
    await Promise.all([client.close(), files.close()]);
  }
}

/** The entries that --platform and --digest mean. */
export function selection(parsed: Parsed): Required<Selection> {
  return {
    platforms: items(parsed, 'platform').map((text) =>
      parsePlatform(text, `reading --platform ${JSON.stringify(text)}`),
    ),
    digests: items(parsed, 'digest').map((text) =>
      parseDigest(text, `reading --digest ${JSON.stringify(text)}`),
    ),
  };
}
