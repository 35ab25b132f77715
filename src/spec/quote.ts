/** How much of a line is shown, in UTF-16 units. */
const MAX_QUOTE = 80;
/** How much of it stands before the place that is meant, where the line is longer than that. */
const BEFORE = 20;

/**
 * What stands at a place of a file, for the end of an error: the line, or the last one before it that is not blank, cut to
 * {@link MAX_QUOTE} around the place. Nothing where the file is blank up to there.
 */
export function quoteAt(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const rest = /^[^\r\n]*/.exec(text.slice(offset))?.[0] ?? '';
  // The parser finds out at the end of a file that something before it has none.
  const upTo = rest.trim() === '' ? before.trimEnd() : before + rest;
  const start = Math.max(upTo.lastIndexOf('\n'), upTo.lastIndexOf('\r')) + 1;
  const line = upTo.slice(start).trim();
  if (line === '') return '';
  const indent = upTo.slice(start).search(/\S/);
  return `, in \`${cut(line, Math.min(offset - start - indent, line.length))}\``;
}

function cut(line: string, place: number): string {
  if (line.length <= MAX_QUOTE) return line;
  const from = Math.max(0, Math.min(place - BEFORE, line.length - MAX_QUOTE));
  const to = from + MAX_QUOTE;
  return `${from > 0 ? '…' : ''}${line.slice(from, to)}${to < line.length ? '…' : ''}`;
}
