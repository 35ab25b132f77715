const BLANK = /\s/;

/**
 * The words of a text as a POSIX shell cuts it: quotes and backslashes hold a word together, a backslash at the end of a line joins
 * it with the next. Nothing is expanded, and no other character means anything.
 * @throws {Error} where a quote does not end.
 */
export function words(text) {
  const found = [];
  let word;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === quote) quote = '';
    else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && quote !== "'") {
      const next = text[at + 1];
      // It means itself at the end of all, and inside of double quotes, unless it is before one of these.
      const isItself = next === undefined || (quote === '"' && !'"\\$`\n'.includes(next));
      const meant = isItself ? char : next === '\n' ? '' : next;
      if (meant !== '') word = (word ?? '') + meant;
      if (!isItself) at += 1;
    } else if (quote === '' && BLANK.test(char)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw new Error(`a ${quote} in args is not followed by another`);
  if (word !== undefined) found.push(word);
  return found;
}
