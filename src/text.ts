/**
 * Characters that act on a terminal or on the characters around them instead of being shown:
 * control and format characters (bidirectional ones, zero-width ones, tags), line and paragraph
 * separators, lone surrogates (Unicode general categories Cc, Cf, Zl, Zp and Cs).
 */
const ACTING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Text as it may be shown in one line of a terminal: each character that would act is written as
 * JSON writes it (`\u001b`), so that escaped JSON has the same value. Escaping twice is escaping
 * once.
 */
export function escapeText(text: string): string {
  return text.replaceAll(ACTING, (char) => {
    // By UTF-16 code unit: a format character beyond U+FFFF is two of them.
    const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

/**
 * The known word nearest to a mistyped one, if one is near enough: one edit for each three
 * characters, so that one or two letters are near nothing.
 */
function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.floor(word.length / 3) + 1;
  for (const each of known) {
    // The distance is at least the difference in length, so an endless word is not compared.
    if (Math.abs(word.length - each.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** ` (did you mean X?)`, or the empty string. */
export function suggestion(word: string, known: Iterable<string>, prefix = ''): string {
  const near = nearest(word, known);
  return near === undefined ? '' : ` (did you mean ${prefix}${near}?)`;
}

/** Optimal string alignment distance: characters to add, drop, change or swap with the next. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change, swap));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A number of bytes in powers of 1000 with three digits, as docker and registries show it. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** The first `max` items, separated by commas; the rest are counted: `a, b and 3 more`. */
export function listSome(items: readonly string[], max: number): string {
  const rest = items.length - max;
  return items.slice(0, max).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** A count with its noun: `1 image`, `2 images`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
