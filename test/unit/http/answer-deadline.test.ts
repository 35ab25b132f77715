import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AnswerDeadline } from '../../../src/http/answer-deadline.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an upload that goes on after its answer starts no timer, which would keep the process', async () => {
  const deadline = new AnswerDeadline(new AbortController().signal, 1000, 1000);
  const { open } = deadline.upload({
    length: 2,
    async *open() {
      yield new Uint8Array(1);
      yield new Uint8Array(1);
    },
  });
  const chunks = open()[Symbol.asyncIterator]();
  await chunks.next();
  expect(vi.getTimerCount()).toBe(1);
  deadline.end();
  for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next());
  expect(vi.getTimerCount()).toBe(0);
});
