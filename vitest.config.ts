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
    // Far above what a test takes on two busy cores: it ends a test that hangs.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['default', 'json'],
    outputFile: { json: '.cache/test-report.json' },
    // With `--coverage`, as `make test` runs it: what runs in the processes of the tests, and not the built command line.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.d.ts'],
      reporter: [['text', { skipFull: true }], 'json'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
    },
  },
});
