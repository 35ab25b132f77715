import { defineConfig } from 'vitest/config';

/** Tests of shell scripts: as credential helpers, and those of this repository. */
const NOT_ON_WINDOWS = ['test/unit/credentials/{helper,store}.test.ts', 'test/unit/scripts/**'];

export default defineConfig({
  // Not its warnings of packages that come without the sources of their source maps.
  logLevel: 'error',
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      // `make faults`
      ...(process.env['MANIFEST_TOOL_FAULTS'] === 'full'
        ? []
        : ['test/adversarial/faults/full.test.ts']),
      ...(process.platform === 'win32' ? NOT_ON_WINDOWS : []),
    ],
    // It imports JSON in a way that Node itself does not accept.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
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
