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
        'manifest-tool: this command failed: it was interrupted and did not end in time\n' +
          'hint: look at what is there before you run it again: something may have been published\n',
      );
      process.exit(INTERRUPTED);
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

const FAILED = 1;
/** What was printed has not arrived: no success, whatever the command says. */
let isOutputLost = false;

// A reader that has seen enough (`| head`) is no error of ours, and no success either: the command goes on and ends with its own code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.exitCode ||= FAILED;
  process.stderr.write(
    `manifest-tool: writing to standard output failed: ${error.message}\n` +
      'hint: make room there, or send standard output to another place\n',
  );
});

async function run(): Promise<void> {
  const signal = interruptSignal();
  const code = await main(process.argv.slice(2), processIo(signal));
  process.exitCode = code === 0 && isOutputLost ? FAILED : code;
  // A connection that is still being made would keep the process.
  if (signal.aborted) process.exit();
}

void run();
