import { execFileSync } from 'node:child_process';
import {
  createWriteStream,
  readdirSync,
  readFileSync,
  readlinkSync,
  type WriteStream,
} from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCli, spawnCli, type SpawnedCli } from '../support/cli.js';
import { Folder } from './support/files.js';

const folder = new Folder();
const SPEC = 'image: localhost:1/app:1\nmanifests: [{ image: localhost:1/app:2 }]\n';
const PASSWORD = ['inspect', '--username=a', '--password-stdin', 'localhost:1/app'];
const KIB = 1024;
const STDIN = 'standard input';

/** It ends within a moment; with both cores busy the clock goes on. */
const LIMIT_MS = 4000;

let pipes = 0;
function namedPipe(): string {
  pipes += 1;
  const name = path.join(folder.path, `pipe-${pipes}`);
  execFileSync('mkfifo', [name]);
  return name;
}

/**
 * Waits until the process waits for more of a file: that it is in an epoll set is the one sign from
 * outside.
 */
async function isReading({ child }: SpawnedCli, file: string): Promise<void> {
  const fds = `/proc/${child.pid}/fd`;
  const waits = (): boolean => {
    try {
      const isFile = (fd: string): boolean => readlinkSync(`${fds}/${fd}`) === file;
      const fd = file === STDIN ? '0' : readdirSync(fds).find(isFile);
      const polled = readdirSync(fds).map((each) => readFileSync(`${fds}info/${each}`, 'utf8'));
      return polled.some((info) => new RegExp(`^tfd: +${fd} `, 'm').test(info));
    } catch {
      // One was closed meanwhile.
      return false;
    }
  };
  await expect.poll(waits, { timeout: 10_000, interval: 5 }).toBe(true);
}

/** Interrupts a command that waits for its input. */
async function interrupt(cli: SpawnedCli): Promise<string> {
  const start = performance.now();
  cli.child.kill('SIGTERM');
  const { code, stderr } = await cli.done;
  expect({ code, stderr }).toMatchObject({ code: 130 });
  expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  return stderr;
}

describe('a signal ends the wait for', () => {
  it.each([
    ['a spec on standard input', ['push', 'from-spec', '-'], 'reading standard input'],
    ['a spec to check', ['spec', 'check', '-'], 'reading standard input'],
    ['a password', PASSWORD, 'reading --password-stdin'],
  ])('%s', async (_, args, what) => {
    const cli = spawnCli(args, { stdin: 'image: ', isStdinOpen: true });
    await isReading(cli, STDIN);
    expect(await interrupt(cli)).toBe(
      `manifest-tool: ${what} failed: it was interrupted\nhint: run it again to complete it\n`,
    );
  });

  it('the writer of a named pipe', async () => {
    const pipe = namedPipe();
    const cli = spawnCli(['push', 'from-spec', pipe]);
    await isReading(cli, pipe);
    expect(await interrupt(cli)).toMatch(/reading \S+ failed: it was interrupted/);
  });

  it('the rest of a named pipe', async () => {
    const pipe = namedPipe();
    const cli = spawnCli(['spec', 'check', pipe]);
    const writer = await opened(createWriteStream(pipe));
    writer.write('image: ');
    await isReading(cli, pipe);
    expect(await interrupt(cli)).toMatch(/reading \S+ failed: it was interrupted/);
    writer.on('error', () => undefined).destroy();
  });
});

describe('a named pipe that nothing uses yet does not delay a signal', () => {
  const inspect = ['inspect', 'localhost:1/a:1'];
  it.each([
    ['--ca-file', inspect],
    ['--cert-file', [...inspect, '--key-file', '/dev/null']],
    ['--key-file', [...inspect, '--cert-file', '/dev/null']],
  ])('%s', async (option, args) => {
    const pipe = namedPipe();
    const cli = spawnCli([...args, option, pipe]);
    await isReading(cli, pipe);
    expect(await interrupt(cli)).toMatch(/failed: it was interrupted/);
  });

  it.each(['--digestfile', '--metadata-file'])('%s', async (option) => {
    const args = ['push', 'from-spec', '-', option, namedPipe()];
    const cli = spawnCli(args, { stdin: 'image: ', isStdinOpen: true });
    // By then it handles signals; after the spec, it waits for a reader of the pipe.
    await isReading(cli, STDIN);
    cli.child.stdin.end(SPEC.replace('image: ', ''));
    await pause(200);
    expect(await interrupt(cli)).toMatch(/failed: it was interrupted/);
  });
});

/** Resolves when a reader has opened the other end. */
async function opened(stream: WriteStream): Promise<WriteStream> {
  await new Promise((resolve) => stream.once('open', resolve));
  return stream;
}

describe('a spec', () => {
  it('may come through a named pipe whose writer is late', async () => {
    const pipe = namedPipe();
    const cli = spawnCli(['spec', 'check', pipe]);
    await isReading(cli, pipe);
    const writer = await opened(createWriteStream(pipe));
    for (const line of SPEC.split(/(?<=\n)/)) writer.write(line);
    writer.end();
    await finished(writer);
    expect(await cli.done).toMatchObject({
      code: 0,
      stdout: `ok ${pipe} localhost:1/app:1 1 image\n`,
    });
  });

  it('may come from a process substitution', async () => {
    const { code, stdout } = await spawnCli(
      ['-c', `exec "$0" bin/manifest-tool.cjs spec check <(printf '${SPEC}')`, process.execPath],
      { program: '/bin/bash' },
    ).done;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^ok \/dev\/fd\/\d+ localhost:1\/app:1 1 image\n$/) as string,
    });
  });

  it.each([
    ['standard input', '-', 'a'.repeat(1024 * KIB + 1), /larger than 1024 KiB/],
    ['a device without end', '/dev/zero', '', /larger than 1024 KiB/],
    ['an empty device', '/dev/null', '', /\/dev\/null failed: it is empty/],
  ])('of an unusable size is refused: %s', async (_, file, stdin, says) => {
    const { code, stderr } = await spawnCli(['spec', 'check', file], { stdin }).done;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(says) as string });
  });
});

describe('a password', () => {
  it.each([
    ['without end', 'a'.repeat(64 * KIB + 1), /--password-stdin failed: it is larger than 64 KiB/],
    ['that is no text', Buffer.from([0xc3, 0x28]), /--password-stdin failed: it is not UTF-8/],
  ])('%s is refused', async (_, stdin, says) => {
    const { code, stderr } = await runCli(PASSWORD, { stdin });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(says) as string });
  });
});
