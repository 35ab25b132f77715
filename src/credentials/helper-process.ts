import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { access, constants, stat } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { interrupted, reasonOf } from '../errors.js';

/** With promises, but without `node:fs/promises`, which takes 2 ms to load. */
const files = { access: promisify(access), stat: promisify(stat) };

/** An answer is a name and a token of a few KiB. */
const MAX_STDOUT_BYTES = 64 * 1024;
/** What is shown of a helper's messages. */
const MAX_STDERR_BYTES = 1024;
/**
 * How long a helper that has ended is waited for to close its pipes, which a child of its own may
 * hold open. What it wrote itself is in the pipes already.
 */
const CLOSE_MS = 200;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The absolute path of a program on PATH; undefined if it is not installed. Only absolute entries
 * of PATH count, and on Windows only `.exe`: a program in the working directory is never run
 * (CVE-2019-15752, libuv#3888).
 */
export async function findExecutable(
  name: string,
  env: Env,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const fileName = platform === 'win32' ? `${name}.exe` : name;
  for (const directory of searchPath(env, platform).split(path.delimiter)) {
    if (!path.isAbsolute(directory)) continue;
    const file = path.join(directory, fileName);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** On Windows the variable may be written in any case, usually `Path`. */
function searchPath(env: Env, platform: NodeJS.Platform): string {
  if (platform !== 'win32') return env['PATH'] ?? '';
  const key = Object.keys(env).find((each) => each.toUpperCase() === 'PATH');
  return (key === undefined ? undefined : env[key]) ?? '';
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await files.access(file, constants.X_OK);
    return (await files.stat(file)).isFile();
  } catch {
    return false;
  }
}

export interface HelperRun {
  /** Absolute path. */
  readonly file: string;
  /** What the helper reads from its standard input. */
  readonly serverKey: string;
  readonly env: Env;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How a run ended. `stdout` can be a secret whatever the exit code is. */
export type HelperOutcome =
  | {
      readonly kind: 'exited';
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Runs `HELPER get` without a shell, and ends it if it exceeds its limits of time and output.
 * @throws {ManifestToolError} INTERRUPTED if `signal` was aborted.
 */
export async function runHelper(run: HelperRun): Promise<HelperOutcome> {
  // Most commands run no helper, and do not pay for loading this.
  const { spawn } = await import('node:child_process');
  if (run.signal?.aborted === true) throw interrupted(`running ${run.file}`);
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(run.file, ['get'], {
      env: run.env,
      stdio: 'pipe',
      windowsHide: true,
      // A process group of its own, so that its children end with it.
      detached: process.platform !== 'win32',
    });
  } catch (error) {
    return { kind: 'failed', why: `cannot be run: ${reasonOf(error)}` };
  }
  let onAbort: (() => void) | undefined;
  const timers: NodeJS.Timeout[] = [];
  let hasExited = false;
  try {
    const outcome = await new Promise<HelperOutcome>((resolve, reject) => {
      onAbort = () => reject(interrupted(`running ${run.file}`));
      run.signal?.addEventListener('abort', onAbort, { once: true });
      const fail = (why: string): void => resolve({ kind: 'failed', why });
      const seconds = run.timeoutMs / 1000;
      timers.push(setTimeout(() => fail(`did not respond within ${seconds} s`), run.timeoutMs));
      child.on('error', (error) => fail(`cannot be run: ${reasonOf(error)}`));
      // There need not be any pipe, and the error is about to be emitted.
      if (child.pid === undefined) return;
      const tooMuch = (): void => fail(`wrote more than ${MAX_STDOUT_BYTES} bytes`);
      const stdout = collect(child.stdout, MAX_STDOUT_BYTES, tooMuch);
      const stderr = collect(child.stderr, MAX_STDERR_BYTES);
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (code === null) fail(`was killed by ${signal}`);
        else resolve({ kind: 'exited', code, stdout: stdout(), stderr: stderr() });
      };
      child.on('close', ended);
      child.on('exit', (code, signal) => {
        timers.push(setTimeout(() => ended(code, signal), CLOSE_MS));
      });
      // A helper need not read its input; its exit code says what became of the request.
      child.stdin.on('error', () => {});
      child.stdin.end(run.serverKey);
    });
    hasExited = outcome.kind === 'exited';
    return outcome;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    if (onAbort !== undefined) run.signal?.removeEventListener('abort', onAbort);
    if (!hasExited) kill(child);
    release(child);
  }
}

/** The text of a stream, at most `limit` bytes of it; the rest is read and dropped. */
function collect(stream: Readable, limit: number, onMore?: () => void): () => string {
  const chunks: Buffer[] = [];
  let left = limit;
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > left) onMore?.();
    // A copy: a part of a chunk, even an empty one, would keep the whole chunk in memory.
    if (left > 0) chunks.push(Buffer.from(chunk.subarray(0, left)));
    left -= Math.min(chunk.length, left);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Ends a helper and its children. */
function kill(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * Closes our ends of the pipes: a child of the helper may hold the others, and with them this
 * process.
 */
function release(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}
