import type { Readable } from 'node:stream';
import { interruptedBy, ManifestToolError } from '../errors.js';

interface InputLimits {
  /** The action, for errors. */
  readonly what: string;
  /** In bytes, a multiple of 1024. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a stream to its end, as UTF-8.
 * @throws {ManifestToolError} INTERRUPTED as soon as `signal` is aborted; USAGE for more than
 * `limit` bytes, and for other encodings; the stream is destroyed. Errors of the stream itself are
 * thrown as they are.
 */
export async function readInput(
  stream: Readable,
  { what, limit, signal }: InputLimits,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const abort = (): void => void stream.destroy(new Error('it was interrupted'));
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) {
        throw new ManifestToolError('USAGE', what, `it is larger than ${limit / 1024} KiB`, {
          hint: 'check that it is the right file',
        });
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal.aborted) interruptedBy(what)(error);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new ManifestToolError('USAGE', what, 'it is not UTF-8 text', {
      cause: error,
      hint: 'save it in UTF-8',
    });
  }
}

/**
 * Opens a file for {@link readInput}. Nothing of it blocks a thread, as a read of a pipe or a
 * terminal by `node:fs` does until something comes: the process could not exit before.
 * @throws the system's error.
 */
export async function openInput(path: string): Promise<Readable> {
  const { constants, createReadStream, fstatSync, open } = await import('node:fs');
  // Without O_NONBLOCK the open itself waits for a writer of a named pipe.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
  const fd = await new Promise<number>((resolve, reject) => {
    open(path, flags, (error, opened) => (error === null ? resolve(opened) : reject(error)));
  });
  if (fstatSync(fd).isFIFO()) {
    const { Socket } = await import('node:net');
    return new Socket({ fd, readable: true, writable: false });
  }
  const { isatty, ReadStream } = await import('node:tty');
  return isatty(fd) ? new ReadStream(fd) : createReadStream(path, { fd });
}
