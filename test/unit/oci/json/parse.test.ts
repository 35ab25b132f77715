import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isJsonObject,
  JsonNumber,
  parseJson,
  type JsonValue,
} from '../../../../src/oci/json/parse.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

function toJs(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (isJsonObject(value)) {
    return Object.fromEntries([...value].map(([key, member]) => [key, toJs(member)]));
  }
  return Array.isArray(value) ? (value as JsonValue[]).map(toJs) : value;
}

/** The outcome of a reader as text, so that two readers can be compared. */
function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read());
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return 'refused';
  }
}

function agrees(text: string): void {
  expect(outcome(() => toJs(parseJson(text)))).toBe(outcome(() => JSON.parse(text) as unknown));
}

const VALID = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1.5e+10',
  '1E400',
  '12.0',
  '""',
  '"a"',
  String.raw`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`,
  String.raw`"\ud800"`,
  '"\u007f\u2028\u2029é🚀"',
  '[]',
  '[ ]',
  '{}',
  '{ }',
  ' \t\n\r[1 , 2\t]\r\n',
  '{"a":{"b":[{"c":null}]}}',
  '{"":0}',
  '{"a":1,"a":2}',
  '{"2":0,"1":0}',
  '{"__proto__":{"x":1},"constructor":1}',
];

const INVALID = [
  '',
  ' ',
  'nul',
  'nulll',
  'True',
  'NaN',
  'Infinity',
  'undefined',
  '01',
  '-',
  '+1',
  '.5',
  '5.',
  '1e',
  '1e+',
  '0x10',
  '1_0',
  '-01',
  '"',
  '"a',
  "'a'",
  '"\n"',
  '"\t"',
  '"\u0000"',
  String.raw`"\x41"`,
  String.raw`"\u12"`,
  String.raw`"\u12g4"`,
  String.raw`"\'"`,
  '"\\',
  '[',
  ']',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1}',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  '{1:1}',
  '{"a" 1}',
  '{"a":1 "b":2}',
  '{"a":1]',
  '1 2',
  '{} {}',
  '[]]',
  '\uFEFF{}',
  '\u00A01',
  '\v1',
  '/* c */ 1',
  '1 // c',
];

describe('parseJson', () => {
  test.each(VALID)('reads %j', (text) => {
    expect(() => parseJson(text)).not.toThrow();
    agrees(text);
  });

  test.each(INVALID)('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
    agrees(text);
  });

  test('agrees with JSON.parse on JSON', () => {
    fc.assert(fc.property(fc.json({ stringUnit: CHAR }), agrees), { numRuns: 300 });
  });

  test('agrees with JSON.parse on text that is almost JSON', () => {
    const pieces = '{ } [ ] : , " "a" "" 0 1 - . e5 E+ true null \\n \\u00e9'.split(' ');
    const piece = fc.constantFrom(...pieces, ' ', '\n', '\u0001', '\uFEFF', '\uD800');
    const text = fc.array(piece, { maxLength: 12 }).map((list) => list.join(''));
    fc.assert(fc.property(text, agrees), { numRuns: 300 });
  });

  test('agrees with JSON.parse on JSON with one character changed', () => {
    const changed = fc
      .tuple(fc.json(), fc.nat(), fc.string({ maxLength: 1, unit: CHAR }))
      .map(([text, at, char]) => {
        const index = at % (text.length + 1);
        return text.slice(0, index) + char + text.slice(index + 1);
      });
    fc.assert(fc.property(changed, agrees), { numRuns: 300 });
  });

  test('agrees with JSON.parse on any text', () => {
    fc.assert(fc.property(fc.string({ unit: CHAR }), agrees), { numRuns: 300 });
  });

  test.each(['9007199254740993', '1e2', '-0', '1.0', '123456789012345678901234567890'])(
    'keeps the text of the number %s',
    (text) => {
      expect(parseJson(text)).toEqual(new JsonNumber(text));
    },
  );

  test('keeps members in their order, the last of two with one name, and names of every object', () => {
    const value = parseJson('{"2":0,"1":0,"__proto__":0,"a":1,"2":3}') as Map<string, JsonValue>;
    expect([...value.keys()]).toEqual(['2', '1', '__proto__', 'a']);
    expect(value.get('2')).toEqual(new JsonNumber('3'));
  });

  test('refuses what is nested deeper than 100, whatever the depth', () => {
    const nested = (depth: number, open = '[', close = ']'): string =>
      open.repeat(depth) + close.repeat(depth);
    expect(() => parseJson(nested(100))).not.toThrow();
    expect(() => parseJson(nested(102))).toThrow(/nested deeper than 100/);
    expect(() => parseJson(nested(1_000_000))).toThrow(/nested deeper than 100/);
    expect(() => parseJson('{"a":'.repeat(1_000_000))).toThrow(/nested deeper than 100/);
  });

  // A document may have 4 MiB, and nothing forbids that one string has them all.
  test.each([
    ['of letters', 'a'],
    ['of escapes', '\\n'],
  ])('reads a string of 4 MiB %s', (_what, unit) => {
    const text = JSON.stringify('').replace('""', `"${unit.repeat((4 << 20) / unit.length - 2)}"`);
    expect(parseJson(text)).toHaveLength((4 << 20) / unit.length - 2);
  });

  test('says where the error is', () => {
    expect(() => parseJson('{"a":x}')).toThrow('unexpected "x" at character 6');
    expect(() => parseJson('[1')).toThrow('"]" was expected at character 3');
    expect(() => parseJson('1 1')).toThrow('text after the end of the document at character 3');
  });
});

describe('JsonNumber.toSize', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is a size', (text, size) => {
    expect(new JsonNumber(text).toSize()).toBe(size);
  });

  test.each(['-1', '-0', '1.5', '1.0', '1e3', '9007199254740992', '9007199254740993', '1e400'])(
    '%s is none',
    (text) => {
      expect(new JsonNumber(text).toSize()).toBeUndefined();
    },
  );
});
