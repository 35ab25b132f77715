import { describe, expect, test } from 'vitest';
import type { Parsed } from '../../../../src/cli/command.js';
import { annotationMap, listType, tagList } from '../../../../src/cli/options/publishing.js';
import type { OptionName } from '../../../../src/cli/args/options.js';

function given(name: OptionName, ...values: string[]): Parsed {
  const list: [OptionName, string[]][] = values.length === 0 ? [] : [[name, values]];
  return { positionals: [], switches: new Set(), values: new Map(list) };
}

const USAGE = expect.objectContaining({ code: 'USAGE' }) as Error;

describe('--type', () => {
  test('is that of the command where nothing is given', () => {
    expect(listType(given('type'), 'docker')).toBe('docker');
    expect(listType(given('type', 'docker'), 'docker')).toBe('docker');
    expect(listType(given('type', 'oci'), 'docker')).toBe('oci');
  });

  test.each([
    ['OCI', /none of docker, oci and auto \(did you mean oci\?\)/],
    ['dokcer', /did you mean docker/],
    ['', /"" is none/],
    ['application/vnd.oci.image.index.v1+json', /is none of docker, oci and auto$/],
  ])('%j is an error', (type, message) => {
    expect(() => listType(given('type', type), 'docker')).toThrow(message);
    expect(() => listType(given('type', type), 'docker')).toThrow(USAGE);
  });
});

describe('--tags', () => {
  test.each<[string[], string[]]>([
    [[], []],
    [['a'], ['a']],
    [
      ['a,b', 'c'],
      ['a', 'b', 'c'],
    ],
    [[' a , 1.10 '], ['a', '1.10']],
  ])('%j are %j', (values, tags) => {
    expect(tagList(given('tags', ...values))).toEqual(tags);
  });

  test.each([[['']], [['a,']], [['a,,b']], [['-a']], [['a b']], [['a:b']], [['x'.repeat(129)]]])(
    '%j are an error',
    (values) => {
      expect(() => tagList(given('tags', ...values))).toThrow(USAGE);
    },
  );
});

describe('--annotations', () => {
  test.each<[string[], [string, string][]]>([
    [[], []],
    [['a=b'], [['a', 'b']]],
    [
      ['a=b,c=d', 'e=f'],
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ],
    ],
    [['a=b=c=d'], [['a', 'b=c=d']]],
    [['a='], [['a', '']]],
    [['a=1', 'a=2'], [['a', '2']]],
    [
      [' a=b , c= d '],
      [
        ['a', 'b'],
        ['c', ' d'],
      ],
    ],
    [['__proto__=x'], [['__proto__', 'x']]],
    [
      ['t=a <b> & c,Aa=é🚀'],
      [
        ['t', 'a <b> & c'],
        ['Aa', 'é🚀'],
      ],
    ],
  ])('%j are %j', (values, annotations) => {
    expect([...annotationMap(given('annotations', ...values))]).toEqual(annotations);
  });

  test.each(['', 'a', '=b', 'a=b,', 'a=b,c', ','])('%j is an error', (value) => {
    expect(() => annotationMap(given('annotations', value))).toThrow(USAGE);
  });
});
