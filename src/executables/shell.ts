/** Stands for `$@` and `$*`: the arguments of the script. */
export const ARGUMENTS = Symbol('arguments');

/** One word of a command; undefined if it depends on something that only a shell can know. */
export type Word = string | typeof ARGUMENTS | undefined;

/** A simple command: the name of a program, a function or a builtin, and its arguments. */
export type Command = readonly Word[];

/** Reserved words that a command may follow (POSIX, Shell Command Language, 2.4). */
const RESERVED = new Set(
  ['!', '{', '}', 'if', 'then', 'elif', 'else', 'do', 'while', 'until', 'time'], // prettier-ignore
);

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;

/**
 * The simple commands of a text for a shell, in their order (POSIX, Shell Command Language, 2.9.1):
 * without reserved words, assignments and redirections, and with variables replaced as far as they
 * are known. Nothing is run: what depends on a condition is among them, and what a substitution
 * runs is not.
 */
export function commandsIn(text: string, environment: ReadonlyMap<string, string>): Command[] {
  return new Lexer(text, new Map(environment)).commands();
}

class Lexer {
  private at = 0;
  private readonly found: Word[][] = [];
  private words: Word[] = [];
  /** What ends the here-documents that begin on the next line. */
  private hereDocuments: string[] = [];

  constructor(
    private readonly text: string,
    private readonly variables: Map<string, string>,
  ) {}

  commands(): Command[] {
    while (this.at < this.text.length) this.next();
    this.endCommand();
    return this.found;
  }

  private next(): void {
    const char = this.text[this.at]!;
    if (char === '\n') {
      this.endCommand();
      this.at += 1;
      for (const end of this.hereDocuments.splice(0)) this.skipHereDocument(end);
    } else if (/[;&|()]/.test(char)) {
      this.endCommand();
      this.at += 1;
    } else if (this.text.startsWith('\\\n', this.at)) this.at += 2;
    else if (/\s/.test(char)) this.at += 1;
    else if (char === '#') this.at = this.lineEnd();
    else if (char === '<' || char === '>') this.redirection();
    else this.command();
  }

  private command(): void {
    const start = this.at;
    const word = this.word();
    // The number of a file that is redirected.
    if (/^[0-9]+$/.test(this.text.slice(start, this.at)) && /[<>]/.test(this.text[this.at] ?? ''))
      return;
    const name = ASSIGNMENT.exec(this.text.slice(start, this.at))?.[1];
    if (this.words.length > 0) this.words.push(word);
    else if (name !== undefined) this.assign(name, word);
    else if (typeof word !== 'string' || !RESERVED.has(word)) this.words.push(word);
  }

  private assign(name: string, word: Word): void {
    if (typeof word === 'string') this.variables.set(name, word.slice(name.length + 1));
    else this.variables.delete(name);
  }

  private endCommand(): void {
    if (this.words.length > 0) this.found.push(this.words);
    this.words = [];
  }

  private lineEnd(): number {
    const end = this.text.indexOf('\n', this.at);
    return end < 0 ? this.text.length : end;
  }

  private redirection(): void {
    const operator = /^(?:<<<|<<-?|>>|[<>]&|>\||<>|[<>])/.exec(
      this.text.slice(this.at, this.at + 3),
    )!;
    this.at += operator[0].length;
    // A process substitution.
    if (this.text[this.at] === '(') return;
    while (/[ \t]/.test(this.text[this.at] ?? '')) this.at += 1;
    const target = this.word();
    if (/^<<-?$/.test(operator[0]) && typeof target === 'string') this.hereDocuments.push(target);
  }

  private skipHereDocument(end: string): void {
    while (this.at < this.text.length) {
      const line = this.text.slice(this.at, this.lineEnd());
      this.at = this.lineEnd() + 1;
      if (line.replace(/^\t+/, '') === end) return;
    }
  }

  /** Reads a word to the blank or operator behind it. */
  private word(): Word {
    let word = '';
    let isKnown = true;
    let isArguments = false;
    let quote = '';
    const start = this.at;
    for (; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at]!;
      if (char === quote) quote = '';
      else if (quote === "'") word += char;
      else if (char === '\\') {
        this.at += 1;
        const next = this.text[this.at] ?? '';
        const isKept = quote === '"' && !/["\\$`\n]/.test(next);
        word += (isKept ? '\\' : '') + (next === '\n' ? '' : next);
      } else if (char === '$') {
        const value = this.expansion();
        if (value === ARGUMENTS) isArguments = true;
        else if (value === undefined) isKnown = false;
        else word += value;
      } else if (char === '`') {
        isKnown = false;
        const end = this.text.indexOf('`', this.at + 1);
        this.at = end < 0 ? this.text.length : end;
      } else if (quote === '"') word += char;
      else if (char === '"' || char === "'") quote = char;
      else if (/[\s;&|()<>]/.test(char)) break;
      else word += char;
    }
    // Always goes on, whatever the text is.
    if (this.at === start) this.at += 1;
    if (isArguments) return word === '' && isKnown ? ARGUMENTS : undefined;
    return isKnown ? word : undefined;
  }

  /** Reads what begins with `$`, up to its last character. */
  private expansion(): Word {
    const rest = this.text.slice(this.at, this.at + MAX_EXPANSION);
    if (rest.startsWith('$(')) {
      this.at += substitutionLength(rest) - 1;
      return undefined;
    }
    const match = EXPANSION.exec(rest);
    if (match === null) return '$';
    this.at += match[0].length - 1;
    const { name = match.groups!['plain']!, otherwise } = match.groups as Record<
      string,
      string | undefined
    >;
    if (name === '@' || name === '*') return ARGUMENTS;
    const value = this.variables.get(name);
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value;
    // A default that is plain text.
    return otherwise === undefined || /[$`"'\\]/.test(otherwise) ? undefined : otherwise;
  }
}

/** Longer ones are not looked at. */
const MAX_EXPANSION = 4096;

const EXPANSION =
  /^\$(?:(?<plain>[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])|\{(?<name>[A-Za-z_][A-Za-z0-9_]*|[0-9@*])(?::?-(?<otherwise>[^}]*))?\}|\{[^}]*\})/;

/** The length of a command substitution, by its parentheses. */
function substitutionLength(text: string): number {
  let depth = 0;
  for (let i = 1; i < text.length; i += 1) {
    if (text[i] === '(') depth += 1;
    if (text[i] === ')') depth -= 1;
    if (depth === 0) return i + 1;
  }
  return text.length;
}
