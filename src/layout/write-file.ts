import { open, rename, rm, writeFile } from 'node:fs/promises';
import { temporaryName } from './temporary.js';

/** What is written to a file: text, or bytes as they come. */
export type Content = string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Puts a file in its place whole or not at all: a new file beside it, flushed to the device, then
 * renamed. Where anything fails, the new file is removed and `target` is what it was. The content
 * is asked for when the new file is open.
 */
export async function writeAtomically(
  target: string,
  content: () => Content | Promise<Content>,
): Promise<void> {
  const temporary = temporaryName(target);
  const handle = await open(temporary, 'wx');
  try {
    try {
      await writeFile(handle, await content());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
