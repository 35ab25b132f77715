import { parsePlatform } from '../../oci/platform.js';
import { parseReference } from '../../oci/reference.js';
import { verifyImage, type Verification } from '../../core/read/verify.js';
import { countOf, escapeText } from '../../text.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { refuseDefects } from '../output/defects.js';
import type { Reporter } from '../progress/reporter.js';
import { items, clientFor } from '../options/connection.js';

/** `verify REF`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const name = parsed.positionals[0]!;
  const reference = parseReference(name);
  const platforms = items(parsed, 'platforms').map((text) => parsePlatform(text));
  const client = await clientFor(parsed, io, reporter);
  try {
    const options = {
      deep: parsed.switches.has('deep'),
      ...(platforms.length === 0 ? {} : { platforms }),
    };
    const verification = await reporter.during(() =>
      verifyImage(client, reference, options, reporter),
    );
    const isJson = parsed.switches.has('json');
    io.stdout.write(isJson ? jsonText(name, verification) : table(verification));
    refuseDefects(name, verification);
  } finally {
    await client.close();
  }
}

function jsonText(name: string, verification: Verification): string {
  return `${JSON.stringify({ name, ...verification }, undefined, 2)}\n`;
}

/** A line an entry: whether it is whole, its platform and digest, and how many blobs it has. */
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
