import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  goMarshalIndent,
  Members,
  sortedByBytes,
  type Writable,
} from '../../../../src/oci/json/go-marshal.js';
import { JsonNumber, parseJson } from '../../../../src/oci/json/parse.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

describe('goMarshalIndent', () => {
  test.each<[string, Writable, string]>([
    ['null', null, 'null'],
    ['a boolean', true, 'true'],
    ['a number', 683, '683'],
    ['the text of a number', new JsonNumber('1e2'), '1e2'],
    ['an empty object', new Members([]), '{}'],
    ['an object of which nothing is left', new Members([['a', undefined]]), '{}'],
    ['an empty list', [], '[]'],
    ['HTML', '<a href="x">&amp;', String.raw`"\u003ca href=\"x\"\u003e\u0026amp;"`],
    ['line separators', '\u2028\u2029', String.raw`"\u2028\u2029"`],
    ['escapes with a letter', '\b\f\n\r\t"\\', String.raw`"\b\f\n\r\t\"\\"`],
    ['other control characters', '\u0000\u001b\u001f', String.raw`"\u0000\u001b\u001f"`],
    ['what Go leaves', "/\u007f\u0080é🚀'", '"/\u007f\u0080é🚀\'"'],
    ['half of a pair', 'a\ud800b\udc00', '"a\ufffdb\ufffd"'],
    ['a key', new Members([['<k>', 1]]), '{\n  "\\u003ck\\u003e": 1\n}'],
  ])('writes %s', (_what, value, text) => {
    expect(goMarshalIndent(value, '  ')).toBe(text);
  });

  test('indents each level, with no newline at the end', () => {
    const value = new Members([
      ['a', [1, [], [new Members([['b', null]])]]],
      ['skipped', undefined],
      ['c', new Map([['d', 'e']])],
    ]);
    const two = `{
  "a": [
    1,
    [],
    [
      {
        "b": null
      }
    ]
  ],
  "c": {
    "d": "e"
  }
}`;
    expect(goMarshalIndent(value, '  ')).toBe(two);
    expect(goMarshalIndent(value, '    ')).toBe(two.replaceAll('  ', '    '));
  });

  test('keeps the order and the names of members', () => {
    const value = parseJson('{"10":1,"9":2,"__proto__":{"x":3},"a":4}') as Writable;
    expect(goMarshalIndent(value, '')).toBe(
      '{\n"10": 1,\n"9": 2,\n"__proto__": {\n"x": 3\n},\n"a": 4\n}',
    );
  });

  test('what is written says what it said', () => {
    const writes = fc.property(fc.json({ stringUnit: CHAR }), (text) => {
      const written = goMarshalIndent(parseJson(text), '  ');
      expect(JSON.parse(written)).toEqual(JSON.parse(text));
      expect(written).not.toMatch(/[<>&\u2028\u2029]/);
      expect(goMarshalIndent(parseJson(written) as Writable, '  ')).toBe(written);
    });
    fc.assert(writes, { numRuns: 200 });
  });
});

describe('sortedByBytes', () => {
  test.each([
    [
      ['b', 'a', 'B', 'A', ''],
      ['', 'A', 'B', 'a', 'b'],
    ],
    [
      ['10', '9', '1', 'a', '-'],
      ['-', '1', '10', '9', 'a'],
    ],
    [
      ['zz', 'z', 'a.b', 'a-b', 'a/b', 'a'],
      ['a', 'a-b', 'a.b', 'a/b', 'z', 'zz'],
    ],
    [
      ['__proto__', 'Zed', 'constructor'],
      ['Zed', '__proto__', 'constructor'],
    ],
    // UTF-16 would put the rocket, a surrogate pair, before U+FF01.
    [
      ['🚀', '\uff01', 'é', 'z'],
      ['z', 'é', '\uff01', '🚀'],
    ],
  ])('%j', (keys, sorted) => {
    const result = sortedByBytes(new Map(keys.map((key) => [key, key])));
    expect([...result.keys()]).toEqual(sorted);
    expect([...result.values()]).toEqual(sorted);
  });

  test('is the order of the bytes, and of nothing else', () => {
    const sorts = fc.property(fc.uniqueArray(fc.string({ unit: CHAR })), (keys) => {
      const sorted = [...sortedByBytes(new Map(keys.map((key) => [key, 0]))).keys()];
      const hex = sorted.map((key) => Buffer.from(key).toString('hex'));
      expect(hex).toEqual(hex.toSorted());
      expect(new Set(sorted)).toEqual(new Set(keys));
    });
    fc.assert(sorts, { numRuns: 300 });
  });
});
