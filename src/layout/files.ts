import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../errors.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import { corrupt } from './errors.js';
import { isTemporary, temporaryPath } from './paths.js';

/**
 * Flags for reading: a symbolic link is not followed (it could lead out of the layout), and opening
 * a named pipe does not wait for a writer. Windows has neither flag; undefined counts as 0.
 */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const CHUNK_SIZE = 256 * 1024;

const NO_LINKS = 'it is a symbolic link, which is not followed';

/** A regular file that is open for reading. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/**
 * Opens a regular file for reading; the caller must close it. Undefined if there is no such file.
 * @throws {ManifestToolError} CORRUPT if it is a symbolic link or anything else but a regular file.
 */
export async function openRegular(what: string, file: string): Promise<OpenFile | undefined> {
  const handle = await openNoFollow(what, file);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw irregular(what, file);
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Runs `action` with a regular file that is open for reading, and closes it on every path.
 * @returns what `action` returns; undefined if there is no such file.
 * @throws {ManifestToolError} as {@link openRegular} does.
 */
export async function withRegularFile<T>(
  what: string,
  file: string,
  action: (opened: OpenFile) => T | Promise<T>,
): Promise<T | undefined> {
  const opened = await openRegular(what, file);
  if (opened === undefined) return undefined;
  try {
    return await action(opened);
  } finally {
    await opened.handle.close();
  }
}

async function openNoFollow(what: string, file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, READ_FLAGS);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'EMLINK') {
      const hint = 'replace the link with the file itself';
      throw corrupt(what, file, NO_LINKS, { cause: error, hint });
    }
    // A socket, or a device without a driver.
    if (code === 'ENXIO' || code === 'EOPNOTSUPP') throw irregular(what, file, error);
    throw error;
  }
}

function irregular(what: string, file: string, cause?: unknown): Error {
  return corrupt(what, file, 'it is not a regular file', { cause });
}

/**
 * Reads a whole JSON document; undefined if there is no such file. `checkSize` sees the size before
 * anything is read.
 * @throws {ManifestToolError} CORRUPT if it is not a regular file, or is larger than
 * MAX_DOCUMENT_SIZE.
 */
export function readDocument(
  what: string,
  file: string,
  checkSize: (size: number) => void = () => {},
): Promise<Uint8Array | undefined> {
  return withRegularFile(what, file, ({ handle, stats: { size } }) => {
    checkSize(size);
    if (size > MAX_DOCUMENT_SIZE) {
      const limit = `more than the limit of ${MAX_DOCUMENT_SIZE} for a document`;
      throw corrupt(what, file, `it has ${size} bytes, ${limit}`, {
        hint: 'check the digest: no index, manifest or config is that large',
      });
    }
    return readBytes(handle, size);
  });
}

/** Reads `size` bytes, fewer if the file has shrunk; a file that grows is not read further. */
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

/**
 * Reads an open file in chunks, to its end.
 *
 * This is not a stream: one that is destroyed while nothing reads it emits an error that nothing
 * handles.
 * @throws the reason of `signal` once it is aborted.
 */
export async function* readChunks(
  { handle, stats: { size } }: OpenFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; ;) {
    signal.throwIfAborted();
    // At the end of the file one byte more is asked for, in case it has grown.
    const length = Math.min(CHUNK_SIZE, Math.max(1, size - position));
    // A new buffer for each chunk, because the reader may still hold the last one.
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Refuses directories of a layout that are symbolic links: they could lead out of it, for reading
 * and for writing. A missing directory passes. This guards against layouts that were prepared, such
 * as unpacked archives, not against a program that changes one at the same time: Node has no
 * `openat`.
 * @throws {ManifestToolError} CORRUPT with the path of the link.
 */
export async function refuseLinks(what: string, ...directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    const stats = await lstat(directory).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (stats?.isSymbolicLink()) {
      const hint = 'replace the link with the directory itself';
      throw corrupt(what, directory, NO_LINKS, { hint });
    }
  }
}

/** What can be written to a file: a string, or bytes in chunks. */
export type Content = string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Replaces a file as a whole or not at all: writes a new file beside it, flushes it to the device,
 * and renames it. If anything fails, the new file is removed and `target` stays as it was.
 * `content` is called once the new file is open.
 */
export async function writeAtomically(
  target: string,
  content: () => Content | Promise<Content>,
): Promise<void> {
  const temporary = temporaryPath(target);
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

/** A temporary file of this age is not being written any more. */
const LEFTOVER_MS = 60 * 60 * 1000;

/** Removes temporary files of `targets` that interrupted writes have left. */
export async function removeLeftovers(...targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const prefix = `${path.basename(target)}.`;
    await removeLeftoversIn(path.dirname(target), (name) => name.startsWith(prefix));
  }
}

/** The same for all files of a directory. Links are not followed. */
export async function removeLeftoversIn(
  directory: string,
  isOurs: (name: string) => boolean = () => true,
): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.filter((each) => isTemporary(each) && isOurs(each))) {
    const file = path.join(directory, name);
    // Another program may remove it at the same time.
    const stats = await lstat(file).catch(() => undefined);
    const isOld = stats !== undefined && Date.now() - stats.mtimeMs > LEFTOVER_MS;
    if (isOld && stats.isFile()) await rm(file, { force: true });
  }
}
