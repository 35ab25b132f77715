import type { Annotations } from '../oci/documents.js';
import type { Described } from '../plan/describe.js';
import { totalsOf } from '../plan/totals.js';
import { escapeText, formatSize } from '../text.js';
import type { Colours } from './colours.js';
import { columnsOf, cut, padEnd } from './columns.js';
import { renderReferrers } from './render-referrers.js';
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
const MIN_NAME = TITLES.name.length;

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

/** Columns as wide as what is in them; of what does not fit, digests are cut first, and names then. */
function layOut(rows: readonly Row[], c: Colours, width: number): string[] {
  const all = [TITLES, ...rows];
  const widest = (key: 'name' | 'size' | 'layers' | 'digest'): number =>
    Math.max(...all.map((row) => columnsOf(row[key])));
  const [size, layers] = [widest('size'), widest('layers')];
  const left = width - size - layers - 3 * GAP.length;
  const name = Math.min(widest('name'), Math.max(left - MIN_DIGEST, MIN_NAME));
  const digest = Math.max(left - name, MIN_DIGEST);
  return all.flatMap((row, i) => {
    const isTitle = i === 0;
    const paint = (colour: (text: string) => string, text: string): string =>
      isTitle ? text : colour(text);
    const cells = [
      paint(c.green, padEnd(cut(row.name, name), name)),
      paint(c.blue, row.size.padStart(size)),
      paint(c.red, row.layers.padStart(layers)),
      paint(c.yellow, cut(row.digest, digest)),
    ];
    return [cells.join(GAP), ...row.notes.map((note) => cut(`    ${note}`, width))];
  });
}
