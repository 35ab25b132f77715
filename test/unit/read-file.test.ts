import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readFile } from '../../src/read-file.js';
import { DESCRIPTORS, IS_WINDOWS } from '../support/system.js';

const folder = mkdtempSync(path.join(tmpdir(), 'read-file-'));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(content: string): string {
  const file = path.join(folder, `f${(count += 1)}`);
  writeFileSync(file, content);
  return file;
}

function pipe(): string {
  const file = path.join(folder, `p${(count += 1)}`);
  execFileSync('mkfifo', [file]);
  return file;
}

/** Writes to a pipe from another process, after `seconds`. */
function writeTo(file: string, content: string, seconds = 0): void {
  execFile('sh', ['-c', `sleep ${seconds}; printf %s "$1" > "$2"`, 'sh', content, file]);
}

const text = async (file: string, maxBytes = 100): Promise<string | undefined> =>
  (await readFile(file, { maxBytes }))?.toString();

const openFiles = async (): Promise<number> => (await readdir(DESCRIPTORS)).length;

describe('a regular file', () => {
  test('is read whole', async () => {
    expect(await text(fileOf('abc'))).toBe('abc');
    expect(await text(fileOf(''))).toBe('');
    const large = 'x'.repeat(200_000);
    expect(await text(fileOf(large), 200_000)).toBe(large);
  });

  test.each([
    [3, 'abc'],
    [2, undefined],
    [0, undefined],
  ])('of three bytes, with a limit of %i, gives %j', async (maxBytes, expected) => {
    expect(await text(fileOf('abc'), maxBytes)).toBe(expected);
  });

  test('that is missing, or a directory, is the error of the system', async () => {
    await expect(text(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(text(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('is not read after an abort', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(readFile(fileOf('a'), { maxBytes: 9, signal })).rejects.toThrow('stopped');
  });
});

describe.skipIf(IS_WINDOWS)('a device', () => {
  test('is read to its end or to the limit', async () => {
    expect(await text('/dev/null')).toBe('');
    expect(await text('/dev/zero')).toBeUndefined();
  });
});

describe.skipIf(IS_WINDOWS)('a named pipe', () => {
  test.each([0, 0.3])('is waited for until somebody writes to it (%d s)', async (seconds) => {
    const file = pipe();
    writeTo(file, 'from a pipe', seconds);
    expect(await text(file)).toBe('from a pipe');
  });

  test('with more than the limit is not read to its end', async () => {
    const file = pipe();
    execFile('sh', ['-c', 'exec yes > "$1"', 'sh', file]);
    expect(await text(file)).toBeUndefined();
  });

  test('that nobody writes to is given up with the signal', async () => {
    const file = pipe();
    const before = await openFiles();
    const controller = new AbortController();
    const reading = readFile(file, { maxBytes: 9, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stopped')), 50);
    await expect(reading).rejects.toThrow('stopped');
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
  });
});
