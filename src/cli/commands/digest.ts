import type { Client } from '../../core/client.js';
import { findDigest } from '../../core/read/find-digest.js';
import { queryImage, type QueriedEntry } from '../../core/read/query.js';
import { formatPlatform } from '../../oci/platform.js';
import { formatPinned, parseReference, type Reference } from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import type { Arguments } from '../args/commands.js';
import { usageError } from '../args/values.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { singlePlatform } from '../options/platforms.js';
import { inColumns } from '../output/columns.js';
import { pinnedEntry } from '../output/entry.js';
import { jsonText } from '../output/json.js';
import type { Reporter } from '../progress/reporter.js';

/** `digest REF`. */
export const run: Run<'digest'> = async ({ args, io, reporter }) => {
  const reference = parseReference(args.reference);
  if (args.all && args.platform.length > 0)
    throw usageError('pass --platform or --all, not both', '--all prints every platform');
  const output = args.all ? everyEntry : oneDigest;
  await withClient(args, { io, reporter }, [reference], async (client) => {
    io.stdout.write(await reporter.during(() => output(client, reference, args, reporter)));
  });
};

type Output = (
  client: Client,
  reference: Reference,
  args: Arguments<'digest'>,
  reporter: Reporter,
) => Promise<string>;

const oneDigest: Output = async (client, reference, args, reporter) => {
  const platform = singlePlatform(args, '--all prints the digests of all platforms');
  const found = await findDigest(client, reference, platform, reporter);
  const image = formatPinned(reference, found.digest);
  if (args.json) return jsonText({ name: args.reference, image, ...found });
  return `${args.full ? image : found.digest}\n`;
};

const everyEntry: Output = async (client, reference, args, reporter) => {
  const { digest, mediaType, size, entries } = await queryImage(client, reference, reporter);
  if (args.json) {
    return jsonText({
      name: args.reference,
      image: formatPinned(reference, digest),
      digest,
      mediaType,
      size,
      entries: entries.map((entry) => pinnedEntry(reference, entry)),
    });
  }
  return inColumns(
    entries.map((entry) => [
      entryName(entry),
      args.full ? formatPinned(reference, entry.digest) : entry.digest,
    ]),
  );
};

/** One word, so that the digest is always the second. */
function entryName({ platform, isAttestation }: QueriedEntry): string {
  if (isAttestation) return 'attestation';
  return platform === undefined ? 'none' : escapeText(formatPlatform(platform));
}
