import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.js';

/**
 * Creates a directory and its missing parents. Node's own `recursive` never ends if a file system
 * answers ENOENT although the parent exists, as /proc does.
 * @throws {Error} what `mkdir` throws, such as ENOENT, EACCES or ENOSPC
 */
export async function makeDirectory(directory: string): Promise<void> {
  const parent = path.dirname(directory);
  try {
    await makeOne(directory);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || parent === directory) throw error;
    await makeDirectory(parent);
    await makeOne(directory);
  }
}

/** Creates a directory unless it exists; another process may create it at the same time. */
async function makeOne(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const isDirectory = await stat(directory).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (!isDirectory) throw error;
  }
}
