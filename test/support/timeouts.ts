import type { Timeouts } from '../../src/http/request.js';

/** Time limits of requests in unit tests: silence ends one after `silenceMs`. */
export function timeoutsOf(silenceMs: number): Timeouts {
  return {
    headersMs: silenceMs,
    idleMs: silenceMs,
    answerMs: 60_000,
    leastRate: { bytes: 1, perMs: 60_000 },
  };
}
