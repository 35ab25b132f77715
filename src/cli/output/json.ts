import { Members, writeJson } from '../../oci/json/go-marshal.js';
import { escapeText } from '../../text.js';

/**
 * JSON of a result: indented by two, a newline at the end, and nothing in it acts on a terminal.
 * Numbers in {@link Members} keep their text.
 */
export function jsonText(value: object): string {
  const text =
    value instanceof Members
      ? writeJson(value, '  ', '\n', (string) => JSON.stringify(string))
      : JSON.stringify(value, undefined, 2);
  return `${harmlessJson(text)}\n`;
}

/**
 * A JSON document of which nothing acts on a terminal: characters that would are written as escapes
 * of the same value.
 */
export function harmlessJson(text: string): string {
  return text.replaceAll('\r', '').replace(/[^\n\t]+/g, escapeText);
}
