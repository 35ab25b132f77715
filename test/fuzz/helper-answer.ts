import type { HelperOutcome } from '../../src/credentials/helper-process.js';

/** What the next run of a credential helper comes to, in place of a process: fuzz.test.ts puts it there. */
export const helperAnswer: { next: HelperOutcome } = { next: { kind: 'failed', why: 'not set' } };
