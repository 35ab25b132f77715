import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { ManifestToolError, systemCode } from '../errors.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import { SOURCE_HINT, verifiedContent, WrongContent, wrongSource } from '../oci/blob-stream.js';
import { corrupt, layoutFailure } from './errors.js';
import { openRegular, readChunks, readDocument, refuseLinks, writeAtomically } from './files.js';
import { makeDirectory } from './make-directory.js';
import { blobPath, blobsPath } from './paths.js';

/** What identifies content: its digest and its size in bytes. */
export type ContentId = Pick<Descriptor, 'digest' | 'size'>;

/** Bytes in chunks. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Reads a whole small blob and checks it against its digest, and against its size if that is known.
 * @throws {ManifestToolError} NOT_FOUND if there is none (a layout may lack blobs: OCI image-spec,
 * image-layout.md, Blobs); CORRUPT if it does not match, is not a regular file, is reached through
 * a link, or is larger than MAX_DOCUMENT_SIZE.
 */
export async function readBlob(
  what: string,
  root: string,
  digest: Digest,
  size: number | undefined,
): Promise<Uint8Array> {
  const file = await locate(what, root, digest);
  const bytes = await readDocument(what, file, (actual) => checkSize(what, file, actual, size));
  if (bytes === undefined) throw missing(what, digest);
  if (!matchesDigest(bytes, digest)) {
    throw corrupt(what, file, `the content is damaged: its digest is not ${digest}`);
  }
  return bytes;
}

/**
 * Opens a blob of any size. Its size is checked here, its digest while it is read.
 * @throws {ManifestToolError} NOT_FOUND if there is none; CORRUPT if it is not a regular file, is
 * reached through a link, or has another size. While it is read, CORRUPT if its digest is another,
 * and INTERRUPTED once `signal` is aborted.
 */
export async function openBlob(
  what: string,
  root: string,
  id: ContentId,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const opened = await openChecked(what, root, id);
  await opened.handle.close();
  return blobContent(what, root, id, signal);
}

/**
 * The content of a blob. The file is opened when the first chunk is asked for, and closed at its
 * end, after an error, and when the reader stops early: content that is never read holds nothing.
 */
async function* blobContent(
  what: string,
  root: string,
  id: ContentId,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    signal.throwIfAborted();
    const opened = await openChecked(what, root, id);
    try {
      yield* verifiedContent(id, readChunks(opened, signal));
    } finally {
      await opened.handle.close();
    }
  } catch (error) {
    if (error instanceof WrongContent) throw wrongSource(what, error);
    throw layoutFailure(what, root, error);
  }
}

async function openChecked(what: string, root: string, { digest, size }: ContentId) {
  const file = await locate(what, root, digest);
  const opened = await openRegular(what, file);
  if (opened === undefined) throw missing(what, digest);
  try {
    checkSize(what, file, opened.stats.size, size);
    return opened;
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

/**
 * Whether the layout has a blob. One of another size (a program may have crashed while writing it)
 * or a symbolic link does not count.
 * @throws {ManifestToolError} CORRUPT if it is reached through a link.
 */
export async function hasBlob(what: string, root: string, id: ContentId): Promise<boolean> {
  return (await blobSize(what, root, id.digest)) === id.size;
}

/**
 * The size of a blob in bytes; undefined if there is none, or not as a regular file.
 * @throws {ManifestToolError} CORRUPT if it is reached through a link.
 */
export async function blobSize(
  what: string,
  root: string,
  digest: Digest,
): Promise<number | undefined> {
  try {
    const stats = await lstat(await locate(what, root, digest));
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a blob. It appears under its name only when it is complete and matches its digest (OCI
 * image-spec, image-layout.md, Blobs: the content MUST match the digest).
 * @throws {ManifestToolError} CORRUPT if the content does not match `id`, or the blob would be
 * reached through a link.
 */
export async function writeBlob(
  what: string,
  root: string,
  id: ContentId,
  content: () => Chunks | Promise<Chunks>,
): Promise<void> {
  const file = await locate(what, root, id.digest);
  await makeDirectory(path.dirname(file));
  await writeAtomically(file, async () => verifiedForWrite(what, id, await content()));
}

/** Writes a blob unless the layout has it. */
export async function putBlob(
  what: string,
  root: string,
  id: ContentId,
  bytes: Uint8Array,
): Promise<void> {
  if (!(await hasBlob(what, root, id))) await writeBlob(what, root, id, () => [bytes]);
}

/** @throws {ManifestToolError} CORRUPT if a size is known and `actual` is another. */
export function checkSize(
  what: string,
  file: string,
  actual: number,
  expected: number | undefined,
): void {
  if (expected === undefined || actual === expected) return;
  throw corrupt(what, file, `it has ${actual} bytes, its descriptor says ${expected}`);
}

/** The file of a blob, whose directories are not links. */
async function locate(what: string, root: string, digest: Digest): Promise<string> {
  const file = blobPath(root, digest, what);
  await refuseLinks(what, blobsPath(root), path.dirname(file));
  return file;
}

/**
 * Passes content through and verifies it before it is stored.
 * @throws {ManifestToolError} CORRUPT if it does not match `id`.
 */
export async function* verifiedForWrite(
  what: string,
  id: ContentId,
  content: Chunks,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* verifiedContent(id, content);
  } catch (error) {
    if (!(error instanceof WrongContent)) throw error;
    throw corrupt(what, `blob ${id.digest}`, error.message, { cause: error, hint: SOURCE_HINT });
  }
}

function missing(what: string, digest: Digest): ManifestToolError {
  return new ManifestToolError('NOT_FOUND', what, `the layout has no blob ${digest}`, {
    hint: 'check the digest, or copy the whole image into the layout again',
  });
}
