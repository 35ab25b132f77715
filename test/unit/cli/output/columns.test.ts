import { describe, expect, test } from 'vitest';
import { columnsOf, cut, padEnd, wrap } from '../../../../src/cli/output/columns.js';
import { formatSize } from '../../../../src/text.js';

describe('text in columns', () => {
  test.each([
    ['abc', 3],
    ['', 0],
    ['é…', 3],
    ['漢字', 4],
    ['😀', 2],
  ])('%j takes %i at most', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['漢字漢字', 6, '漢字…'],
    ['a😀b', 3, 'a…'],
  ])('%j in %i is %j', (text, columns, kept) => {
    expect(cut(text, columns)).toBe(kept);
  });

  test.each([
    ['', 5, ['']],
    ['abc', 5, ['abc']],
    ['ab cd ef', 5, ['ab cd', 'ef']],
    ['abcdefgh ij', 5, ['abcde', 'fgh', 'ij']],
    ['ab cdefghij', 5, ['ab', 'cdefg', 'hij']],
    ['漢字漢', 5, ['漢字', '漢']],
    ['漢', 1, ['漢']],
  ])('%j in lines of %i is %j', (text, columns, lines) => {
    expect(wrap(text, columns)).toEqual(lines);
  });

  test('is filled up, and never cut by that', () => {
    expect([padEnd('漢', 4), padEnd('abc', 2)]).toEqual(['漢  ', 'abc']);
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [1234, '1.23 kB'],
  [9994, '9.99 kB'],
  [9996, '10.0 kB'],
  [99_949, '99.9 kB'],
  [99_951, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [29_700_000, '29.7 MB'],
  [1_234_567_890_123, '1.23 TB'],
  [Number.MAX_SAFE_INTEGER, '9.01 PB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});
