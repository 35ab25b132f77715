import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { harmlessJson, jsonText } from '../../../../src/cli/output/json.js';
import { Members } from '../../../../src/oci/json/go-marshal.js';
import { JsonNumber } from '../../../../src/oci/json/parse.js';

const ACTING =
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;

describe('JSON for a terminal', () => {
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
        const members = new Members(Object.entries(value));
        for (const shown of [harmlessJson(json), jsonText(members), jsonText(value)]) {
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
    expect(jsonText(members)).toBe('{\n  "b": 1.50e+3,\n  "a": [\n    "\\ud800<&>"\n  ]\n}\n');
  });
});
