import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settle, type SharedContent } from '../../src/settle.js';

let content: string;
let writes: string[];
/** Called after each write, as another writer. */
let others: (round: number) => void;

beforeEach(() => {
  vi.useFakeTimers();
  content = '';
  writes = [];
  others = () => undefined;
});

afterEach(() => {
  vi.useRealTimers();
});

/** Content to which a letter is appended, unless it has it. */
function appending(
  letter: string,
  options: Partial<SharedContent<string, string>> = {},
): SharedContent<string, string> {
  return {
    what: 'editing x',
    signal: new AbortController().signal,
    isAtomic: false,
    read: () => Promise.resolve(content),
    change: (current) => (current.includes(letter) ? undefined : current + letter),
    isStill: (current) => Promise.resolve(content === current),
    write(next) {
      content = next;
      writes.push(next);
      others(writes.length);
      return Promise.resolve(true);
    },
    ...options,
  };
}

async function settled(shared: SharedContent<string, string>): Promise<string> {
  const settling = settle(content, shared);
  settling.catch(() => undefined);
  await vi.runAllTimersAsync();
  return settling;
}

test('a change that is there is not written', async () => {
  content = 'a';
  expect(await settled(appending('a'))).toBe('a');
  expect(writes).toEqual([]);
});

test('a change that another writer has overwritten is applied again to what that one wrote', async () => {
  others = (round) => {
    if (round < 3) content = 'b'.repeat(round);
  };
  expect(await settled(appending('a'))).toBe('bba');
  expect(writes).toEqual(['a', 'ba', 'bba']);
});

test('content that has changed since it was read is read again before it is written', async () => {
  const shared = appending('a');
  const settling = settle('old', shared);
  content = 'new';
  await vi.runAllTimersAsync();
  expect(await settling).toBe('newa');
  expect(writes).toEqual(['newa']);
});

test('an atomic write is not waited for', async () => {
  const shared = appending('a', { isAtomic: true });
  expect(await settle(content, shared)).toBe('a');
});

test('an atomic write that finds other content is repeated', async () => {
  let refusals = 2;
  const { write } = appending('a');
  const shared = appending('a', {
    isAtomic: true,
    write: (next, current) =>
      (refusals -= 1) >= 0 ? Promise.resolve(false) : write(next, current),
  });
  expect(await settled(shared)).toBe('a');
  expect(writes).toEqual(['a']);
});

test('it gives up if others never stop', async () => {
  others = () => {
    content = '';
  };
  await expect(settled(appending('a'))).rejects.toMatchObject({ code: 'REFUSED' });
  expect(writes.length).toBeLessThan(100);
});

test('an abort ends the wait', async () => {
  const controller = new AbortController();
  const settling = settle(content, appending('a', { signal: controller.signal }));
  settling.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(10);
  controller.abort(new Error('stop'));
  await expect(settling).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
