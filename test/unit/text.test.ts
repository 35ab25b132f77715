import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeText, suggestion } from '../../src/text.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0x61c, 0xfeff, 0xff01, 0xe0041, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

describe('escapeText', () => {
  test.each([
    ['', ''],
    ['plain é 🚀 \u00a0', 'plain é 🚀 \u00a0'],
    ['\u001b]0;x\u0007', String.raw`\u001b]0;x\u0007`],
    ['\u009b31m', String.raw`\u009b31m`],
    ['a\nb\r\tc', String.raw`a\u000ab\u000d\u0009c`],
    ['\u0000\u007f', String.raw`\u0000\u007f`],
    ['\u202e\u202a\u2066\u2069\u200f', String.raw`\u202e\u202a\u2066\u2069\u200f`],
    ['\u2028\u2029', String.raw`\u2028\u2029`],
    ['\u061c\u200b\u200d\ufeff\u00ad', String.raw`\u061c\u200b\u200d\ufeff\u00ad`],
    ['a\u{e0041}b', String.raw`a\udb40\udc41b`],
    ['\ud800x\udc00', String.raw`\ud800x\udc00`],
    ['\ud800🚀\udc00', String.raw`\ud800🚀\udc00`],
  ])('%j is shown as %s', (text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  test('leaves nothing that acts, and is well formed', () => {
    const unit = fc.oneof(
      fc.constantFrom('\ud83d', '\ude00', '\u001b', '\u202e', 'a'),
      fc.string({ unit: CHAR }),
    );
    const safe = fc.property(fc.array(unit), (units) => {
      const shown = escapeText(units.join(''));
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      expect(JSON.parse(escapeText(JSON.stringify(units)))).toEqual(units);
      expect(shown.isWellFormed()).toBe(true);
      expect(escapeText(shown)).toBe(shown);
    });
    fc.assert(safe, { numRuns: 300 });
  });
});

describe('suggestion', () => {
  const words = ['target', 'template', 'tags', 'type'];
  test.each([
    ['target', 'target'],
    ['tagret', 'target'],
    ['TARGET', 'target'],
    ['tag', 'tags'],
    ['tpye', 'type'],
    ['templat', 'template'],
    ['wholly-other', undefined],
  ])('for %s is %s', (word, near) => {
    expect(suggestion(word, words, '--')).toBe(near ? ` (did you mean --${near}?)` : '');
  });

  test('from nothing is nothing', () => {
    expect(suggestion('a', [])).toBe('');
  });
});
