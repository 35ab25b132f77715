import { attestedDigest, predicateTypes } from '../../../oci/attestation.js';
import { Companions } from '../../../oci/companions.js';
import type { Annotations } from '../../../oci/descriptor.js';
import { formatPlatform, isNoPlatform } from '../../../oci/platform.js';
import { platformOf, type Described } from '../../../core/read/describe.js';
import { totalsOf } from '../../../core/read/totals.js';
import { escapeText, formatSize } from '../../../text.js';
import type { InspectColours, Paint, Palette } from '../colours.js';
import { columnsOf, cut, padEnd } from '../columns.js';
import { annotationLines, renderReferrers } from './referrers.js';

/** A line of the table and the notes below it, all of it escaped. */
interface Row {
  /** The platform, or what the entry is if it is not an image. */
  readonly name: string;
  readonly size: string;
  readonly layers: string;
  readonly digest: string;
  readonly notes: readonly string[];
}

const TITLES: Row = {
  name: 'PLATFORM',
  size: 'SIZE',
  layers: 'LAYERS',
  digest: 'DIGEST',
  notes: [],
};
const GAP = '  ';
/** Shortest digest: the algorithm and twelve digits, as other tools show it. */
const MIN_DIGEST = 'sha256:'.length + 12 + 1;
/** Length of the platform of a Windows release; longer names may be cut. */
const LONG_NAME = 30;

/** What a table is about. */
export interface TableSubject {
  /** The reference, as the user names it. */
  readonly name: string;
  /** `repository@digest`. */
  readonly image: string;
  /** The reference whose entries are shown, for a command. */
  readonly reference: string;
}

/**
 * `inspect --format table`: one line for each platform, in at most `width` columns, but for
 * references that can be copied: those are never cut.
 */
export function renderTable(
  { name, image, reference }: TableSubject,
  described: Described,
  colours: Palette,
  width: number,
): string {
  const { lines: rows, hasWholeDigests } = layOut(tableRows(described), colours, width);
  const lines = [
    ...head({ name, image }, described, colours, width),
    '',
    ...rows,
    ...(hasWholeDigests || described.kind !== 'list'
      ? []
      : ['', `Full digests: manifest-tool digest --all ${escapeText(reference)}`]),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  const { referrers } = described;
  return referrers === undefined
    ? text
    : `${text}\n${renderReferrers(referrers, inspectColours(colours), width)}`;
}

/** The colors of a list of referrers below a table. */
function inspectColours({ strong }: Palette): InspectColours {
  const plain: Paint = (text) => text;
  return { name: plain, digest: strong, size: plain, count: strong };
}

function head(
  { name, image }: Pick<TableSubject, 'name' | 'image'>,
  described: Described,
  c: Palette,
  width: number,
): string[] {
  const { descriptor, manifest } = described;
  const { manifests, configs, layers, total } = totalsOf(described);
  const parts = [
    `manifests ${formatSize(manifests)}`,
    `configs ${formatSize(configs)}`,
    `layers ${formatSize(layers)}`,
  ];
  const left = width - 'Digest: '.length;
  return [
    `Name:   ${c.strong(cut(escapeText(name), left))}`,
    `Image:  ${escapeText(image)}`,
    `Type:   ${cut(manifest?.mediaType ?? '', left)}`,
    `Digest: ${cut(descriptor.digest, left)}`,
    cut(`Size:   ${formatSize(total)} (${parts.join(', ')})`, width),
    ...annotationBlock(manifest?.document.annotations, width),
  ];
}

function annotationBlock(annotations: Annotations | undefined, width: number): string[] {
  const lines = annotationLines(annotations);
  return lines.length === 0
    ? []
    : ['Annotations:', ...lines.map((line) => cut(`  ${line}`, width))];
}

type Column = 'name' | 'size' | 'layers' | 'digest';

/**
 * Lays out the rows in columns as wide as their content; digests are cut first, then long names.
 */
function layOut(
  rows: readonly Row[],
  c: Palette,
  width: number,
): { readonly lines: readonly string[]; readonly hasWholeDigests: boolean } {
  const all = [TITLES, ...rows];
  const widest = (key: Column): number => Math.max(...all.map((row) => columnsOf(row[key])));
  const [size, layers] = [widest('size'), widest('layers')];
  const shown = columnsFor(Math.min(widest('name'), LONG_NAME) + GAP.length + size, layers, width);
  const fixed = size + (shown.includes('layers') ? layers + GAP.length : 0);
  const hasDigest = shown.includes('digest');
  const left = width - fixed - (hasDigest ? 2 : 1) * GAP.length;
  const name = Math.min(widest('name'), Math.max(left - (hasDigest ? MIN_DIGEST : 0), 1));
  const lines = all.flatMap((row, i) => {
    const paint: Paint = i === 0 ? c.faint : (text) => text;
    const cells: Readonly<Record<Column, string>> = {
      name: (i === 0 ? c.faint : c.strong)(padEnd(cut(row.name, name), name)),
      size: paint(row.size.padStart(size)),
      layers: paint(row.layers.padStart(layers)),
      digest: paint(cut(row.digest, left - name)),
    };
    const line = shown.map((key) => cells[key]).join(GAP);
    return [line, ...row.notes.map((note) => c.faint(cut(`    ${note}`, width)))];
  });
  return { lines, hasWholeDigests: hasDigest && widest('digest') <= left - name };
}

/** The columns that fit a narrow terminal without cutting names or digests beyond recognition. */
function columnsFor(nameAndSize: number, layers: number, width: number): readonly Column[] {
  const withDigest = nameAndSize + GAP.length + MIN_DIGEST;
  if (withDigest + GAP.length + layers <= width) return ['name', 'size', 'layers', 'digest'];
  return withDigest <= width ? ['name', 'size', 'digest'] : ['name', 'size'];
}

/**
 * The rows of an image, or of the entries of an index in their order, each followed by what belongs
 * to it.
 */
function tableRows(described: Described): Row[] {
  return described.kind === 'list' ? listRows(described) : entryRows(described);
}

function listRows({ entries }: Described): Row[] {
  const companions = new Companions(entries.map(({ descriptor }) => descriptor));
  const described = new Map(entries.map((entry) => [entry.descriptor, entry]));
  const left = new Set(entries);
  const rowsOf = (entry: Described): Row[] => {
    for (const shown of [entry, ...entry.attestations]) left.delete(shown);
    const owned = companions.of([entry.descriptor.digest]).map((each) => described.get(each)!);
    const artifacts = owned.filter((each) => each.kind === 'image' && left.has(each));
    for (const shown of artifacts.flatMap((each) => [each, ...each.attestations]))
      left.delete(shown);
    return [...entryRows(entry), ...artifacts.flatMap(artifactRows)];
  };
  const rows = entries
    .filter(({ descriptor }) => !companions.isOwned(descriptor))
    .flatMap((entry) => rowsOf(entry));
  // What belongs only to itself, or to what is not an image.
  return [...rows, ...[...left].flatMap(entryRows)];
}

/** The rows of an entry that belongs to an image. */
function artifactRows(described: Described): Row[] {
  const { artifactType, mediaType, annotations } = described.descriptor;
  const notes = [escapeText(artifactType ?? mediaType), ...annotationLines(annotations)];
  const attestations = described.attestations.map(attestationRow);
  return [rowOf(described, 'artifact', notes), ...attestations].map(indented);
}

function entryRows(described: Described): Row[] {
  const { kind, descriptor, manifest, attestations } = described;
  const row = rowOf(described, platformName(described), annotationLines(descriptor.annotations));
  if (kind === 'list') {
    const notes = manifest === undefined ? ['its entries are not shown', ...row.notes] : row.notes;
    return [{ ...row, notes, name: `${row.name} (list)` }, ...listRows(described).map(indented)];
  }
  if (kind === 'other') {
    return [{ ...row, notes: [escapeText(descriptor.mediaType), ...row.notes] }];
  }
  if (kind === 'attestation') {
    // An attestation whose image is in the index is a row of that image.
    const subject = attestedDigest(descriptor) ?? 'nothing';
    return [rowOf(described, 'attestation', [`for ${escapeText(subject)}, which is not there`])];
  }
  return [row, ...attestations.map(attestationRow)];
}

function attestationRow(described: Described): Row {
  const types = described.manifest === undefined ? [] : predicateTypes(described.manifest.document);
  return indented(rowOf(described, 'attestation', types.map(escapeText)));
}

function rowOf(described: Described, name: string, notes: readonly string[]): Row {
  const document = described.manifest?.document;
  return {
    name,
    size: formatSize(totalsOf(described).total),
    layers: document?.kind === 'manifest' ? String(document.layers?.length ?? 0) : '',
    digest: described.descriptor.digest,
    notes,
  };
}

function platformName(described: Described): string {
  const platform = platformOf(described);
  if (platform === undefined || isNoPlatform(platform)) return 'no platform';
  return escapeText(formatPlatform(platform));
}

function indented(row: Row): Row {
  return { ...row, name: `  ${row.name}`, notes: row.notes.map((note) => `  ${note}`) };
}
