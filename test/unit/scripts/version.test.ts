import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../../src/version.js';

interface Package {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);
const read = (path: string): Package => JSON.parse(readFileSync(path, 'utf8')) as Package;
const own = read('package.json');
const types = readFileSync('src/types/undici-deep.d.ts', 'utf8');
const deepPaths = [...types.matchAll(/^declare module '(undici\/[^']+)'/gm)].map(
  ([, path]) => path!,
);

test('the version is that of the package', () => {
  expect(VERSION).toBe(own.version);
});

describe('undici', () => {
  test('is pinned, because its deep paths are private', () => {
    expect(own.dependencies['undici']).toMatch(/^\d+\.\d+\.\d+$/);
    expect(read(require.resolve('undici/package.json')).version).toBe(own.dependencies['undici']);
    expect(deepPaths.length).toBeGreaterThan(3);
  });

  test.each(deepPaths)('has %s, a function or an object of classes', (path) => {
    expect(require.resolve(path)).toContain('undici');
    expect(['function', 'object']).toContain(typeof require(path));
  });
});
