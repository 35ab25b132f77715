import { formatPlatform, type Platform } from '../../oci/platform.js';
import type { TagChanges } from '../../core/publish/review.js';
import type { ImageDiff } from '../../core/read/diff.js';
import type { DiffEntry, Difference, DiffSide, ValueChange } from '../../core/read/difference.js';
import { formatName, formatPinned, formatReference, type Reference } from '../../oci/reference.js';
import { countOf, escapeText, formatSize } from '../../text.js';
import type { Palette } from './colours.js';
import { jsonText } from './json.js';

/** The two that are compared. */
export interface Compared {
  readonly from: Reference;
  readonly to: Reference;
}

/** A difference for people: `-` is only in the first, `+` only in the second, `~` differs. */
export function diffText(compared: Compared, diff: ImageDiff, colours: Palette): string {
  const document = diffDocument(compared, diff);
  const [from, to] = [document.from.image, document.to.image];
  const lines = diff.isEqual
    ? [`no differences: ${[...new Set([from, to])].join(' and ')}`]
    : differenceLines(document);
  return lines.map((line) => `${paintLine(escapeText(line), colours)}\n`).join('');
}

/** A line in the color of the sign at its start. */
function paintLine(line: string, { good, bad, changed, strong }: Palette): string {
  const [sign] = /(?<=^ *)(?:---|\+\+\+|[-+~])(?= )/.exec(line) ?? [];
  if (sign === undefined) return line;
  if (sign.length === 3) return strong(line);
  return { '+': good, '-': bad, '~': changed }[sign as '+' | '-' | '~'](line);
}

/** What a publish would change for tags of a target, as {@link diffText} shows it. */
export function changesLines(changes: ChangesDocument): string[] {
  return [
    ...differenceLines(changes),
    ...(changes.leftBehind ?? []).map(({ digest, artifactType, tag, subject, platform }) => {
      const what = tag === null ? `referrer ${digest}` : `tag ${tag}`;
      const type = artifactType === null ? '' : `${artifactType}, `;
      const of = `${platform === null ? '' : `${platform} `}${subject}`;
      return `! ${what} (${type}refers to ${of}) would be left behind`;
    }),
  ];
}

interface Sides extends DifferenceDocument {
  /** Null if there is nothing. */
  readonly from: SideDocument | null;
  readonly to: SideDocument;
}

function differenceLines(difference: Sides): string[] {
  const { from, to, annotations, removed, added, changed } = difference;
  const types = { from: from && from.mediaType, to: to.mediaType };
  return [
    `--- ${from === null ? 'nothing' : from.image}`,
    `+++ ${to.image}`,
    ...(from === null || types.from === types.to ? [] : [valueLine('media type', types)]),
    ...valueLines('annotation ', annotations),
    ...removed.map((entry) => `- ${entryLine(entry)}`),
    ...added.map((entry) => `+ ${entryLine(entry)}`),
    ...changed.flatMap(changedLines),
    ...(diffCounts(difference) === '' ? ['the same entries in another order or form'] : []),
  ];
}

function entryLine(entry: EntryDocument): string {
  return `${entryName(entry)}  ${digestAndSize(entry)}`;
}

function digestAndSize({ digest, size }: EntryDocument): string {
  return size === null ? digest : `${digest}  ${formatSize(size)}`;
}

function entryName({ platform, isAttestation }: EntryDocument): string {
  return isAttestation ? 'attestation' : (platform ?? 'no platform');
}

function changedLines({ from, to, annotations, config }: ChangedDocument): string[] {
  const names = [...new Set([entryName(from), entryName(to)])].join(' -> ');
  const details =
    from.digest === to.digest
      ? [`  ${to.digest}`]
      : [`- ${digestAndSize(from)}`, `+ ${digestAndSize(to)}`];
  const values = [...valueLines('annotation ', annotations), ...valueLines('', config ?? {})];
  return [`~ ${names}`, ...[...details, ...values].map((line) => `    ${line}`)];
}

function valueLines(what: string, changes: Readonly<Record<string, ChangeDocument>>): string[] {
  return Object.entries(changes).map(([key, change]) => valueLine(`${what}${key}`, change));
}

function valueLine(what: string, { from, to }: ChangeDocument): string {
  return `${from === null ? '+' : to === null ? '-' : '~'} ${what}: ${[from, to]
    .filter((value) => value !== null)
    .map((value) => JSON.stringify(value))
    .join(' -> ')}`;
}

/** What {@link diffCounts} counts. */
interface Counted {
  readonly added: readonly unknown[];
  readonly removed: readonly unknown[];
  readonly changed: readonly unknown[];
  readonly annotations: object;
  readonly from: Pick<DiffSide, 'mediaType'> | null;
  readonly to: Pick<DiffSide, 'mediaType'>;
}

/** How many entries and annotations differ, for a message; empty if none do. */
export function diffCounts({ added, removed, changed, annotations, from, to }: Counted): string {
  const counts = [
    [added.length, 'added'],
    [removed.length, 'removed'],
    [changed.length, 'changed'],
  ] as const;
  const own = Object.keys(annotations).length;
  return [
    ...counts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])),
    ...(own === 0 ? [] : [countOf(own, 'annotation')]),
    ...(from === null || from.mediaType === to.mediaType ? [] : ['media type']),
  ].join(', ');
}

/** A difference for programs. */
export function diffJson(compared: Compared, diff: ImageDiff): string {
  return jsonText(diffDocument(compared, diff));
}

interface DiffDocument extends DifferenceDocument {
  readonly equal: boolean;
  readonly from: SideDocument;
  readonly to: SideDocument;
}

function diffDocument({ from, to }: Compared, diff: ImageDiff): DiffDocument {
  return {
    equal: diff.isEqual,
    from: sideDocument(formatReference(from), from, diff.from),
    to: sideDocument(formatReference(to), to, diff.to),
    ...differenceDocument(diff),
  };
}

/** What a publish changes for tags of a target, for programs. */
export interface ChangesDocument extends Sides {
  /** Names of the tags. */
  readonly tags: readonly string[];
  /** Null if it was not determined. */
  readonly leftBehind: readonly LeftDocument[] | null;
}

interface LeftDocument {
  readonly digest: string;
  readonly artifactType: string | null;
  readonly tag: string | null;
  readonly subject: string;
  readonly platform: string | null;
}

export function changesDocument(target: Reference, changes: TagChanges): ChangesDocument {
  const tags = changes.tags.map((tag) => `${formatName(target)}:${tag}`);
  const side = (of: DiffSide): SideDocument => sideDocument(tags[0]!, target, of);
  return {
    tags,
    from: changes.from === undefined ? null : side(changes.from),
    to: side(changes.to),
    ...differenceDocument(changes),
    leftBehind:
      changes.leftBehind?.map(({ digest, artifactType, tag, subject, platform }) => ({
        digest,
        artifactType: artifactType ?? null,
        tag: tag ?? null,
        subject,
        platform: shownPlatform(platform),
      })) ?? null,
  };
}

interface SideDocument extends DiffSide {
  readonly name: string;
  /** `repository@digest`. */
  readonly image: string;
}

function sideDocument(
  name: string,
  reference: Reference,
  { digest, mediaType }: DiffSide,
): SideDocument {
  return { name, image: formatPinned(reference, digest), digest, mediaType };
}

interface DifferenceDocument {
  readonly added: readonly EntryDocument[];
  readonly removed: readonly EntryDocument[];
  readonly changed: readonly ChangedDocument[];
  readonly annotations: Readonly<Record<string, ChangeDocument>>;
}

interface ChangedDocument {
  readonly platform: string | null;
  readonly isAttestation: boolean;
  readonly from: EntryDocument;
  readonly to: EntryDocument;
  readonly annotations: Readonly<Record<string, ChangeDocument>>;
  /** Null without --config, and if it is not that of two images. */
  readonly config: Readonly<Record<string, ChangeDocument>> | null;
}

function differenceDocument(difference: Difference): DifferenceDocument {
  return {
    added: difference.added.map(entryDocument),
    removed: difference.removed.map(entryDocument),
    changed: difference.changed.map((change) => ({
      platform: shownPlatform(change.from.platform),
      isAttestation: change.from.isAttestation,
      from: entryDocument(change.from),
      to: entryDocument(change.to),
      annotations: changeDocuments(change.annotations),
      config: change.config === undefined ? null : changeDocuments(change.config),
    })),
    annotations: changeDocuments(difference.annotations),
  };
}

function shownPlatform(platform: Platform | undefined): string | null {
  return platform === undefined ? null : formatPlatform(platform);
}

interface EntryDocument {
  readonly platform: string | null;
  readonly digest: string;
  /** Null if it was not read. */
  readonly size: number | null;
  readonly isAttestation: boolean;
}

function entryDocument({ platform, digest, size, isAttestation }: DiffEntry): EntryDocument {
  return { platform: shownPlatform(platform), digest, size: size ?? null, isAttestation };
}

/** A value before and after; null on the side that does not have it. */
interface ChangeDocument {
  readonly from: string | null;
  readonly to: string | null;
}

/** Changes by their keys, for programs. */
function changeDocuments(
  changes: Readonly<Record<string, ValueChange>>,
): Readonly<Record<string, ChangeDocument>> {
  return Object.fromEntries(
    Object.entries(changes).map(([key, { from, to }]) => [
      key,
      { from: from ?? null, to: to ?? null },
    ]),
  );
}
