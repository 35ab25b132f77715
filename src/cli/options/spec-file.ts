import { open } from 'node:fs/promises';
import { ManifestToolError, reasonOf, systemCode, unreadableHint } from '../../errors.js';
import type { Io } from '../io.js';

/** The name of standard input where a file can stand. */
export const STANDARD_INPUT = '-';

const MAX_SPEC_SIZE = 1024 * 1024;

const REASONS = new Map([
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'permission denied'],
]);

/**
 * The text of a spec.
 * @throws {ManifestToolError} USAGE where it cannot be read.
 */
export async function readSpecFile(path: string, io: Io): Promise<string> {
  if (path === STANDARD_INPUT) return io.readStdin();
  const what = `reading ${path}`;
  try {
    const file = await open(path);
    try {
      const buffer = Buffer.alloc(MAX_SPEC_SIZE + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > MAX_SPEC_SIZE)
        throw new ManifestToolError('USAGE', what, 'it is larger than 1 MiB: it is no spec', {
          hint: 'check that it is the file that is meant',
        });
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ManifestToolError) throw error;
    const code = systemCode(error) ?? '';
    const [why, hint] =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? ['it is no text in UTF-8', 'save it in UTF-8']
        : [REASONS.get(code) ?? reasonOf(error), unreadableHint(error)];
    throw new ManifestToolError('USAGE', what, why, { cause: error, hint });
  }
}
