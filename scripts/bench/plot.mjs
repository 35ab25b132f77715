import { valueText } from './table.mjs';

/** @typedef {import('./measure.mjs').Table} Table */

const WIDTH = 760;
const NAME_WIDTH = 190;
const VALUE_WIDTH = 130;
const BAR = 16;
const LINE = 22;
const TITLE = 34;
const MARGIN = 16;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .caption, .failed { font-size: 12px; fill: #57606a }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .caption, .failed { fill: #9198a1 }
    .bar { fill: #6e7681 }
    .ours { fill: #4493f8 }
    .ground { fill: #0d1117 }
  }`;

/**
 * Bar chart of seconds, with one group and scale per job, in the reader's light or dark mode. It
 * has a background of its own, because the page that shows it may use the other mode.
 * @param {readonly Table[]} tables
 * @param {ReadonlyMap<string, string>} versions
 * @param {readonly string[]} caption lines
 */
export function plot(tables, versions, caption) {
  const parts = [];
  let y = 0;
  for (const table of tables) {
    y += TITLE;
    parts.push(`<text class="title" x="0" y="${y - 10}">${escaped(table.title)}</text>`);
    const longest = Math.max(...table.rows.map(({ seconds }) => seconds ?? 0));
    for (const row of table.rows) {
      parts.push(...bar(row, table, versions.get(row.name), longest, y));
      y += LINE;
    }
  }
  y += 14;
  for (const line of caption) {
    y += 16;
    parts.push(`<text class="caption" x="0" y="${y}">${escaped(line)}</text>`);
  }
  const [width, height] = [WIDTH + 2 * MARGIN, y + 2 * MARGIN];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-${MARGIN} 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Seconds that each tool takes for each job; shorter is better</title>
<style>${STYLE}
</style>
<rect class="ground" x="-${MARGIN}" width="${width}" height="${height}" rx="6"/>
${parts.join('\n')}
</svg>
`;
}

/**
 * @param {import('./measure.mjs').Row} row @param {Table} table @param {string | undefined} version
 * @param {number} longest seconds that fill the width @param {number} y
 */
function bar({ name, seconds }, table, version, longest, y) {
  const label = [name, version].filter(Boolean).join(' ');
  const base = table.rows.find((row) => row.name === table.base)?.seconds;
  const text = `<text x="0" y="${y + 13}">${escaped(label)}</text>`;
  if (seconds === undefined)
    return [text, `<text class="failed" x="${NAME_WIDTH}" y="${y + 13}">failed</text>`];
  const width = Math.max(1, ((WIDTH - NAME_WIDTH - VALUE_WIDTH) * seconds) / longest);
  const ratio =
    base === undefined || name === table.base ? '' : `, x${(seconds / base).toFixed(1)}`;
  const value = `${valueText('seconds', seconds)} s${ratio}`;
  const kind = table.ours.includes(name) ? 'ours' : 'bar';
  return [
    text,
    `<rect class="${kind}" x="${NAME_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text x="${(NAME_WIDTH + width + 6).toFixed(1)}" y="${y + 13}">${value}</text>`,
  ];
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
