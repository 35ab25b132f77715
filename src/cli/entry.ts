import type { Io, Output } from './io.js';
import { main } from './main.js';

/** The process as an {@link Io}. */
function processIo(signal: AbortSignal): Io {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
    env: process.env,
    signal,
  };
}

/** A stream that may be a terminal: then, and only then, it has the two properties. */
interface Stream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

function output(stream: Stream): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY ?? false,
    // The window may be made another size while the command runs.
    get columns() {
      return stream.columns ?? 0;
    },
  };
}

/** How long a command may take to end after it was interrupted, in milliseconds. */
const GRACE_MS = 500;
const INTERRUPTED = 130;

/** Aborted by the first signal; a second one, or a command that does not end in time, ends the process. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    setTimeout(() => {
      process.stderr.write(
        'manifest-tool: this command failed: it was interrupted and did not end in time\n',
      );
      process.exit(INTERRUPTED);
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

// A reader that has seen enough (`| head`) is no error of ours, and no success either: the command goes on and ends with its own code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function run(): Promise<void> {
  const signal = interruptSignal();
  process.exitCode = await main(process.argv.slice(2), processIo(signal));
  // A connection that is still being made would keep the process.
  if (signal.aborted) process.exit();
}

void run();
