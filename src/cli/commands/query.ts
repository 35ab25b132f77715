import { queryImage, type QueryResult } from '../../core/read/query.js';
import { formatPlatform } from '../../oci/platform.js';
import { formatPinned, parseReference, type Reference } from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { pinnedEntry } from '../output/entry.js';
import { jsonText } from '../output/json.js';

/** `query REF`. */
export const run: Run<'query'> = async ({ args, io, reporter }) => {
  const name = args.reference;
  const reference = parseReference(name);
  await withClient(args, { io, reporter }, [reference], async (client) => {
    const result = await reporter.during(() => queryImage(client, reference, reporter));
    io.stdout.write(args.json ? queryJson(name, reference, result) : queryText(name, result));
  });
};

function queryJson(
  name: string,
  reference: Reference,
  { kind, platforms, entries, ...root }: QueryResult,
): string {
  return jsonText({
    name,
    image: formatPinned(reference, root.digest),
    ...root,
    isList: kind === 'index',
    platforms: platforms.map(formatPlatform),
    entries: entries.map((entry) => pinnedEntry(reference, entry)),
  });
}

/** As mquery prints it: without os features. */
function queryText(name: string, { digest, mediaType, kind, platforms }: QueryResult): string {
  const isList = kind === 'index';
  const names = platforms.map((platform) =>
    escapeText(formatPlatform({ ...platform, osFeatures: [] })),
  );
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
