import { isUtf8 } from 'node:buffer';

/**
 * A JSON value without loss: members keep their order, and numbers their text, so that a size of
 * 2^53+1 or an exponent can be written again unchanged.
 */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** A JSON object, its members in the order of the text. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A number with its exact text. */
export class JsonNumber {
  constructor(readonly text: string) {}

  /** The value if it is an integer from 0 to 2^53-1, otherwise undefined. */
  toSize(): number | undefined {
    if (!/^(0|[1-9][0-9]*)$/.test(this.text)) return undefined;
    const value = Number(this.text);
    return Number.isSafeInteger(value) ? value : undefined;
  }
}

/** Nesting that is read; no document of the specifications comes near it. */
const MAX_DEPTH = 100;

/**
 * Receives what readers of JSON disagree about: some refuse it, and others take one of two values.
 */
export type OnAmbiguity = (fault: Error) => void;

/**
 * Reads one JSON document (RFC 8259). Of members with the same key, the last one counts, as in
 * JavaScript and in Go; `onAmbiguity` is called for the others.
 * @throws {SyntaxError} with the offset in characters, if the text is not JSON or is nested deeper
 * than 100.
 */
export function parseJson(text: string, onAmbiguity?: OnAmbiguity): JsonValue {
  const hasMark = onAmbiguity !== undefined && text.startsWith(BYTE_ORDER_MARK);
  if (hasMark) onAmbiguity(new AmbiguousJson('it begins with a byte order mark (BOM)'));
  const parser = new Parser(text, hasMark ? 1 : 0, onAmbiguity);
  const value = parser.value(0);
  parser.end();
  return value;
}

/** Readers may ignore it (RFC 8259, section 8.1); Go does not. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads the UTF-8 bytes of one JSON document. Without `onAmbiguity`, repeated keys, a byte
 * order mark and bytes that are not UTF-8 are refused (RFC 8259, sections 4 and 8.1).
 * @throws {SyntaxError} as {@link parseJson} does, and for what is ambiguous.
 */
export function parseJsonBytes(
  bytes: Uint8Array,
  onAmbiguity: OnAmbiguity = refuseAmbiguity,
): JsonValue {
  if (!isUtf8(bytes)) onAmbiguity(new AmbiguousJson('it is not UTF-8'));
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return parseJson(text, onAmbiguity);
}

/** What to do about a document that readers disagree about. */
export const AMBIGUOUS_HINT = 'do not trust it: tools read it differently; ask its publisher';

/** JSON that readers disagree about. */
export class AmbiguousJson extends SyntaxError {
  /** What to do about it. */
  readonly hint = AMBIGUOUS_HINT;
}

/** @throws the fault. */
export function refuseAmbiguity(fault: Error): never {
  throw fault;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// oxlint-disable-next-line no-control-regex -- a JSON string must not contain control characters
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;

/** Position of a value in a text, from its first character to the one after its last. */
export interface ValueSpan {
  readonly start: number;
  readonly end: number;
}

/** Position of a member of an object, its key included. */
export interface JsonSpan extends ValueSpan {
  readonly value: ValueSpan;
}

/**
 * The positions of the members of the object at `at`, for edits that keep everything else.
 * @throws {SyntaxError} if there is no object.
 */
export function memberSpans(text: string, at = 0): Map<string, JsonSpan> {
  return new Parser(text, at).memberSpans();
}

/**
 * The positions of the items of the array at `at`.
 * @throws {SyntaxError} if there is no array.
 */
export function itemSpans(text: string, at: number): ValueSpan[] {
  return new Parser(text, at).itemSpans();
}

class Parser {
  constructor(
    private readonly text: string,
    private at = 0,
    private readonly onAmbiguity: OnAmbiguity = () => {},
  ) {}

  memberSpans(): Map<string, JsonSpan> {
    const spans = new Map<string, JsonSpan>();
    this.take(SPACE);
    this.sequence('}', () => {
      const start = this.at;
      const key = this.string();
      this.expect(':');
      const value = this.span();
      spans.set(key, { start, value, end: value.end });
    });
    return spans;
  }

  itemSpans(): ValueSpan[] {
    const spans: ValueSpan[] = [];
    this.take(SPACE);
    this.sequence(']', () => spans.push(this.span()));
    return spans;
  }

  private span(): ValueSpan {
    this.take(SPACE);
    const start = this.at;
    this.value(0);
    return { start, end: this.at };
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.error(`nested deeper than ${MAX_DEPTH}`);
    this.take(SPACE);
    const first = this.text[this.at];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.string();
    const literal = this.take(LITERAL);
    if (literal) return literal === 'null' ? null : literal === 'true';
    const number = this.take(NUMBER);
    if (number) return new JsonNumber(number);
    throw this.error(
      first === undefined ? 'unexpected end' : `unexpected ${JSON.stringify(first)}`,
    );
  }

  end(): void {
    this.take(SPACE);
    if (this.at < this.text.length) throw this.error('text after the end of the document');
  }

  private object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.sequence('}', () => {
      const key = this.string();
      if (members.has(key)) {
        const fault = `the key ${JSON.stringify(key)} occurs twice in one object,`;
        this.onAmbiguity(new AmbiguousJson(this.placed(fault)));
      }
      this.expect(':');
      members.set(key, this.value(depth + 1));
    });
    return members;
  }

  private array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.sequence(']', () => items.push(this.value(depth + 1)));
    return items;
  }

  private sequence(close: string, item: () => void): void {
    this.at += 1;
    this.take(SPACE);
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      this.take(SPACE);
      item();
      this.take(SPACE);
      if (this.text[this.at] === ',') this.at += 1;
      else {
        this.expect(close);
        return;
      }
    }
  }

  private string(): string {
    const raw = this.take(STRING);
    if (raw === undefined) throw this.error('a string was expected');
    return JSON.parse(raw) as string;
  }

  private expect(char: string): void {
    this.take(SPACE);
    if (this.text[this.at] !== char) throw this.error(`${JSON.stringify(char)} was expected`);
    this.at += 1;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.at = pattern.lastIndex;
    return match[0];
  }

  private error(what: string): SyntaxError {
    return new SyntaxError(this.placed(what));
  }

  private placed(what: string): string {
    return `${what} at character ${this.at + 1}`;
  }
}
