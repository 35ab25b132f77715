import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StringDecoder } from 'node:string_decoder';
import { Screen } from './screen.js';

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));
const HELPER = fileURLToPath(new URL('terminal.py', import.meta.url));

type StreamName = 'stdin' | 'stdout' | 'stderr';

export interface TerminalOptions {
  readonly columns: number;
  readonly rows?: number;
  /** What is the terminal; the others are pipes (default: all). */
  readonly streams?: readonly StreamName[];
  /** On top of an empty HOME, the PATH and TERM=xterm-256color. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TerminalResult {
  readonly code: number;
  /** What came over the pipes. */
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in a pseudo-terminal. */
export interface Terminal {
  readonly screen: Screen;
  /** All that the terminal was sent. */
  readonly sent: () => string;
  /** All lines that were seen at any time while it ran, as they stood after each write. */
  readonly seen: ReadonlySet<string>;
  /** The keys of a person; `\u0003` is Ctrl-C. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Waits until the screen shows this. */
  until(pattern: RegExp): Promise<void>;
  readonly done: Promise<TerminalResult>;
}

/** Starts the built command line (`npm run build`) in a real pseudo-terminal (python3 has them). */
export function runInTerminal(args: readonly string[], options: TerminalOptions): Terminal {
  const { columns, rows = 24, streams = ['stdin', 'stdout', 'stderr'] } = options;
  const home = mkdtempSync(path.join(tmpdir(), 'mt-home-'));
  const env = {
    HOME: home,
    PATH: process.env['PATH'],
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ...options.env,
  };
  const words = [HELPER, String(columns), String(rows), streams.join(','), process.execPath, BIN];
  const child = spawn('python3', [...words, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const tell = (...action: unknown[]): void =>
    void child.stdin.write(`${JSON.stringify(action)}\n`);
  child.stdin.on('error', () => {});

  const screen = new Screen(columns || 80, rows || 24);
  const seen = new Set<string>();
  const texts = { tty: '', stdout: '', stderr: '' };
  const decoders = {
    tty: new StringDecoder(),
    stdout: new StringDecoder(),
    stderr: new StringDecoder(),
  };
  let code: number | undefined;
  createInterface(child.stdout).on('line', (line) => {
    const [name, value] = JSON.parse(line) as
      | ['tty' | 'stdout' | 'stderr', string]
      | ['exit', number];
    if (name === 'exit') {
      code = value;
      return;
    }
    const text = decoders[name].write(Buffer.from(value, 'base64'));
    texts[name] += text;
    if (name !== 'tty') return;
    screen.write(text);
    for (const each of screen.lines) seen.add(each);
  });
  const done = new Promise<TerminalResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      rmSync(home, { recursive: true, force: true });
      if (code === undefined) reject(new Error('terminal.py failed'));
      else resolve({ code, stdout: texts.stdout, stderr: texts.stderr });
    });
  });
  // Whoever awaits it is told.
  done.catch(() => {});

  return {
    screen,
    seen,
    sent: () => texts.tty,
    done,
    type: (text) => tell('type', text),
    resize(newColumns, newRows) {
      screen.resize(newColumns, newRows);
      tell('resize', newColumns, newRows);
    },
    async until(pattern) {
      const deadline = performance.now() + 60_000;
      while (!pattern.test(screen.text)) {
        if (performance.now() > deadline || child.exitCode !== null) {
          throw new Error(`never shown: ${String(pattern)}\n${screen.text}`);
        }
        await sleep(5);
      }
    },
  };
}
