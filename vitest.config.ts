import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `make faults`
    exclude:
      process.env['MANIFEST_TOOL_FAULTS'] === 'full'
        ? []
        : ['test/adversarial/faults/full.test.ts'],
    // Each file in a process of its own: what it starts ends with it.
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['default', 'json'],
    outputFile: { json: '.cache/test-report.json' },
  },
});
