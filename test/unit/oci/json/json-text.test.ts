import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Members } from '../../../../src/oci/json/go-marshal.js';
import {
  escapeHtmlInJson,
  harmlessJson,
  indentJson,
  printableJson,
} from '../../../../src/oci/json/json-text.js';
import { JsonNumber } from '../../../../src/oci/json/parse.js';

const ACTING =
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;

describe('indentJson', () => {
  test.each([
    ['{}', '{}'],
    [' { \n } ', '{}'],
    ['[ ]', '[]'],
    ['[[],{}]', '[\n\t[],\n\t{}\n]'],
    ['{"a":1,"a":2}', '{\n\t"a": 1,\n\t"a": 2\n}'],
    ['[1.50e+3,-0,true , null]', '[\n\t1.50e+3,\n\t-0,\n\ttrue,\n\tnull\n]'],
    [String.raw`{"\u003c\/":"a\"b,{}[]: "}`, String.raw`{#"\u003c\/": "a\"b,{}[]: "#}`],
    ['"x"', '"x"'],
    ['7', '7'],
  ])('writes %j in lines', (text, lines) => {
    expect(indentJson(text, '\t')).toBe(lines.replace('{#', '{\n\t').replace('#}', '\n}'));
  });

  test('is JSON.stringify of any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t \r\n'), (value, space) => {
        expect(indentJson(JSON.stringify(value, undefined, space), '  ')).toBe(
          JSON.stringify(value, undefined, 2),
        );
      }),
    );
  });
});

test('escapeHtmlInJson escapes what Go escapes', () => {
  expect(escapeHtmlInJson('{"<a>&\u2028\u2029é":"\u007f"}')).toBe(
    '{"\\u003ca\\u003e\\u0026\\u2028\\u2029é":"\u007f"}',
  );
});

describe('what is printed for a terminal', () => {
  test('has the same value, and nothing in it that acts', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\u001b', '\u009b', '\u202e', '\u2028', '\r', '\n', '\t'),
        fc.string(),
      ),
    });
    fc.assert(
      fc.property(fc.dictionary(text, text), (value) => {
        const json = JSON.stringify(value, undefined, '\t').replaceAll('\n', '\r\n');
        for (const shown of [harmlessJson(json), printableJson(new Map(Object.entries(value)))]) {
          expect(shown).not.toMatch(ACTING);
          expect(JSON.parse(shown)).toEqual(value);
        }
      }),
    );
  });

  test('keeps the order of members, the text of numbers, and halves of surrogate pairs', () => {
    const members = new Members([
      ['b', new JsonNumber('1.50e+3')],
      ['gone', undefined],
      ['a', ['\ud800<&>']],
    ]);
    expect(printableJson(members)).toBe('{\n  "b": 1.50e+3,\n  "a": [\n    "\\ud800<&>"\n  ]\n}\n');
  });
});
