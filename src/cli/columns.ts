/** How many columns of a terminal a text takes, or fewer: what may be wide counts as two, so that nothing is wider than it is taken for. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text) columns += char.codePointAt(0)! >= FIRST_WIDE ? 2 : 1;
  return columns;
}

/** Hangul Jamo: the first characters that are two columns wide (Unicode, East Asian Width). */
const FIRST_WIDE = 0x1100;

/** A text in at most so many columns, with `…` at its end where there is more. */
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

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}
