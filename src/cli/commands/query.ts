import { Members } from '../../oci/json/go-marshal.js';
import { printableJson } from '../../oci/json/json-text.js';
import { formatPlatform } from '../../oci/platform.js';
import { parseReference } from '../../oci/reference.js';
import { queryImage, type QueryResult } from '../../core/read/query.js';
import { escapeText } from '../../text.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import type { Reporter } from '../progress/reporter.js';
import { clientFor } from '../options/connection.js';

/** `query REF`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const name = parsed.positionals[0]!;
  const reference = parseReference(name);
  const client = await clientFor(parsed, io, reporter);
  try {
    const result = await reporter.during(() => queryImage(client, reference, reporter));
    const isJson = parsed.switches.has('json');
    io.stdout.write(isJson ? queryJson(name, result) : queryText(name, result));
  } finally {
    await client.close();
  }
}

function queryJson(name: string, { digest, mediaType, isList, platforms }: QueryResult): string {
  return printableJson(
    new Members([
      ['name', name],
      ['digest', digest],
      ['mediaType', mediaType],
      ['isList', isList],
      ['platforms', platforms.map(formatPlatform)],
    ]),
  );
}

/** As mquery prints it. */
function queryText(name: string, { digest, mediaType, isList, platforms }: QueryResult): string {
  const names = platforms.map((platform) => escapeText(formatPlatform(platform)));
  const lines = [
    `Image: ${escapeText(name)} (digest: ${digest})`,
    ` * Manifest List: ${isList ? 'Yes' : 'No'} (Image type: ${mediaType})`,
    ...(isList
      ? [' * Supported platforms:', ...names.map((each) => `   - ${each}`)]
      : [` * Supports: ${names[0] ?? 'no platform'}`]),
    '',
  ];
  return `${lines.join('\n')}\n`;
}
