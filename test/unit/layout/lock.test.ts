import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withLock } from '../../../src/layout/lock.js';

let scratch: string;
let file: string;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'layout-lock-'));
  file = path.join(scratch, 'index.json.lock');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(scratch, { recursive: true, force: true });
});

const lock = <T>(action: () => Promise<T>, signal = new AbortController().signal): Promise<T> =>
  withLock('writing x', file, signal, action);

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '0']).pid;
}

test('is a file with the id of the process, and is removed', async () => {
  const text = await lock(() => readFile(file, 'utf8'));
  expect(text).toMatch(new RegExp(`^${process.pid} `));
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('is removed if the action fails', async () => {
  await expect(lock(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(scratch)).toEqual([]);
});

test('is held by one at a time', async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, () =>
      lock(async () => {
        inside += 1;
        most = Math.max(most, inside);
        await delay(2);
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(await readdir(scratch)).toEqual([]);
});

test('of an ended process of this host is broken, by one of many', async () => {
  await writeFile(file, `${deadPid()} ${hostname()} 0\n`);
  let count = 0;
  await Promise.all(Array.from({ length: 10 }, () => lock(async () => void (count += 1))));
  expect(count).toBe(10);
  expect(await readdir(scratch)).toEqual([]);
});

test('is broken although a process ended while breaking it', async () => {
  const dead = `${deadPid()} ${hostname()} 0\n`;
  await writeFile(file, dead);
  await writeFile(`${file}.break`, dead);
  expect(await lock(() => Promise.resolve('in'))).toBe('in');
  expect(await readdir(scratch)).toEqual([]);
});

test('that is older than a minute is broken, whoever holds it', async () => {
  await writeFile(file, `${process.pid} ${hostname()} 0\n`);
  await utimes(file, Date.now() / 1000 - 61, Date.now() / 1000 - 61);
  expect(await lock(() => Promise.resolve('in'))).toBe('in');
});

test.each([
  ['a live process', () => `${process.pid} ${hostname()} 0\n`, `process ${process.pid}`],
  ['another host', () => `${deadPid()} ${hostname()}.other 0\n`, 'another program'],
  ['an owner that has not written its id yet', () => '', 'another program holds'],
])('of %s is waited for, then refused', async (_, text, owner) => {
  await writeFile(file, text());
  const now = Date.now();
  let calls = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => now + (calls++ < 4 ? 0 : 10_001));
  await expect(lock(() => Promise.resolve())).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    why: expect.stringContaining(owner),
    hint: expect.stringContaining('remove the lock file'),
  });
  expect(await readFile(file, 'utf8')).not.toContain('undefined');
});

test('is not waited for after an abort', async () => {
  await writeFile(file, `${process.pid} ${hostname()} 0\n`);
  const controller = new AbortController();
  let ran = false;
  const waiting = lock(async () => void (ran = true), controller.signal);
  setTimeout(() => controller.abort(new Error('stopped')), 20);
  await expect(waiting).rejects.toThrow('stopped');
  expect(ran).toBe(false);
  expect(await readdir(scratch)).toEqual(['index.json.lock']);
});

test('does not run the action after an earlier abort', async () => {
  let ran = false;
  const aborted = AbortSignal.abort(new Error('stopped'));
  await expect(lock(async () => void (ran = true), aborted)).rejects.toThrow('stopped');
  expect(ran).toBe(false);
  expect(await readdir(scratch)).toEqual([]);
});

test('that another program has taken over is left to it', async () => {
  await lock(() => writeFile(file, 'of another\n'));
  expect(await readFile(file, 'utf8')).toBe('of another\n');
});
