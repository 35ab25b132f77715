import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WaitPolicy } from '../../../src/core/wait.js';
import { ManifestToolError, type ErrorCode } from '../../../src/errors.js';

let elapsedMs: number;
let reported: string[];

beforeEach(() => {
  elapsedMs = 0;
  reported = [];
  vi.useFakeTimers();
  vi.spyOn(process, 'uptime').mockImplementation(() => elapsedMs / 1000);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function policyOf(waitMs: number | undefined, signal = new AbortController().signal): WaitPolicy {
  return new WaitPolicy(waitMs, signal, { waiting: (message) => reported.push(message) });
}

/** Fails until `succeedsAtMs`; counts how often it is tried. */
function workUntil(succeedsAtMs: number, code: ErrorCode = 'NOT_FOUND') {
  const times: number[] = [];
  return {
    times,
    work: async () => {
      times.push(elapsedMs);
      if (elapsedMs >= succeedsAtMs) return 'done';
      throw new ManifestToolError(code, 'reading x', 'it is not there');
    },
  };
}

/** Lets the time pass until a promise is settled. */
async function passing<T>(promise: Promise<T>): Promise<T | Error> {
  const settled: (T | Error)[] = [];
  promise.then(
    (value) => settled.push(value),
    (error: Error) => settled.push(error),
  );
  for (let step = 0; settled.length === 0; step += 1) {
    if (step === 10_000) throw new Error('it never ends');
    await vi.advanceTimersByTimeAsync(100);
    elapsedMs += 100;
  }
  return settled[0]!;
}

describe('waiting for what is missing', () => {
  test('tries again, in growing intervals, until it is there', async () => {
    const { work, times } = workUntil(6000);
    expect(await passing(policyOf(60_000).until(work))).toBe('done');
    expect(times.length).toBeLessThan(8);
    expect(reported).toHaveLength(times.length - 1);
  });

  test('tries a last time at the end, and fails then', async () => {
    const { work, times } = workUntil(Infinity);
    expect(await passing(policyOf(3000).until(work))).toMatchObject({ code: 'NOT_FOUND' });
    expect(times.at(-1)).toBeGreaterThanOrEqual(3000);
    expect(times.at(-1)).toBeLessThan(3500);
  });

  test('has one end for everything', async () => {
    const policy = policyOf(2000);
    await passing(policy.until(workUntil(Infinity).work));
    const second = workUntil(Infinity);
    await passing(policy.until(second.work));
    expect(second.times).toHaveLength(1);
  });

  test.each<[ErrorCode, number | undefined]>([
    ['DENIED', 2000],
    ['CORRUPT', 2000],
    ['FAILED', 2000],
    ['NOT_FOUND', undefined],
  ])('%s, with %s ms: fails at once', async (code, waitMs) => {
    const { work, times } = workUntil(Infinity, code);
    expect(await passing(policyOf(waitMs).until(work))).toMatchObject({ code });
    expect(times).toHaveLength(1);
    expect(reported).toEqual([]);
  });

  test('ends when it is interrupted', async () => {
    const controller = new AbortController();
    const waiting = passing(policyOf(60_000, controller.signal).until(workUntil(Infinity).work));
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'INTERRUPTED' });
  });
});

test('the end of a wait is reported: what is there now, or how long it was missing', async () => {
  const waited: unknown[] = [];
  const events = { waited: (...args: unknown[]) => void waited.push(args) };
  const policy = new WaitPolicy(10_000, new AbortController().signal, events);
  expect(await passing(policy.until(workUntil(0).work))).toBe('done');
  expect(waited).toEqual([]);
  expect(await passing(policy.until(workUntil(3000).work))).toBe('done');
  expect(waited).toEqual([['reading x', expect.closeTo(3500, -3) as number]]);
  const failed = await passing(policy.until(workUntil(60_000).work));
  expect(failed).toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(
      /^reading x failed: it is not there \(waited [\d.]+ s\)$/,
    ) as string,
  });
  expect(waited).toHaveLength(1);
});
