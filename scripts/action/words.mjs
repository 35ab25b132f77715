const BLANK = /\s/;

/**
 * Splits a string into words as a POSIX shell does: quotes and backslashes keep a word together,
 * and a backslash at the end of a line joins it with the next. Nothing is expanded, and no other
 * character is special.
 * @param {string} text
 * @throws {Error} a quote is not closed
 */
export function words(text) {
  /** @type {string[]} */
  const found = [];
  /** @type {string | undefined} */
  let word;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === quote) quote = '';
    else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && quote !== "'") {
      const next = text[at + 1];
      // Literal at the end of the text, and in double quotes except before these characters.
      const isItself = next === undefined || (quote === '"' && !'"\\$`\n'.includes(next));
      const meant = isItself ? char : next === '\n' ? '' : next;
      if (meant !== '') word = (word ?? '') + meant;
      if (!isItself) at += 1;
    } else if (quote === '' && BLANK.test(char)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw new Error(`a ${quote} in args is not closed`);
  if (word !== undefined) found.push(word);
  return found;
}
