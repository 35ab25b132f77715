import { executablesNotes, type ImageExecutables } from '../../core/read/executables.js';
import { verifyImage, type Verification, type VerifiedEntry } from '../../core/read/verify.js';
import type { AttestationKind, Requirements } from '../../core/read/requirements.js';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.js';
import { formatPinned, parseReference } from '../../oci/reference.js';
import { countOf, escapeText, suggestion } from '../../text.js';
import { defined, usageError, type Options } from '../args/values.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { isColoured, palette, type Palette } from '../output/colours.js';
import { jsonText } from '../output/json.js';
import { refuseDefects } from '../output/result.js';

/** `verify REF`. */
export const run: Run<'verify'> = async ({ args, io, reporter }) => {
  const name = args.reference;
  const reference = parseReference(name);
  const options = { deep: args.deep, executables: args.executables, ...requirements(args) };
  await withClient(args, { io, reporter }, [reference], async (client) => {
    const verification = await reporter.during(() =>
      verifyImage(client, reference, options, reporter),
    );
    const colours = palette(isColoured(io.stdout, io.env, args));
    const image = formatPinned(reference, verification.digest);
    io.stdout.write(
      args.json
        ? jsonText(verificationDocument(name, image, verification))
        : table(image, verification, colours),
    );
    refuseDefects(name, verification);
  });
};

function requirements({
  platforms,
  atLeast,
  sameAs,
  sameLabel,
  requireAttestations,
}: Options<
  'platforms' | 'at-least' | 'same-as' | 'same-label' | 'require-attestations'
>): Requirements {
  return defined({
    platforms: platformsFrom('--platforms', platforms),
    atLeast: platformsFrom('--at-least', atLeast),
    sameAs: sameAs === undefined ? undefined : parseReference(sameAs),
    sameLabels: sameLabel,
    attestations: requireAttestations.map(attestationKind),
  });
}

function platformsFrom(option: string, texts: readonly string[]): Platform[] | undefined {
  const platforms = texts.map((text) =>
    parsePlatform(text, `reading ${option} ${JSON.stringify(text)}`),
  );
  return platforms.length === 0 ? undefined : platforms;
}

const ATTESTATION_KINDS: readonly AttestationKind[] = ['sbom', 'provenance'];

function attestationKind(text: string): AttestationKind {
  const kind = ATTESTATION_KINDS.find((each) => each === text);
  if (kind !== undefined) return kind;
  throw usageError(
    `--require-attestations must be sbom, provenance or both, not ${JSON.stringify(text)}${suggestion(text, ATTESTATION_KINDS)}`,
    'for example --require-attestations sbom,provenance',
  );
}

/** The result for programs. */
function verificationDocument(name: string, image: string, verification: Verification): object {
  const entries = verification.entries.map((entry) => ({ ...entry, platform: shown(entry) }));
  const executables = verification.executables?.map((each) => ({ ...each, platform: shown(each) }));
  return { name, image, ...verification, entries, ...(executables && { executables }) };
}

function shown({ platform }: Pick<VerifiedEntry, 'platform'>): string | undefined {
  return platform === undefined ? undefined : formatPlatform(platform);
}

/** What an image starts, how many programs it has, and what is worth knowing about them. */
function executablesLines(executables: ImageExecutables): string[] {
  const { programs, started } = executables;
  const names = started.map(({ path, architectures }) => `${path} (${architectures.join(', ')})`);
  const what = names.length === 0 ? 'no program that was found' : names.join(', ');
  const first = `${formatPlatform(executables.platform)} starts ${what}; ${countOf(programs, 'program')} in all`;
  return [first, ...executablesNotes(executables)].map(escapeText);
}

/**
 * One line for each entry: its state, platform, digest and number of blobs; one for the foreign
 * layers that are missing.
 */
function table(image: string, verification: Verification, { good, bad }: Palette): string {
  const { mediaType, entries, missingForeignLayers = 0 } = verification;
  const rows = entries.map((entry) => {
    const state = entry.defects.length === 0 ? 'ok' : 'DEFECT';
    const what = entry.isAttestation ? 'attestation' : (shown(entry) ?? 'no platform');
    return [state, escapeText(what), entry.digest, countOf(entry.blobs, 'blob')];
  });
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const [state = '', ...cells] = row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
    return [state.startsWith('ok') ? good(state) : bad(state), ...cells].join('  ');
  });
  const foreign = `${countOf(missingForeignLayers, 'foreign layer')} not in the repository: they are downloaded from elsewhere`;
  const notes = [
    ...(missingForeignLayers === 0 ? [] : [foreign]),
    ...(verification.executables ?? []).flatMap(executablesLines),
  ];
  return [`${mediaType} ${escapeText(image)}`, ...lines, ...notes]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
