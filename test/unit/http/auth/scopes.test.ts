import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  coversScopes,
  formatScope,
  mergeScopes,
  parseScopes,
} from '../../../../src/http/auth/scopes.js';
import type { Scope } from '../../../../src/http/request.js';

const scope = (repository: string, ...actions: string[]): Scope => ({ repository, actions });

describe('mergeScopes', () => {
  test('makes one of each repository, in the order in which they came', () => {
    const merged = mergeScopes([
      scope('target', 'push'),
      scope('b', 'pull'),
      scope('target', 'pull', 'push'),
      scope('a', 'pull'),
      scope('b', 'pull'),
    ]);
    expect(merged.map(formatScope)).toEqual([
      'repository:target:pull,push',
      'repository:b:pull',
      'repository:a:pull',
    ]);
    expect(mergeScopes([])).toEqual([]);
  });
});

describe('parseScopes', () => {
  test.each<[string, Scope[]]>([
    ['', []],
    ['*', []],
    ['registry:catalog:*', []],
    ['repository:a/b:pull', [scope('a/b', 'pull')]],
    ['repository:a/b:pull,push', [scope('a/b', 'pull', 'push')]],
    ['repository:a:*', [scope('a', '*')]],
    ['repository:a:pull repository:b:pull,push', [scope('a', 'pull'), scope('b', 'pull', 'push')]],
    ['repository:host.io:5000/a/b:pull', [scope('host.io:5000/a/b', 'pull')]],
    ['repository(plugin):a/b:pull', [scope('a/b', 'pull')]],
    ['  repository:a:pull  x ', [scope('a', 'pull')]],
    ['repository:a', []],
    ['repository:a:', []],
    ['repository::pull', []],
    ['Repository:a:pull', []],
  ])('%j', (text, scopes) => {
    expect(parseScopes(text)).toEqual(scopes);
  });

  test('reads back what formatScope writes', () => {
    const some = fc.record({
      repository: fc.stringMatching(/^[a-z0-9]{1,5}(:[0-9]{1,4})?(\/[a-z0-9._-]{1,5}){0,2}$/),
      actions: fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*'), { minLength: 1 }),
    });
    const same = fc.property(fc.array(some), (scopes) => {
      expect(parseScopes(scopes.map(formatScope).join(' '))).toEqual(scopes);
      const merged = mergeScopes(scopes);
      expect(mergeScopes(merged)).toEqual(merged);
      expect(coversScopes(merged, scopes)).toBe(true);
    });
    fc.assert(same, { numRuns: 300 });
  });
});

describe('coversScopes', () => {
  const held = [scope('a', 'pull', 'push'), scope('b', 'pull')];
  test.each<[Scope[], boolean]>([
    [[], true],
    [[scope('a', 'push')], true],
    [[scope('a', 'pull'), scope('b', 'pull')], true],
    [[scope('b', 'push')], false],
    [[scope('c', 'pull')], false],
    [[scope('a', 'pull'), scope('c')], true],
  ])('%j: %s', (needed, covers) => {
    expect(coversScopes(held, needed)).toBe(covers);
  });
});
