import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/package.js';
import { startRegistry, type Registry } from '../support/registry.js';

const CALLS = 1000;

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(() => registry.stop());

test('a thousand calls of one client, most of them aborted, leave nothing behind', async () => {
  const seed = String(Date.now() % 2 ** 31);
  const library = path.resolve('dist/lib/index.js');
  const args = [library, registry.host, path.resolve('fixtures/layout'), String(CALLS), seed];
  const { stdout, stderr } = await run(process.execPath, ['test/support/abort-storm.mjs', ...args]);
  const { outcomes, ...result } = JSON.parse(stdout) as {
    readonly outcomes: Record<string, number>;
  };
  expect({ seed, stderr, ...result }).toEqual({
    seed,
    stderr: '',
    wrong: [],
    unhandled: [],
    warnings: [],
    after: 'passed',
    left: [],
  });
  expect(Object.keys(outcomes).toSorted()).toEqual(['INTERRUPTED', 'done']);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count)).toBe(CALLS);
}, 120_000);
