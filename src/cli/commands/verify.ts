import { verifyImage, type Verification } from '../../core/read/verify.js';
import { parsePlatform } from '../../oci/platform.js';
import { parseReference } from '../../oci/reference.js';
import { countOf, escapeText } from '../../text.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { jsonText } from '../output/json.js';
import { refuseDefects } from '../output/result.js';

/** `verify REF`. */
export const run: Run<'verify'> = async ({ args, io, reporter }) => {
  const name = args.reference;
  const reference = parseReference(name);
  const platforms = args.platforms.map((text) => parsePlatform(text));
  const options = { deep: args.deep, ...(platforms.length === 0 ? {} : { platforms }) };
  await withClient(args, { io, reporter }, async (client) => {
    const verification = await reporter.during(() =>
      verifyImage(client, reference, options, reporter),
    );
    io.stdout.write(args.json ? jsonText({ name, ...verification }) : table(verification));
    refuseDefects(name, verification);
  });
};

/** One line for each entry: its state, platform, digest and number of blobs. */
function table({ digest, mediaType, entries }: Verification): string {
  const rows = entries.map((entry) => {
    const state = entry.defects.length === 0 ? 'ok' : 'DEFECT';
    const what = entry.isAttestation ? 'attestation' : (entry.platform ?? 'no platform');
    return [state, escapeText(what), entry.digest, countOf(entry.blobs, 'blob')];
  });
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  return [`${mediaType} ${digest}`, ...lines].map((line) => `${line.trimEnd()}\n`).join('');
}
