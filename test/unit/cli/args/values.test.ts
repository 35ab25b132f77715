import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Arguments } from '../../../../src/cli/args/commands.js';
import { defined, readOptions, type Options } from '../../../../src/cli/args/values.js';

const USAGE = expect.objectContaining({ code: 'USAGE' }) as Error;

/** The value of one option that is given with these values. */
function read(name: keyof Samples, ...values: string[]): unknown {
  return Object.values(readOptions([name], new Map([[name, values]])))[0];
}
interface Samples {
  type: string;
  attestations: string;
  tags: string;
  annotation: string;
  'plain-http': string;
  retry: string;
  concurrency: string;
  wait: string;
  'dry-run': string;
}

describe('the values of options', () => {
  test('have a value of their kind if the option is not given', () => {
    const values = readOptions(
      ['dry-run', 'tags', 'tag', 'type', 'expect', 'retry', 'wait', 'plain-http'],
      new Map(),
    );
    expect(values).toEqual({
      dryRun: false,
      tags: [],
      tag: [],
      type: undefined,
      expect: undefined,
      retry: undefined,
      wait: undefined,
      plainHttp: [],
    });
  });

  test.each<[keyof Samples, string[], unknown]>([
    ['dry-run', [], true],
    ['type', ['oci'], 'oci'],
    ['tags', ['a'], ['a']],
    ['tags', ['a,b', 'c'], ['a', 'b', 'c']],
    ['tags', [' a , 1.10 '], ['a', '1.10']],
    ['annotation', ['a=b,c', ' d '], ['a=b,c', ' d ']],
    ['plain-http', ['h:1', 'i'], ['h:1', 'i']],
    ['plain-http', ['h:1', 'true'], true],
    ['retry', ['0'], 0],
    ['concurrency', ['999'], 999],
    ['wait', ['1m30s'], 90_000],
  ])('--%s %j is %j', (name, values, value) => {
    expect(read(name, ...values)).toEqual(value);
  });

  test.each<[keyof Samples, string, RegExp]>([
    ['type', 'OCI', /--type must be docker, oci or auto, not "OCI" \(did you mean oci\?\)/],
    ['type', 'dokcer', /did you mean docker/],
    ['type', '', /auto, not ""$/],
    [
      'type',
      'application/vnd.oci.image.index.v1+json',
      /auto, not "application\/vnd.oci.image.index.v1\+json"$/,
    ],
    ['attestations', 'all', /must be keep or drop, not "all"$/],
    ['tags', '', /--tags has an empty item/],
    ['tags', 'a,', /--tags has an empty item/],
    ['tags', 'a,,b', /--tags has an empty item/],
    ['plain-http', '', /--plain-http= has no host/],
    ['retry', '-1', /not a number from 0 to 999/],
    ['retry', '1e3', /not a number from 0 to 999/],
    ['retry', '1000', /not a number from 0 to 999/],
    ['concurrency', '0', /not a number from 1 to 999/],
    ['wait', 'soon', /"soon" is not a duration/],
    ['wait', '0s', /"0s" is not a duration/],
  ])('--%s %j is an error', (name, value, message) => {
    expect(() => read(name, value)).toThrow(message);
    expect(() => read(name, value)).toThrow(USAGE);
  });

  test('have types that come from the definitions', () => {
    expectTypeOf<Options<'type' | 'dry-run' | 'platforms' | 'wait'>>().toEqualTypeOf<{
      readonly type: 'docker' | 'oci' | 'auto' | undefined;
      readonly dryRun: boolean;
      readonly platforms: readonly string[];
      readonly wait: number | undefined;
    }>();
    expectTypeOf<Arguments<'push from-args'>['target']>().toEqualTypeOf<string>();
    expectTypeOf<Arguments<'create'>['target']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Arguments<'copy'>>().pick<'source' | 'targets' | 'expect'>().toEqualTypeOf<{
      readonly source: string;
      readonly targets: readonly [string, ...string[]];
      readonly expect: string | undefined;
    }>();
    expectTypeOf<Arguments<'inspect'>>().not.toHaveProperty('target');
  });
});

test('defined leaves out what is undefined, and nothing else', () => {
  expect(Object.entries(defined({ a: undefined, b: null, c: 0, d: '' }))).toEqual([
    ['b', null],
    ['c', 0],
    ['d', ''],
  ]);
});
