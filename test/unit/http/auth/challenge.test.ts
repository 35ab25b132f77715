import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../../src/http/auth/challenge.js';
import { cpuTimeOf } from '../../../support/cpu-time.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

/** The challenges of a header as plain data: `[scheme, { parameter: value }]`. */
function read(...values: string[]): [string, Record<string, string>][] {
  return parseChallenges(values).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

const BASIC = (realm: string): [string, Record<string, string>] => ['basic', { realm }];

describe('parseChallenges', () => {
  test.each<[string, string[], [string, Record<string, string>][]]>([
    ['nothing', [], []],
    ['an empty value', [''], []],
    ['separators alone', [' , ,\t'], []],
    ['a scheme alone', ['Negotiate'], [['negotiate', {}]]],
    ['one parameter', ['Basic realm="x"'], [BASIC('x')]],
    [
      'several parameters',
      ['Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"'],
      [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push' }]],
    ],
    [
      'blanks around commas and equal signs',
      ['Bearer  realm = "r" , service\t=\t"s"  ,scope="x"'],
      [['bearer', { realm: 'r', service: 's', scope: 'x' }]],
    ],
    [
      'two challenges in one value, the first with a comma in its realm',
      ['BASIC realm="a, b", Bearer realm="https://r/t",service="s",scope="repository:x:pull,push"'],
      [
        BASIC('a, b'),
        ['bearer', { realm: 'https://r/t', service: 's', scope: 'repository:x:pull,push' }],
      ],
    ],
    [
      'two values',
      ['Basic realm="a"', 'Bearer realm="b"'],
      [BASIC('a'), ['bearer', { realm: 'b' }]],
    ],
    [
      'a scheme alone before another',
      ['Negotiate, Basic realm="x"'],
      [['negotiate', {}], BASIC('x')],
    ],
    [
      'two schemes alone',
      ['Negotiate, NTLM'],
      [
        ['negotiate', {}],
        ['ntlm', {}],
      ],
    ],
    [
      'a token before another challenge',
      ['Negotiate YIIJ/+w==, Basic realm="x"'],
      [['negotiate', {}], BASIC('x')],
    ],
    [
      'a challenge without comma before the next',
      ['Negotiate Basic realm="x"'],
      [['negotiate', {}], BASIC('x')],
    ],
    ['upper case everywhere', ['BASIC REALM="Sonatype"'], [BASIC('Sonatype')]],
    ['values keep their case', ['basic realm="SoNa"'], [BASIC('SoNa')]],
    [
      'backslash escapes',
      [String.raw`Basic realm="a\"b\\c\d"`],
      [BASIC('a"bcd'.replace('bc', 'b\\c'))],
    ],
    ['an empty text', ['Basic realm=""'], [BASIC('')]],
    [
      'values without quotes',
      ['Bearer realm=https://a/t?x=1,service=s'],
      [['bearer', { realm: 'https://a/t?x=1', service: 's' }]],
    ],
    [
      'a scope of anything',
      ['Bearer realm="r",scope="*"'],
      [['bearer', { realm: 'r', scope: '*' }]],
    ],
    [
      'an error beside',
      ['Bearer realm="r",error="insufficient_scope"'],
      [['bearer', { realm: 'r', error: 'insufficient_scope' }]],
    ],
    [
      'a scope with blanks',
      ['Bearer realm="r",scope="a b"'],
      [['bearer', { realm: 'r', scope: 'a b' }]],
    ],
    ['the first of two values of one name', ['Basic realm="a", realm="b"'], [BASIC('a')]],
    [
      'commas to no purpose',
      [',, Basic ,realm="x",, ,Bearer realm="y",'],
      [BASIC('x'), ['bearer', { realm: 'y' }]],
    ],
    [
      'names of every object',
      ['Basic constructor="x", realm="y"'],
      [['basic', { constructor: 'x', realm: 'y' }]],
    ],
    ['no challenge that breaks off in a text', ['Basic realm="a", Bearer realm="b'], [BASIC('a')]],
    ['nothing after what cannot be read', ['Basic realm="a", "x", Bearer realm="b"'], [BASIC('a')]],
    ['what another value has', ['"', 'Basic realm="a"'], [BASIC('a')]],
    ['no parameter of what is no scheme', ['=x, Basic realm="a"'], []],
  ])('reads %s', (_what, values, expected) => {
    expect(read(...values)).toEqual(expected);
  });

  test('reads back what is written, however it is joined', () => {
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/);
    const text = fc.string({ unit: 'grapheme-ascii' });
    const challenge = fc.record({
      scheme: token,
      parameters: fc.uniqueArray(fc.tuple(token, text), {
        minLength: 1,
        maxLength: 4,
        selector: ([name]) => name.toLowerCase(),
      }),
    });
    const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
    const same = fc.property(
      fc.array(challenge, { maxLength: 4 }),
      fc.constantFrom(',', ', ', ' ,\t'),
      (challenges, comma) => {
        const values = challenges.map(
          ({ scheme, parameters }) =>
            `${scheme} ${parameters.map(([name, value]) => `${name}=${quote(value)}`).join(comma)}`,
        );
        const expected = challenges.map(({ scheme, parameters }) => [
          scheme.toLowerCase(),
          Object.fromEntries(parameters.map(([name, value]) => [name.toLowerCase(), value])),
        ]);
        expect(read(...values)).toEqual(expected);
        expect(read(values.join(comma))).toEqual(expected);
      },
    );
    fc.assert(same, { numRuns: 300 });
  });

  test('comes to an end with any text', () => {
    const piece = fc.constantFrom(...'Basic realm = " , \\ a\\" == / \t é'.split(' '), ' ');
    const any = fc.oneof(
      fc.string({ unit: CHAR }),
      fc.array(piece).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(any, (value) => {
        expect(read(value)).toBeInstanceOf(Array);
      }),
      { numRuns: 400 },
    );
  });

  test('is not slow on hostile text', async () => {
    const time = await cpuTimeOf(() => {
      for (const part of ['a=', ', ', '"\\', 'a ', 'a="b",', 'A/', '=']) read(part.repeat(30_000));
    });
    expect(time).toBeLessThan(5000);
  });
});
