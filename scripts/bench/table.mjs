import { QUANTITIES } from './statistics.mjs';

/**
 * @typedef {import('./measure.mjs').Table} Table
 * @typedef {import('./measure.mjs').Row} Row
 */

const HEADINGS = {
  seconds: 'seconds',
  requests: 'requests',
  connections: 'connections',
  chain: 'longest chain',
  mib: 'MiB',
};

/** The columns of a table: the quantities that were measured for some row. @param {Table} table */
function columnsOf({ rows }) {
  return QUANTITIES.filter((quantity) => rows.some((row) => row[quantity] !== undefined));
}

/** A value with its ratio to the base: `3.06 x5.02`. @param {keyof typeof HEADINGS} quantity @param {Row} row @param {Row | undefined} base */
function cell(quantity, row, base) {
  const value = row[quantity];
  if (value === undefined) return '-';
  const standard = base?.[quantity];
  const ratio = standard && row !== base ? ` x${digits(value / standard)}` : '';
  return `${valueText(quantity, value)}${ratio}`;
}

/** @param {keyof typeof HEADINGS} quantity @param {number} value */
export function valueText(quantity, value) {
  if (quantity === 'seconds') return value.toFixed(value < 0.1 ? 3 : 2);
  return quantity === 'mib' ? value.toFixed(0) : String(value);
}

/** @param {number} ratio */
function digits(ratio) {
  return ratio.toFixed(ratio < 10 ? 2 : 0);
}

/** A table for a terminal. @param {Table} table @param {ReadonlyMap<string, string>} versions */
export function textTable(table, versions) {
  const columns = columnsOf(table);
  const base = table.rows.find(({ name }) => name === table.base);
  const lines = [
    ['', ...columns.map((quantity) => HEADINGS[quantity]), 'runs'],
    ...table.rows.map((row) => [
      [row.name, versions.get(row.name)].filter(Boolean).join(' '),
      ...columns.map((quantity, n) => failedOr(row, n, cell(quantity, row, base))),
      String(row.runs),
    ]),
  ];
  /** @param {number} n */
  const width = (n) => Math.max(...lines.map((line) => line[n]?.length ?? 0));
  const body = lines.map((line) => line.map((text, n) => text.padEnd(width(n))).join('  '));
  return [table.title, ...body.map((line) => `  ${line.trimEnd()}`), ...notes(table)].join('\n');
}

/** A table for Markdown. @param {Table} table @param {ReadonlyMap<string, string>} versions */
export function markdownTable(table, versions) {
  const columns = columnsOf(table);
  const base = table.rows.find(({ name }) => name === table.base);
  const lines = [
    [table.title, ...columns.map((quantity) => HEADINGS[quantity])],
    columns.concat('seconds').map(() => '---'),
    ...table.rows.map((row) => [
      [row.name, versions.get(row.name)].filter(Boolean).join(' '),
      ...columns.map((quantity, n) => failedOr(row, n, cell(quantity, row, base))),
    ]),
  ];
  return lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

/**
 * Summary: one line per job, with the seconds of each tool.
 * @param {readonly Table[]} tables @param {ReadonlyMap<string, string>} versions
 */
export function summaryTable(tables, versions) {
  const names = [...new Set(tables.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  const lines = [
    ['seconds', ...names.map((name) => [name, versions.get(name)].filter(Boolean).join(' '))],
    ['---', ...names.map(() => '---')],
    ...tables.map(({ title, rows }) => [
      title,
      ...names.map((name) => {
        const row = rows.find((each) => each.name === name);
        if (row?.failed !== undefined) return 'failed';
        return row?.seconds === undefined ? '-' : valueText('seconds', row.seconds);
      }),
    ]),
  ];
  return lines.map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');
}

/** @param {Row} row @param {number} n @param {string} text */
function failedOr(row, n, text) {
  if (row.failed === undefined) return text;
  return n === 0 ? 'failed' : '-';
}

/** @param {Table} table */
function notes({ rows, cannot }) {
  const failed = rows.filter((row) => row.failed !== undefined);
  return [
    ...failed.map(({ name, failed: why }) => `  ${name} failed: ${printable(why ?? '')}`),
    ...(cannot.length === 0 ? [] : [`  cannot do this: ${cannot.join(', ')}`]),
  ];
}

/** Output of another program, without control characters. @param {string} text */
function printable(text) {
  return text
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 300);
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('|', '\\|');
}
