/** Characters of ASCII with a name in HTML, by that name. */
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  ast: '*',
  bsol: '\\',
  colon: ':',
  comma: ',',
  commat: '@',
  dollar: '$',
  equals: '=',
  excl: '!',
  grave: '`',
  gt: '>',
  hat: '^',
  lcub: '{',
  lowbar: '_',
  lpar: '(',
  lsqb: '[',
  lt: '<',
  nbsp: ' ',
  num: '#',
  percnt: '%',
  period: '.',
  plus: '+',
  quest: '?',
  quot: '"',
  rcub: '}',
  rpar: ')',
  rsqb: ']',
  semi: ';',
  sol: '/',
  verbar: '|',
};

/** Escapes of one letter in JSON; any other escaped character stands for itself. */
const LETTERS: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Escapes by what has them: URLs, HTML, and JSON (with those of JavaScript that JSON does not have).
 * They are decoded one kind at a time: `\&` is an escape in one of them and two characters in others.
 */
const ESCAPES = [
  /%[0-7][0-9a-f]|%[c-f][0-9a-f](?:%[89ab][0-9a-f]){1,3}/gi,
  /&#x(?<hex>[0-9a-f]{1,8});?|&#(?<decimal>[0-9]{1,10});?|&(?<entity>[a-z]{2,6});/gi,
  /\\u(?<unit>[0-9a-f]{4})|\\x(?<byte>[0-9a-f]{2})|\\(?<letter>[^ux])/gi,
];

/** A part of a text. */
export interface Range {
  readonly begin: number;
  /** The first character behind it. */
  readonly end: number;
}

/** A text without its escapes, which knows where in the original each of its characters comes from. */
export class DecodedText {
  constructor(
    /** Without the escapes. */
    readonly text: string,
    /** For each character of `text`, where its original begins; at the end, that of the original. */
    private readonly starts: readonly number[],
  ) {}

  /** Where in the original the characters from `begin` to `end` come from. */
  origin(begin: number, end: number): Range {
    return { begin: this.starts[begin]!, end: this.starts[end]! };
  }

  /** The same without the escapes that are left, once for each kind that it has. */
  decodings(): DecodedText[] {
    return decodings(this.text).map(({ text, starts }) => {
      const all = starts.map((at) => this.starts[at]!);
      return new DecodedText(text, all);
    });
  }
}

/** A text without its escapes, once for each kind of escape that it has. */
export function decodings(text: string): DecodedText[] {
  return ESCAPES.flatMap((escapes) => decoded(text, escapes) ?? []);
}

function decoded(text: string, escapes: RegExp): DecodedText | undefined {
  const starts: number[] = [];
  let result = '';
  let done = 0;
  const add = (piece: string, at: number, end: number): void => {
    const isEscape = piece.length !== end - at;
    for (let i = 0; i < piece.length; i += 1) starts.push(isEscape ? at : at + i);
    result += piece;
  };
  for (const match of text.matchAll(escapes)) {
    const [escape] = match;
    const piece = valueOf(escape, match.groups ?? {});
    if (piece === '') continue;
    const before = text.slice(done, match.index);
    if (before !== '') add(before, done, match.index);
    done = match.index + escape.length;
    add(piece, match.index, done);
  }
  if (done === 0) return undefined;
  const rest = text.slice(done);
  if (rest !== '') add(rest, done, text.length);
  starts.push(text.length);
  return new DecodedText(result, starts);
}

/** What an escape stands for; empty if it is none. */
function valueOf(escape: string, groups: Readonly<Record<string, string | undefined>>): string {
  const { hex, decimal, entity, unit, byte, letter } = groups;
  if (entity !== undefined) return ENTITIES[entity.toLowerCase()] ?? '';
  if (letter !== undefined) return LETTERS[letter] ?? letter;
  if (escape.startsWith('%')) return Buffer.from(escape.replaceAll('%', ''), 'hex').toString();
  if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16));
  const code = Number.parseInt(hex ?? decimal ?? byte!, decimal === undefined ? 16 : 10);
  return code > 0x10_ff_ff ? '' : String.fromCodePoint(code);
}
