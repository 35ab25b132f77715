/*
 * JSON as text, changed only in what is no part of its value: white space, and the choice between a character and its escape.
 */

const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|[^\s"{}[\],:]+|[{}[\],:]/g;

/**
 * A JSON document in other white space, as Go's `json.Indent(text, "", unit)` writes it: numbers and strings stay as they are written,
 * members in their order, also those that are there twice. The text has to be JSON.
 */
export function indentJson(text: string, unit: string): string {
  const parts: string[] = [];
  let depth = 0;
  let before = '';
  for (const [token] of text.matchAll(TOKEN)) {
    const isClose = token === '}' || token === ']';
    if (isClose) depth -= 1;
    const isBehindOpen = before === '{' || before === '[';
    if (isClose ? !isBehindOpen : isBehindOpen || before === ',') {
      parts.push('\n', unit.repeat(depth));
    }
    parts.push(token === ':' ? ': ' : token);
    if (token === '{' || token === '[') depth += 1;
    before = token;
  }
  return parts.join('');
}

/** A JSON document with the characters escaped that Go's `json.Marshal` escapes in what a `MarshalJSON` returns. */
export function escapeHtmlInJson(text: string): string {
  // In JSON they can stand in strings only.
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
