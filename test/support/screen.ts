/** Characters that take two columns, as far as the tests use them; all others take one. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1f9ff}]/u;

// oxlint-disable-next-line no-control-regex -- what a terminal acts on
const TOKEN = /\u001b\[([?]?)([\d;]*)([@-~])|\u001b.|[\u0000-\u001f]|[^\u0000-\u001f\u001b]/gu;

/** What is in a place: a character, nothing, or the second half of a wide character. */
type Cell = string;
const BLANK = ' ';

/**
 * What a person sees who looks at a terminal: the part of a VT100 and its heirs that command lines use, with lines that wrap. A sequence
 * that it does not know is an error.
 */
export class Screen {
  /** All lines since the start, those that scrolled out as well. */
  private readonly rows: { cells: Cell[]; isWrapped: boolean }[] = [
    { cells: [], isWrapped: false },
  ];
  private row = 0;
  private column = 0;
  private top = 0;
  private rest = '';
  isCursorShown = true;
  /** How many times a character did not fit in the line any more. */
  wraps = 0;
  /** Whether any sequence asked for a colour. */
  isColoured = false;

  constructor(
    private columns: number,
    private height: number,
  ) {}

  /** The lines as they stand, without blanks at their ends and without empty lines at the end. */
  get lines(): string[] {
    return this.rows.map(({ cells }) => cells.join('').trimEnd());
  }

  get text(): string {
    return this.lines.join('\n').trimEnd();
  }

  /** Where the cursor is in its line, from 0. */
  get cursorColumn(): number {
    return this.column;
  }

  write(text: string): void {
    const all = this.rest + text;
    // A sequence may come in two pieces.
    // oxlint-disable-next-line no-control-regex -- what a terminal acts on
    this.rest = /\u001b(?:\[[?\d;]*)?$/.exec(all)?.[0] ?? '';
    for (const match of all.slice(0, all.length - this.rest.length).matchAll(TOKEN)) {
      if (match[3] === undefined) this.character(match[0]);
      else this.sequence(match[1]! + match[3], match[2]!, match[0]);
    }
  }

  /** As terminals do that keep lines whole: what wrapped is laid out anew. */
  resize(columns: number, height: number): void {
    if (columns === 0) return;
    const lines: { cells: Cell[]; cursor: number }[] = [];
    for (const [i, { cells, isWrapped }] of this.rows.entries()) {
      if (!isWrapped) lines.push({ cells: [], cursor: -1 });
      const line = lines.at(-1)!;
      if (i === this.row) line.cursor = line.cells.length + this.column;
      line.cells.push(...cells);
    }
    this.rows.length = 0;
    for (const { cells, cursor } of lines) {
      while (cells.at(-1) === BLANK && cells.length > cursor) cells.pop();
      for (let from = 0; from === 0 || from < cells.length; from += columns) {
        if (cursor >= from && (cursor < from + columns || from + columns >= cells.length)) {
          [this.row, this.column] = [this.rows.length, Math.min(cursor - from, columns - 1)];
        }
        this.rows.push({ cells: cells.slice(from, from + columns), isWrapped: from > 0 });
      }
    }
    [this.columns, this.height] = [columns, height];
    this.top = Math.max(0, this.rows.length - height);
  }

  private character(char: string): void {
    if (char === '\r') this.column = 0;
    else if (char === '\n') this.down();
    else if (char === '\b') this.column = Math.max(0, this.column - 1);
    else if (char < ' ' || char.startsWith('\u001b'))
      throw new Error(`screen: ${JSON.stringify(char)}`);
    else this.put(char);
  }

  private put(char: string): void {
    const width = WIDE.test(char) ? 2 : 1;
    if (this.column + width > this.columns && this.column > 0) {
      this.wraps += 1;
      this.column = 0;
      this.down();
      this.rows[this.row]!.isWrapped = true;
    }
    const { cells } = this.rows[this.row]!;
    while (cells.length < this.column) cells.push(BLANK);
    cells.splice(this.column, width, char, ...Array.from({ length: width - 1 }, () => ''));
    this.column += width;
  }

  private down(): void {
    this.row += 1;
    if (this.row === this.rows.length) this.rows.push({ cells: [], isWrapped: false });
    this.top = Math.max(this.top, this.row - this.height + 1);
  }

  private sequence(kind: string, parameters: string, whole: string): void {
    const n = Number(parameters || 1);
    const { cells } = this.rows[this.row]!;
    if (kind === 'm') this.isColoured = true;
    else if (kind === 'G') this.column = Math.min(n, this.columns) - 1;
    else if (kind === 'A') this.row = Math.max(this.top, this.row - n);
    else if (kind === 'K' && parameters === '1') cells.fill(BLANK, 0, this.column + 1);
    else if (kind === 'K')
      cells.length = parameters === '2' ? 0 : Math.min(cells.length, this.column);
    else if (kind === 'J' && Number(parameters) === 0) {
      cells.length = Math.min(cells.length, this.column);
      this.rows.length = this.row + 1;
    } else if (/^\?[hl]$/.test(kind) && parameters === '25') this.isCursorShown = kind === '?h';
    // What is between them is shown at once.
    else if (!/^\?[hl]$/.test(kind) || parameters !== '2026') {
      throw new Error(`screen: ${JSON.stringify(whole)}`);
    }
  }
}
