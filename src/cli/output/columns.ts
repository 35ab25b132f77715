/**
 * Upper bound of a string's width in terminal columns: every character that may be wide counts as
 * two.
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += char.codePointAt(0)! >= FIRST_WIDE ? 2 : 1;
  return columns;
}

/**
 * Hangul Jamo, the first characters of two columns (Unicode Standard Annex 11, East Asian Width).
 */
const FIRST_WIDE = 0x1100;

/** Cuts a string to at most `columns` columns; `…` is its end if it was longer. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const char of text) {
    left -= columnsOf(char);
    if (left < 0) break;
    kept += char;
  }
  return `${kept}…`;
}

/** Folds a string into lines of at most `columns` columns, at blanks if possible. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const longer = lines.at(-1) === '' ? word : `${lines.at(-1)!} ${word}`;
    if (columnsOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(...pieces(word, columns));
  }
  return lines[0] === '' && lines.length > 1 ? lines.slice(1) : lines;
}

function pieces(word: string, columns: number): string[] {
  const all = [''];
  for (const char of word) {
    if (columnsOf(all.at(-1)! + char) > columns && all.at(-1) !== '') all.push('');
    all[all.length - 1] += char;
  }
  return all;
}

/** Lines of cells in columns as wide as their widest cell, two blanks apart. */
export function inColumns(rows: readonly (readonly string[])[]): string {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(0, ...rows.map((row) => columnsOf(row[i] ?? ''))),
  );
  const lines = rows.map((row) => row.map((cell, i) => padEnd(cell, widths[i]!)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
