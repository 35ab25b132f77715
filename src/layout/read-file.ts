import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { MAX_DOCUMENT_SIZE } from '../oci/documents.js';
import { corrupt } from './errors.js';

/**
 * A link in the last part of the path is not followed (out of the layout, for example), and a named
 * pipe does not block. On Windows both flags are undefined, which counts as 0 here.
 */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface OpenFile {
  /** To be closed by the caller. */
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/**
 * Opens a regular file for reading; undefined where there is none.
 * @throws {ManifestToolError} CORRUPT where it is a symbolic link or anything else that is no
 * regular file.
 */
export async function openRegular(what: string, file: string): Promise<OpenFile | undefined> {
  const handle = await openNoFollow(what, file);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw corrupt(what, file, 'it is not a regular file');
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openNoFollow(what: string, file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, FLAGS);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'EMLINK') {
      throw corrupt(what, file, 'it is a symbolic link, which is not followed', {
        cause: error,
        hint: 'put the file itself in its place',
      });
    }
    throw error;
  }
}

/**
 * Reads a small regular file whole; undefined where there is none. `checkSize` sees the size before
 * anything is read.
 * @throws {ManifestToolError} CORRUPT where it is no regular file, or has more than
 * MAX_DOCUMENT_SIZE bytes.
 */
export async function readRegular(
  what: string,
  file: string,
  checkSize: (size: number) => void = () => {},
): Promise<Uint8Array | undefined> {
  const opened = await openRegular(what, file);
  if (opened === undefined) return undefined;
  const { handle, stats } = opened;
  try {
    checkSize(stats.size);
    if (stats.size > MAX_DOCUMENT_SIZE) {
      const limit = `more than the ${MAX_DOCUMENT_SIZE} that are read of a document`;
      throw corrupt(what, file, `it has ${stats.size} bytes, ${limit}`, {
        hint: 'check that it is what is meant: no index, manifest or configuration is that large',
      });
    }
    return await readBytes(handle, stats.size);
  } finally {
    await handle.close();
  }
}

/**
 * Reads `size` bytes, or fewer where the file has become shorter: a file that grows is read no
 * further.
 */
async function readBytes(handle: FileHandle, size: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
