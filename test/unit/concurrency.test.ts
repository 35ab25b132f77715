import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapConcurrent, Semaphore } from '../../src/concurrency.js';

test('mapConcurrent rejects only when no call is running any more, with the first failure', async () => {
  const ended: number[] = [];
  const started: number[] = [];
  const mapping = mapConcurrent(
    [30, 1, 10, 5],
    async (milliseconds, index) => {
      started.push(index);
      await sleep(milliseconds);
      ended.push(index);
      if (index === 1 || index === 2) throw new Error(`call ${index} failed`);
    },
    3,
  );
  await expect(mapping).rejects.toThrow('call 1 failed');
  expect(ended).toEqual([1, 2, 0]);
  expect(started).toEqual([0, 1, 2]);
});

test('an operation that is aborted leaves the queue of a semaphore, and those behind it move up', async () => {
  const semaphore = new Semaphore(() => 1);
  await semaphore.acquire();
  const controller = new AbortController();
  const aborted = semaphore.acquire(controller.signal);
  let isNext = false;
  const next = semaphore.acquire().then(() => (isNext = true));
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  expect(isNext).toBe(false);
  semaphore.release();
  await next;
  await expect(semaphore.acquire(controller.signal)).rejects.toBe(reason);
});
