import { writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { PARSERS } from './parsers.js';

// In place of processes, of which there would be too many.
vi.mock('../../src/credentials/helper-process.js', async () => {
  const { helperAnswer } = await import('./helper-answer.js');
  return {
    findExecutable: (name: string) => Promise.resolve(`/usr/bin/${name}`),
    runHelper: () => Promise.resolve(helperAnswer.next),
  };
});

// `make fuzz` sets these (scripts/test/fuzz.mjs); without them, the inputs are the same in every run.
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const report = process.env['FUZZ_REPORT'];

test.each(PARSERS.map(({ name, run }) => [name, run] as const))(
  '%s',
  async (_name, run) => {
    const outcome = await run({ seed, numRuns });
    if (report !== undefined) writeFileSync(report, JSON.stringify(outcome));
    expect(outcome.failure).toBeUndefined();
  },
  600_000,
);
