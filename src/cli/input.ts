import type { Readable } from 'node:stream';
import { fileReason, interruptedBy, ManifestToolError, unreadableHint } from '../errors.js';
import { readFile, readStream } from '../read-file.js';
import type { Io } from './io.js';

/** Stands for standard input in place of a file. */
export const STANDARD_INPUT = '-';
/** The name of a file in messages. */
export function nameOfInput(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

/** In bytes. */
const MAX_FILE_SIZE = 1024 * 1024;

/**
 * Reads the text of a file that the user has named, such as a spec; `-` is standard input.
 * @throws {ManifestToolError} USAGE if it cannot be read, is larger than 1 MiB or is not UTF-8;
 * INTERRUPTED.
 */
export async function readNamedFile(path: string, { stdin, signal }: Io): Promise<string> {
  const isStdin = path === STANDARD_INPUT;
  const what = `reading ${nameOfInput(path)}`;
  try {
    return await readInput(isStdin ? stdin() : path, { what, limit: MAX_FILE_SIZE, signal });
  } catch (error) {
    if (error instanceof ManifestToolError) throw error;
    const details = { cause: error, hint: unreadableHint(error) };
    throw new ManifestToolError('USAGE', what, fileReason(error), details);
  }
}

interface InputLimits {
  /** The action, for errors. */
  readonly what: string;
  /** In bytes, a multiple of 1024. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Reads a stream or the file of a path to its end, as UTF-8.
 * @throws {ManifestToolError} INTERRUPTED as soon as `signal` is aborted; USAGE for more than
 * `limit` bytes, and for other encodings. Errors of the system are thrown as they are.
 */
export async function readInput(
  source: Readable | string,
  { what, limit, signal }: InputLimits,
): Promise<string> {
  const bytes = await readBytes(source, limit, signal).catch((error: unknown) => {
    if (signal.aborted) interruptedBy(what)(error);
    throw error;
  });
  if (bytes === undefined) {
    throw new ManifestToolError('USAGE', what, `it is larger than ${limit / 1024} KiB`, {
      hint: 'check that it is the right file',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ManifestToolError('USAGE', what, 'it is not UTF-8 text', {
      cause: error,
      hint: 'save it in UTF-8',
    });
  }
}

function readBytes(source: Readable | string, maxBytes: number, signal: AbortSignal) {
  return typeof source === 'string'
    ? readFile(source, { maxBytes, signal })
    : readStream(source, { maxBytes, signal });
}
