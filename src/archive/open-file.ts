import { randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { fileReason, ManifestToolError, systemCode } from '../errors.js';
import { compressionOf, MAGIC_LENGTH, type Compression } from './compression.js';
import { damaged, unusable } from './errors.js';
import { readExactly, type TarFile } from './tar-index.js';

/**
 * Limit of decompressed bytes: at least this many, or this multiple of the compressed size. Layers
 * of real images stay far below it; a small file that would fill the disk does not.
 */
const MIN_LIMIT = 1024 ** 3;
const MAX_RATIO = 200;

/** How content is compressed, by its first bytes; undefined if it is not. */
export async function compressionAt(
  file: Pick<TarFile, 'handle'>,
  offset: number,
): Promise<Compression | undefined> {
  return compressionOf(await readExactly(file, offset, MAGIC_LENGTH));
}

/**
 * Opens an archive for reading; the caller must close its handle. An archive that is compressed
 * with gzip, or with zstd if Node.js supports it, is decompressed into a temporary file that is
 * unlinked at once, so that it disappears with the handle.
 * @throws {ManifestToolError} NOT_FOUND if there is no such file; FAILED if it is not a regular
 * file, or compressed in another way; CORRUPT if the compressed data is damaged or too large.
 * @throws the error of the file system, or the reason of `signal`.
 */
export async function openTarFile(
  what: string,
  file: string,
  signal: AbortSignal,
): Promise<TarFile> {
  const handle = await openRegular(what, file);
  try {
    const { size } = await handle.stat();
    if (size === 0)
      throw unusable(what, `${file} is empty`, 'check that it was written completely');
    const compression = await compressionAt({ handle }, 0);
    if (compression === undefined) return { path: file, handle, size };
    const unpacked = await decompress(what, { path: file, handle, size }, compression, signal);
    await handle.close();
    return unpacked;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Follows links: which file is the archive is for the user to say. */
async function openRegular(what: string, file: string): Promise<FileHandle> {
  // Opening a named pipe does not wait for a writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw unusable(what, `the file ${file} does not exist`, 'check the path', 'NOT_FOUND');
    },
  );
  const stats = await handle.stat();
  if (stats.isFile()) return handle;
  await handle.close();
  if (stats.isDirectory()) {
    throw unusable(
      what,
      `${file} is a directory, not an archive`,
      `for an OCI image layout, use oci-layout://${file}`,
    );
  }
  throw unusable(what, `${file} is not a regular file`, 'write the archive to a file first');
}

async function decompress(
  what: string,
  { path: file, handle, size }: TarFile,
  compression: Compression,
  signal: AbortSignal,
): Promise<TarFile> {
  const decompressor = decompressorFor(compression);
  if (decompressor === undefined) {
    throw unusable(
      what,
      `${file} is compressed with ${compression}, which is not supported`,
      `decompress it first: ${compression} -d`,
    );
  }
  const target = await openUnnamed();
  const limit = Math.max(MIN_LIMIT, size * MAX_RATIO);
  let length = 0;
  const source = createReadStream(file, { fd: handle, start: 0, autoClose: false });
  const write = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      if (length + chunk.length > limit) {
        throw damaged(what, file, `it has more than ${limit} bytes when decompressed`);
      }
      await target.writeFile(chunk);
      length += chunk.length;
    }
  };
  try {
    await pipeline(source, decompressor, write, { signal });
    return { path: file, handle: target, size: length };
  } catch (error) {
    await target.close();
    throw decompressError(what, file, compression, error);
  }
}

function decompressorFor(compression: Compression): Duplex | undefined {
  if (compression === 'gzip') return zlib.createGunzip();
  // Node.js has it since 22.15 and 23.8.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Duplex };
  return compression === 'zstd' ? createZstdDecompress?.() : undefined;
}

/** A temporary file that is unlinked already, so that nothing has to remove it. */
async function openUnnamed(): Promise<FileHandle> {
  const file = path.join(tmpdir(), `manifest-tool-${randomBytes(8).toString('hex')}.tar`);
  const handle = await open(file, 'wx+', 0o600);
  await rm(file, { force: true });
  return handle;
}

function decompressError(
  what: string,
  file: string,
  compression: Compression,
  error: unknown,
): unknown {
  const code = systemCode(error) ?? '';
  if (error instanceof ManifestToolError || code === 'ABORT_ERR') return error;
  if (/^(?:Z_|ZSTD_)/.test(code)) {
    return damaged(what, file, `its ${compression} data is damaged or incomplete`, error);
  }
  const why = `${file} cannot be decompressed into ${tmpdir()}: ${fileReason(error)}`;
  return new ManifestToolError('FAILED', what, why, {
    cause: error,
    hint: `free some space there, or set TMPDIR, or decompress it yourself: ${compression} -d`,
  });
}
