/**
 * One way to authenticate that a server offers (RFC 9110, 11.6.1); the scheme and the names of
 * parameters are in lower case.
 */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
const UNQUOTED = /[^\s,"]*/y;

/**
 * Parses the values of WWW-Authenticate. One value may contain several challenges, and a comma
 * separates challenges as well as parameters, so a name is a parameter only if "=" follows it.
 * Parsing of a value stops at the first syntax error.
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap(parseValue);
}

function parseValue(text: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    take(SEPARATORS);
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    take(SPACE);
    take(TOKEN68);
    for (;;) {
      const before = at;
      take(SEPARATORS);
      const name = take(TOKEN)?.[0];
      take(SPACE);
      if (name === undefined || text[at] !== '=') {
        at = before;
        break;
      }
      at += 1;
      take(SPACE);
      const quoted = take(QUOTED);
      const value = quoted ? quoted[1]!.replaceAll(/\\(.)/g, '$1') : take(UNQUOTED)![0];
      const key = name.toLowerCase();
      if (!parameters.has(key)) parameters.set(key, value);
      if (!quoted && text[at] === '"') return challenges;
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(SEPARATORS);
    if (at < text.length && !/[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(text[at]!)) break;
  }
  return challenges;
}
