import type { Io, Output } from './io.js';
import { main } from './main.js';

/** How long a command may take to end after an interrupt, in milliseconds. */
const GRACE_MS = 500;
const FAILED = 1;
const INTERRUPTED = 130;

/**
 * Whether output was lost: the exit code is then not 0, whatever the command did.
 */
let isOutputLost = false;

/** The process as an {@link Io}. */
function processIo(signal: AbortSignal): Io {
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    stdin: () => process.stdin,
    env: process.env,
    signal,
  };
}

/** A stream that has the two properties only if it is a terminal. */
interface Stream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

function output(stream: Stream): Output {
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY ?? false,
    // The window may be resized while the command runs.
    get columns() {
      return stream.columns ?? 0;
    },
  };
}

/**
 * Aborted by the first SIGINT or SIGTERM; a second one, or a command that does not end in time,
 * ends the process.
 */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    setTimeout(() => {
      process.stderr.write(
        'manifest-tool: this command failed: it was interrupted and did not stop in time\n' +
          'hint: check the target before you run it again: something may have been published\n',
      );
      process.exit(INTERRUPTED);
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

// A reader that stops reading (`| head`) is not a failure: the command continues and ends with its
// own exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.exitCode ||= FAILED;
  process.stderr.write(
    `manifest-tool: writing to standard output failed: ${error.message}\n` +
      'hint: free some space, or redirect standard output to another place\n',
  );
});

async function run(): Promise<void> {
  const signal = interruptSignal();
  const code = await main(process.argv.slice(2), processIo(signal));
  process.exitCode = code === 0 && isOutputLost ? FAILED : code;
  // Neither a name lookup in progress nor a read of standard input can be cancelled; both would keep
  // the process.
  if (signal.aborted) process.exit();
}

void run();
