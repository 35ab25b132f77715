import { JsonNumber, type JsonValue } from './parse.js';

/**
 * What can be written: JSON values, plain numbers, and objects as lists of members whose `undefined` ones are left out,
 * which is how Go's `omitempty` is spelled here.
 */
export type Writable =
  | null
  | boolean
  | string
  | number
  | JsonNumber
  | readonly Writable[]
  | ReadonlyMap<string, Writable>
  | Members;

/** An object whose members are written in this order; those that are undefined are not written. */
export class Members {
  constructor(readonly list: readonly (readonly [string, Writable | undefined])[]) {}
}

/** Writes as Go's `json.MarshalIndent(value, "", indent)` does: no newline at the end, `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function goMarshalIndent(value: Writable, indent: string): string {
  return writeJson(value, indent, '\n', goString);
}

/** Writes as Go's `json.Marshal(value)` does: without white space. */
export function goMarshal(value: Writable): string {
  return writeJson(value, '', '', goString);
}

/** Map keys in the order in which Go's encoding/json writes them: by their UTF-8 bytes. */
export function sortedByBytes<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

/** Writes with `quote` for each string; `line` is the end of a line and the indentation of the next, or nothing for JSON without white space. */
export function writeJson(
  value: Writable,
  indent: string,
  line: string,
  quote: (text: string) => string,
): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number')
    return String(value);
  if (typeof value === 'string') return quote(value);
  if (value instanceof JsonNumber) return value.text;
  const inner = line + indent;
  if (value instanceof Members || value instanceof Map) {
    const members = value instanceof Members ? value.list : [...value];
    const written = members
      .filter(([, member]) => member !== undefined)
      .map(
        ([key, member]) =>
          `${inner}${quote(key)}${line === '' ? ':' : ': '}${writeJson(member, indent, inner, quote)}`,
      );
    return written.length === 0 ? '{}' : `{${written.join(',')}${line}}`;
  }
  const items = value as readonly Writable[];
  if (items.length === 0) return '[]';
  return `[${items.map((item) => inner + writeJson(item, indent, inner, quote)).join(',')}${line}]`;
}

/** The escapes with a letter of their own, as Go writes them since 1.22; JSON.stringify agrees on all of them. */
function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A JSON value as something writable: they are the same, but for the compiler. */
export function asWritable(value: JsonValue): Writable {
  return value;
}
