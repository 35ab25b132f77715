import { describe, expect, test } from 'vitest';
import { annotationsFrom } from '../../../../src/cli/options/publishing.js';
import { targetsFrom } from '../../../../src/cli/options/targets.js';
import { parseReference } from '../../../../src/oci/reference.js';

const USAGE = expect.objectContaining({ code: 'USAGE' }) as Error;

describe('--tags', () => {
  const targets = [parseReference('e.co/app:1')];

  test('are tags of the target', () => {
    const { tags } = targetsFrom({ targets, specTags: ['x'], tags: ['a', '1.10'], tag: ['b'] });
    expect(tags).toEqual(['x', 'a', '1.10', 'b']);
  });

  test.each(['-a', 'a b', 'a:b', 'x'.repeat(129)])('%j is an error', (tag) => {
    expect(() => targetsFrom({ targets, tags: ['a', tag], tag: [] })).toThrow(USAGE);
  });
});

describe('--annotations', () => {
  test.each<[string[], [string, string][]]>([
    [[], []],
    [['a=b'], [['a', 'b']]],
    [
      ['a=b', 'c=d', 'e=f'],
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ],
    ],
    [['a=b=c=d'], [['a', 'b=c=d']]],
    [['a='], [['a', '']]],
    [['a=1', 'a=2'], [['a', '2']]],
    [['c= d'], [['c', ' d']]],
    [['__proto__=x'], [['__proto__', 'x']]],
    [
      ['t=a <b> & c', 'Aa=é🚀'],
      [
        ['t', 'a <b> & c'],
        ['Aa', 'é🚀'],
      ],
    ],
  ])('%j are %j', (items, annotations) => {
    expect([...annotationsFrom(items)]).toEqual(annotations);
  });

  test.each(['a', '=b'])('%j is an error', (item) => {
    expect(() => annotationsFrom(['a=b', item])).toThrow(USAGE);
  });
});
