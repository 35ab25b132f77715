/*
 * Changes to JSON text that keep its value: white space, and the choice between a character and its
 * escape.
 */

const TOKEN = /"(?:[^"\\]|\\[\s\S])*"|[^\s"{}[\],:]+|[{}[\],:]/g;

/**
 * Go's `json.Indent(text, "", unit)`: numbers, strings and duplicate members are kept as they are.
 * The text must be JSON.
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

/** Escapes what Go's `json.Marshal` escapes in the result of a `MarshalJSON`. */
export function escapeHtmlInJson(text: string): string {
  // In JSON they occur in strings only.
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
