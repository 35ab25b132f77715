import type { DiffChange, DiffEntry, ImageDiff } from '../../core/read/diff.js';
import type { ValueChange } from '../../core/read/index-changes.js';
import { formatReference, withSuffix, type Reference } from '../../oci/reference.js';
import { countOf, escapeText, formatSize } from '../../text.js';
import { changeDocuments, type ChangeDocument } from './changes.js';
import type { Palette } from './colours.js';
import { jsonText } from './json.js';

/** The two that are compared. */
export interface Compared {
  readonly from: Reference;
  readonly to: Reference;
}

/** A difference for people: `-` is only in the first, `+` only in the second, `~` differs. */
export function diffText(compared: Compared, diff: ImageDiff, colours: Palette): string {
  const [from, to] = pinned(compared, diff);
  if (diff.isEqual) return `no differences: ${[...new Set([from, to])].join(' and ')}\n`;
  const lines = [
    `--- ${from}`,
    `+++ ${to}`,
    ...(diff.from.mediaType === diff.to.mediaType
      ? []
      : [changeLine('media type', { from: diff.from.mediaType, to: diff.to.mediaType })]),
    ...changeLines('annotation ', diff.annotations),
    ...diff.removed.map((entry) => `- ${entryLine(entry)}`),
    ...diff.added.map((entry) => `+ ${entryLine(entry)}`),
    ...diff.changed.flatMap(changedLines),
    ...(diffCounts(diff) === '' ? ['the same entries in another order or form'] : []),
  ];
  return lines.map((line) => `${paintLine(escapeText(line), colours)}\n`).join('');
}

/** A line in the color of the sign at its start. */
function paintLine(line: string, { good, bad, changed, strong }: Palette): string {
  const [sign] = /(?<=^ *)(?:---|\+\+\+|[-+~])(?= )/.exec(line) ?? [];
  if (sign === undefined) return line;
  if (sign.length === 3) return strong(line);
  return { '+': good, '-': bad, '~': changed }[sign as '+' | '-' | '~'](line);
}

function pinned({ from, to }: Compared, diff: ImageDiff): [from: string, to: string] {
  return [
    formatReference(withSuffix(from, diff.from.digest)),
    formatReference(withSuffix(to, diff.to.digest)),
  ];
}

function entryLine(entry: DiffEntry): string {
  return `${entryName(entry)}  ${entry.digest}  ${formatSize(entry.size)}`;
}

function entryName({ platform, isAttestation }: DiffEntry): string {
  return isAttestation ? 'attestation' : (platform ?? 'no platform');
}

function changedLines({ from, to, annotations, config = {} }: DiffChange): string[] {
  const names = [...new Set([entryName(from), entryName(to)])].join(' -> ');
  const details =
    from.digest === to.digest
      ? [`  ${to.digest}`]
      : [`- ${from.digest}  ${formatSize(from.size)}`, `+ ${to.digest}  ${formatSize(to.size)}`];
  return [
    `~ ${names}`,
    ...[...details, ...changeLines('annotation ', annotations), ...changeLines('', config)].map(
      (line) => `    ${line}`,
    ),
  ];
}

function changeLines(what: string, changes: Readonly<Record<string, ValueChange>>): string[] {
  return Object.entries(changes).map(([key, change]) => changeLine(`${what}${key}`, change));
}

function changeLine(what: string, { from, to }: ValueChange): string {
  return `${from === undefined ? '+' : to === undefined ? '-' : '~'} ${what}: ${[from, to]
    .filter((value) => value !== undefined)
    .map((value) => JSON.stringify(value))
    .join(' -> ')}`;
}

/** How many entries and annotations differ, for a message; empty if none do. */
export function diffCounts({ added, removed, changed, annotations, from, to }: ImageDiff): string {
  const counts = [
    [added.length, 'added'],
    [removed.length, 'removed'],
    [changed.length, 'changed'],
  ] as const;
  const own = Object.keys(annotations).length;
  return [
    ...counts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
    ...(own === 0 ? [] : [countOf(own, 'annotation')]),
    ...(from.mediaType === to.mediaType ? [] : ['media type']),
  ].join(', ');
}

/** A difference for programs. */
export function diffJson(compared: Compared, diff: ImageDiff): string {
  const [from, to] = pinned(compared, diff);
  return jsonText({
    equal: diff.isEqual,
    from: { name: formatReference(compared.from), image: from, ...diff.from },
    to: { name: formatReference(compared.to), image: to, ...diff.to },
    added: diff.added.map(entryDocument),
    removed: diff.removed.map(entryDocument),
    changed: diff.changed.map((change) => ({
      platform: change.from.platform ?? null,
      isAttestation: change.from.isAttestation,
      from: entryDocument(change.from),
      to: entryDocument(change.to),
      annotations: changeDocuments(Object.entries(change.annotations)),
      config: change.config === undefined ? null : changeDocuments(Object.entries(change.config)),
    })),
    annotations: changeDocuments(Object.entries(diff.annotations)),
  } satisfies DiffDocument);
}

interface DiffDocument {
  readonly equal: boolean;
  readonly from: object;
  readonly to: object;
  readonly added: readonly object[];
  readonly removed: readonly object[];
  readonly changed: readonly object[];
  readonly annotations: Readonly<Record<string, ChangeDocument>>;
}

function entryDocument({ platform, digest, size, isAttestation }: DiffEntry) {
  return { platform: platform ?? null, digest, size, isAttestation };
}
