import { lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { ManifestToolError, systemCode } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { blobPath } from './paths.js';
import { openRegular, readRegular } from './read-file.js';
import { checkDigest, checkSize, verified, type ContentId } from './verify.js';
import { writeAtomically } from './write-file.js';

const CHUNK_SIZE = 256 * 1024;

/** Bytes as they come, in any way in which they may come. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Reads a small blob whole, checked against its digest and, where it is known, its size.
 * @throws {ManifestToolError} NOT_FOUND where there is none (which a layout may be: OCI image-spec,
 * image-layout.md, Blobs); CORRUPT where it is not what the digest says, is no regular file or has
 * more than MAX_DOCUMENT_SIZE bytes.
 */
export async function readBlob(
  what: string,
  root: string,
  digest: Digest,
  size: number | undefined,
): Promise<Uint8Array> {
  const file = blobPath(root, digest, what);
  const bytes = await readRegular(what, file, (actual) => checkSize(what, file, actual, size));
  if (bytes === undefined) throw missing(what, digest);
  checkDigest(what, file, bytes, digest);
  return bytes;
}

/**
 * Opens a blob of any size. The size is checked here; who reads the content has to check its
 * digest.
 * @throws {ManifestToolError} NOT_FOUND where there is none; CORRUPT where it is no regular file or
 * of another size.
 */
export async function openBlob(what: string, root: string, id: ContentId): Promise<Readable> {
  const file = blobPath(root, id.digest, what);
  const opened = await openRegular(what, file);
  if (opened === undefined) throw missing(what, id.digest);
  try {
    checkSize(what, file, opened.stats.size, id.size);
    return opened.handle.createReadStream({ highWaterMark: CHUNK_SIZE });
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

/**
 * Whether the blob is there; one of another size (cut short by a crash of some program) or a
 * symbolic link is not.
 */
export async function hasBlob(what: string, root: string, id: ContentId): Promise<boolean> {
  return (await blobSize(what, root, id.digest)) === id.size;
}

/** The size of a blob in bytes; undefined where there is none, or no regular file. */
export async function blobSize(
  what: string,
  root: string,
  digest: Digest,
): Promise<number | undefined> {
  try {
    const stats = await lstat(blobPath(root, digest, what));
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a blob, which appears under its name only when all of it is there and has the digest of
 * that name (OCI image-spec, image-layout.md, Blobs: the content MUST match the digest).
 * @throws {ManifestToolError} CORRUPT where the content is not what `id` says.
 */
export async function writeBlob(
  what: string,
  root: string,
  id: ContentId,
  content: () => Chunks | Promise<Chunks>,
): Promise<void> {
  const file = blobPath(root, id.digest, what);
  await mkdir(path.dirname(file), { recursive: true });
  await writeAtomically(file, async () => verified(what, `blob ${id.digest}`, id, await content()));
}

/** Writes a blob unless it is there. */
export async function putBlob(
  what: string,
  root: string,
  id: ContentId,
  bytes: Uint8Array,
): Promise<void> {
  if (!(await hasBlob(what, root, id))) await writeBlob(what, root, id, () => [bytes]);
}

function missing(what: string, digest: Digest): ManifestToolError {
  return new ManifestToolError('NOT_FOUND', what, `the layout has no blob ${digest}`, {
    hint: 'check the digest, or copy the whole image into the layout again',
  });
}
