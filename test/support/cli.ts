import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Output } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface RunOptions {
  /** On top of a HOME that is empty, and the PATH. */
  readonly env?: Environment;
  readonly stdin?: string | Uint8Array;
  /** Standard output and error are a terminal of this width. */
  readonly tty?: { readonly columns: number };
  readonly signal?: AbortSignal;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A program to test in place of the built command line: a single executable, for example. What needs
 * a terminal or a signal of the test still runs in this process.
 */
const OTHER_PROGRAM = process.env['MANIFEST_TOOL_PROGRAM'];

/** Runs the whole command line in this process, or {@link OTHER_PROGRAM}. */
export async function runCli(
  args: readonly string[],
  options: RunOptions = {},
): Promise<CliResult> {
  if (OTHER_PROGRAM !== undefined && options.tty === undefined && options.signal === undefined) {
    const { env, stdin } = options;
    const started = spawnCli(args, { ...(env && { env }), ...(stdin !== undefined && { stdin }) });
    const { code, stdout, stderr } = await started.done;
    return { code: code ?? -1, stdout, stderr };
  }
  const home = makeHome();
  const stdout = new Captured(options.tty?.columns);
  const stderr = new Captured(options.tty?.columns);
  try {
    const code = await main(args, {
      stdout,
      stderr,
      stdin: () => Readable.from([Buffer.from(options.stdin ?? '')]),
      env: environment(home, options.env),
      signal: options.signal ?? new AbortController().signal,
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  } finally {
    removeHome(home);
  }
}

/** Fails with what the command line said, where it ended with another code. */
export function expectCode({ code, stderr }: CliResult, expected: number): void {
  if (code !== expected) throw new Error(`exit code ${code}, not ${expected}: ${stderr}`);
}

export interface SpawnOptions {
  /** What is started in place of the built command line on this Node. */
  readonly program?: string;
  readonly env?: Environment;
  readonly stdin?: string | Uint8Array;
  /** Leaves standard input open behind `stdin`. */
  readonly isStdinOpen?: boolean;
}

export interface SpawnedCli {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it printed and how it ended; `code` is null where a signal ended it. */
  readonly done: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

/** Starts the built command line (`npm run build`) as a process of its own. */
export function spawnCli(args: readonly string[], options: SpawnOptions = {}): SpawnedCli {
  const home = makeHome();
  const { program: given = OTHER_PROGRAM } = options;
  const [program, words] = given === undefined ? [process.execPath, [BIN, ...args]] : [given, args];
  const child = spawn(program, words, { env: environment(home, options.env) });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  // It may end without having read anything.
  child.stdin.on('error', () => {});
  child.stdin.write(options.stdin ?? '');
  if (options.isStdinOpen !== true) child.stdin.end();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const done = new Promise<Awaited<SpawnedCli['done']>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('exit', kill);
      removeHome(home);
      resolve({ code, signal, stdout: stdout(), stderr: stderr() });
    });
  });
  return { child, done };
}

class Captured implements Output {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(columns: number | undefined) {
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 0;
  }

  write(text: string | Uint8Array): void {
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

/** The user's own configuration must not get into the tests. */
function environment(home: string, given: Environment = {}): Environment {
  const all = { HOME: home, PATH: process.env['PATH'], ...given };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function makeHome(): string {
  return mkdtempSync(path.join(tmpdir(), 'mt-home-'));
}

function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true });
}
