import type { Annotations } from '../../../oci/documents.js';
import type { Described } from '../../../core/read/describe.js';
import { totalsOf } from '../../../core/read/totals.js';
import { escapeText, formatSize } from '../../../text.js';
import type { Colours } from '../colours.js';
import { columnsOf, cut, padEnd } from '../columns.js';
import { renderReferrers } from './referrers.js';
import { annotationLines, tableRows, type Row } from './table-rows.js';

const TITLES: Row = {
  name: 'PLATFORM',
  size: 'SIZE',
  layers: 'LAYERS',
  digest: 'DIGEST',
  notes: [],
};
const GAP = '  ';
/** What is always left of a digest: its algorithm and twelve digits, as other tools show it for short. */
const MIN_DIGEST = 'sha256:'.length + 12 + 1;
/** As long as that of a release of Windows; a longer one may be cut. */
const LONG_NAME = 30;

/** `inspect --format table`: a line a platform, no line longer than `width` columns. */
export function renderTable(
  name: string,
  described: Described,
  colours: Colours,
  width: number,
): string {
  const lines = [
    ...head(name, described, colours, width),
    '',
    ...layOut(tableRows(described), colours, width),
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  const { referrers } = described;
  return referrers === undefined ? text : `${text}\n${renderReferrers(referrers, colours, width)}`;
}

function head(name: string, described: Described, c: Colours, width: number): string[] {
  const { descriptor, manifest } = described;
  const { manifests, configs, layers, total } = totalsOf(described);
  const parts = [
    `manifests ${formatSize(manifests)}`,
    `configs ${formatSize(configs)}`,
    `layers ${formatSize(layers)}`,
  ];
  const left = width - 'Digest: '.length;
  return [
    `Name:   ${c.green(cut(escapeText(name), left))}`,
    `Type:   ${c.green(cut(manifest?.mediaType ?? '', left))}`,
    `Digest: ${c.yellow(cut(descriptor.digest, left))}`,
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

/** Columns as wide as what is in them; of what does not fit, digests are cut first, and long names then. */
function layOut(rows: readonly Row[], c: Colours, width: number): string[] {
  const all = [TITLES, ...rows];
  const widest = (key: Column): number => Math.max(...all.map((row) => columnsOf(row[key])));
  const [size, layers] = [widest('size'), widest('layers')];
  const shown = columnsFor(Math.min(widest('name'), LONG_NAME) + GAP.length + size, layers, width);
  const fixed = size + (shown.includes('layers') ? layers + GAP.length : 0);
  const hasDigest = shown.includes('digest');
  const left = width - fixed - (hasDigest ? 2 : 1) * GAP.length;
  const name = Math.min(widest('name'), Math.max(left - (hasDigest ? MIN_DIGEST : 0), 1));
  return all.flatMap((row, i) => {
    const isTitle = i === 0;
    const paint = (colour: (text: string) => string, text: string): string =>
      isTitle ? text : colour(text);
    const cells: Readonly<Record<Column, string>> = {
      name: paint(c.green, padEnd(cut(row.name, name), name)),
      size: paint(c.blue, row.size.padStart(size)),
      layers: paint(c.red, row.layers.padStart(layers)),
      digest: paint(c.yellow, cut(row.digest, left - name)),
    };
    const line = shown.map((key) => cells[key]).join(GAP);
    return [line, ...row.notes.map((note) => cut(`    ${note}`, width))];
  });
}

/** Where a terminal is too narrow for a table that tells platforms apart, it is one of fewer columns. */
function columnsFor(nameAndSize: number, layers: number, width: number): readonly Column[] {
  const withDigest = nameAndSize + GAP.length + MIN_DIGEST;
  if (withDigest + GAP.length + layers <= width) return ['name', 'size', 'layers', 'digest'];
  return withDigest <= width ? ['name', 'size', 'digest'] : ['name', 'size'];
}
