import { escapeHtmlInJson } from './json-text.js';
import { JsonNumber, type JsonValue } from './parse.js';

/**
 * A value that can be written as JSON: JSON values, numbers, and objects as lists of members, of
 * which undefined ones are omitted as Go's `omitempty` does it.
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

/**
 * An object with its members in the order in which they are written; undefined ones are omitted.
 */
export class Members {
  constructor(readonly list: readonly (readonly [string, Writable | undefined])[]) {}
}

/**
 * Go's `json.MarshalIndent(value, "", indent)`: no newline at the end; `<`, `>`, `&`, U+2028 and
 * U+2029 are escaped.
 */
export function goMarshalIndent(value: Writable, indent: string): string {
  return writeJson(value, indent, '\n', goString);
}

/** Go's `json.Marshal(value)`: without white space. */
export function goMarshal(value: Writable): string {
  return writeJson(value, '', '', goString);
}

/** The map in the key order of Go's encoding/json: by UTF-8 bytes. */
export function sortedByBytes<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

/**
 * Writes JSON. `quote` writes strings; `line` is a newline and the indentation of the value, or
 * empty for JSON without white space.
 */
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

/**
 * A string as Go writes it since 1.22: with the short escapes of JSON.stringify, and HTML
 * characters escaped.
 */
function goString(text: string): string {
  return escapeHtmlInJson(JSON.stringify(text.toWellFormed()));
}

/** Converts the type only: every JSON value can be written. */
export function asWritable(value: JsonValue): Writable {
  return value;
}
