import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable } from 'node:stream';
import { ManifestToolError, reasonOf } from '../errors.js';

/** An answer is a name and a token of a few KiB; more is no answer. */
const MAX_STDOUT = 64 * 1024;
/** What is shown of a helper's complaint. */
const MAX_STDERR = 1024;

export interface HelperRun {
  /** Absolute path. */
  readonly file: string;
  /** What the helper reads from its standard input. */
  readonly serverKey: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** How a run came to its end. `stdout` can be a secret whatever the exit code is. */
export type HelperOutcome =
  | {
      readonly kind: 'exited';
      readonly code: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Runs `HELPER get`, without a shell, within its limits of time and output.
 * @throws {ManifestToolError} INTERRUPTED where the signal came.
 */
export async function runHelper(run: HelperRun): Promise<HelperOutcome> {
  // Most runs ask no helper, so that they do not pay for loading this.
  const { spawn } = await import('node:child_process');
  if (run.signal?.aborted === true) throw interrupted(run);
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn(run.file, ['get'], { env: run.env, stdio: 'pipe', windowsHide: true });
  } catch (error) {
    return { kind: 'failed', why: `cannot be run: ${reasonOf(error)}` };
  }
  let onAbort: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<HelperOutcome>((resolve, reject) => {
      onAbort = () => reject(interrupted(run));
      run.signal?.addEventListener('abort', onAbort, { once: true });
      const fail = (why: string) => resolve({ kind: 'failed', why });
      timer = setTimeout(() => fail(`gave no answer within ${seconds(run)} s`), run.timeoutMs);
      child.on('error', (error) => fail(`cannot be run: ${reasonOf(error)}`));
      // Then there need not be any pipe, and the error is on its way.
      if (child.pid === undefined) return;
      const tooMuch = () => fail(`wrote more than ${MAX_STDOUT} bytes, which is no answer`);
      const stdout = collect(child.stdout, MAX_STDOUT, tooMuch);
      const stderr = collect(child.stderr, MAX_STDERR);
      child.on('close', (code, signal) => {
        if (code === null) fail(`was ended by ${signal}`);
        else resolve({ kind: 'exited', code, stdout: stdout(), stderr: stderr() });
      });
      // A helper need not read what it is asked: then the pipe breaks, and its exit code tells all.
      child.stdin.on('error', () => {});
      child.stdin.end(run.serverKey);
    });
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) run.signal?.removeEventListener('abort', onAbort);
    discard(child);
  }
}

/** The text of a stream, at most `limit` bytes of it; what is beyond is read and dropped. */
function collect(stream: Readable, limit: number, onMore?: () => void): () => string {
  const chunks: Buffer[] = [];
  let left = limit;
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > left) onMore?.();
    chunks.push(chunk.subarray(0, left));
    left -= Math.min(chunk.length, left);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/**
 * Ends a helper that still runs, and lets go of its pipes: a child of its own may hold them open,
 * and so this process alive.
 */
function discard(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
}

function seconds(run: HelperRun): number {
  return run.timeoutMs / 1000;
}

function interrupted(run: HelperRun): ManifestToolError {
  return new ManifestToolError('INTERRUPTED', `running ${run.file}`, 'it was interrupted');
}
