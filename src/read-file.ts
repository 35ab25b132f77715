import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';

/** With promises, but without `node:fs/promises`, which takes 2 ms to load. */
const file = {
  close: promisify(close),
  fstat: promisify(fstat),
  open: promisify(open),
  read: promisify(read),
};

/**
 * A named pipe is opened at once, although nobody may ever write to it. A thread that is blocked in
 * open(2) or read(2) cannot be interrupted, and keeps the process from ending. Windows has no such
 * flag, which counts as 0.
 */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

const CHUNK_BYTES = 65_536;

/** Limits of {@link readFile} and {@link readStream}. */
export interface ReadFileOptions {
  /** Nothing beyond this many bytes is read. */
  readonly maxBytes: number;
  /** Ends the wait for a writer of a pipe, or for input from a terminal. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads all bytes of what a user has named as a file: a regular file, a device, a named pipe or the
 * pipe of a process substitution (`<(…)`). Undefined if it has more than `maxBytes`.
 * @throws the system's error, or the reason of `signal`.
 */
export async function readFile(
  path: string,
  { maxBytes, signal }: ReadFileOptions,
): Promise<Buffer | undefined> {
  signal?.throwIfAborted();
  const descriptor = await file.open(path, FLAGS);
  const input = await streamOf(descriptor).catch(async (error: unknown) => {
    await file.close(descriptor);
    throw error;
  });
  return input === undefined
    ? readToEnd(descriptor, maxBytes, signal)
    : readStream(input, { maxBytes, signal });
}

/** A stream, as far as it is needed here. */
interface Input extends AsyncIterable<unknown> {
  destroy(): unknown;
}

/**
 * Reads all bytes of a stream and destroys it. Undefined if it has more than `maxBytes`.
 * @throws the error of the stream, or the reason of `signal`.
 */
export async function readStream(
  stream: Input,
  { maxBytes, signal }: ReadFileOptions,
): Promise<Buffer | undefined> {
  const end = (): void => void stream.destroy();
  signal?.addEventListener('abort', end);
  try {
    if (signal?.aborted === true) end();
    const chunks: Buffer[] = [];
    let length = 0;
    // Destroys the stream, and with it closes its descriptor, on every way out.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return undefined;
      chunks.push(chunk);
    }
    signal?.throwIfAborted();
    return Buffer.concat(chunks);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** The stream of a descriptor whose reads may wait without end; undefined if they do not. */
async function streamOf(descriptor: number): Promise<Input | undefined> {
  const stats = await file.fstat(descriptor);
  if (stats.isFIFO()) {
    const { Socket } = process.getBuiltinModule('node:net');
    return new Socket({ fd: descriptor, readable: true, writable: false });
  }
  if (!stats.isCharacterDevice()) return undefined;
  const { isatty, ReadStream } = process.getBuiltinModule('node:tty');
  return isatty(descriptor) ? new ReadStream(descriptor) : undefined;
}

/** Not by its size: a device has none. */
async function readToEnd(
  descriptor: number,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length <= maxBytes;) {
      signal?.throwIfAborted();
      const chunk = Buffer.alloc(Math.min(maxBytes + 1 - length, CHUNK_BYTES));
      const { bytesRead } = await file.read(descriptor, chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return undefined;
  } finally {
    await file.close(descriptor);
  }
}
