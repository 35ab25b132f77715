import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startRegistry } from '../../support/registry.js';
import { seedParityImages } from '../../support/seed.js';
import { casesOf, FAULT_NAMES, findBaseline, KINDS, runCases } from './matrix.js';

const RESULTS = fileURLToPath(new URL('../../../.cache/faults.json', import.meta.url));

// Only in `make faults`, which prints the table of the results.
it('has all faults at all requests of a push', { timeout: 600_000 }, async () => {
  const registry = await startRegistry();
  try {
    await seedParityImages(registry.host);
    const baseline = await findBaseline(registry.host);
    const cases = casesOf(baseline.requests);
    const results = await runCases(registry.host, baseline, cases);
    await mkdir(path.dirname(RESULTS), { recursive: true });
    await writeFile(RESULTS, JSON.stringify({ kinds: KINDS, faults: FAULT_NAMES, results }));
    expect(results).toHaveLength(cases.length);
  } finally {
    // So many files that the registry would not be gone in time.
    await rm(registry.dataFolder, { recursive: true, force: true });
    await registry.stop();
  }
});
