import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeHtmlInJson, indentJson } from '../../../../src/oci/json/json-text.js';

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
