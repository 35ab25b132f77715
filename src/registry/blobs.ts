import { Attempts, formatTries, withRestarts } from '../attempts.js';
import { ManifestToolError, type ErrorCode } from '../errors.js';
import { connectionFailure } from '../http/errors.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../http/request.js';
import { afterAttempts } from '../http/retry.js';
import { matchesDigest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import type { Descriptor } from '../oci/descriptor.js';
import { verifiedContent, WrongContent, wrongSource } from '../oci/blob-stream.js';
import type { Connection } from './connection.js';
import { isHeadRefused } from './errors.js';
import * as requests from './requests.js';

/**
 * Reads a small blob whole, checked against digest and size.
 * @throws {ManifestToolError} NOT_FOUND if there is none; CORRUPT if it is not what the descriptor
 * says, or too large.
 */
export async function getBlob(
  connection: Connection,
  { digest, size }: Descriptor,
): Promise<Uint8Array> {
  const request = requests.getBlob(connection, digest);
  const { what } = request;
  if (size > MAX_DOCUMENT_SIZE) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `the config has ${size} bytes, more than the limit of ${MAX_DOCUMENT_SIZE}`,
      { hint: 'check the descriptor: no image config is that large' },
    );
  }
  const check = ({ body }: HttpResponse): void => {
    if (!matchesDigest(body, digest))
      throw new DamagedBody(`the content received does not have the digest ${digest}`);
  };
  const response = await connection.send({ ...request, check });
  if (response.status !== 200) throw connection.unexpected(what, response, 'content');
  if (response.body.length !== size) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it has ${response.body.length} bytes, but the manifest that refers to it says ${size}`,
      { hint: 'the image is damaged: build and push it again' },
    );
  }
  return response.body;
}

/**
 * Opens a blob of any size as a stream. If the connection is lost on the way, the blob is read
 * again and what has been delivered is skipped. Digest and size are verified on the way; damaged
 * content cannot be taken back, so it is read again only if the operation of `shared` starts again.
 */
export async function openBlob(
  connection: Connection,
  descriptor: Descriptor,
  shared?: Attempts,
): Promise<AsyncIterable<Uint8Array>> {
  const attempts = shared ?? new Attempts(true);
  const request = requests.streamBlob(connection, descriptor.digest, attempts);
  const { what } = request;
  const open = (): Promise<OpenBlob> =>
    withRestarts(attempts, async () => {
      const response = await connection.send(request);
      const { stream, url } = response;
      if (stream === undefined) throw connection.unexpected(what, response, 'content');
      return { stream, url };
    });

  async function* content(first: OpenBlob): AsyncGenerator<Uint8Array, void, undefined> {
    let { url } = first;
    const next = async (error: unknown): Promise<AsyncIterable<Uint8Array>> => {
      if (!connection.retry.grant(attempts, url, error)) {
        throw connectionFailure(what, connection.host, afterAttempts(error, attempts.number));
      }
      const opened = await open();
      ({ url } = opened);
      return opened.stream;
    };
    try {
      yield* verifiedContent(descriptor, resumed(first.stream, next));
    } catch (error) {
      if (!(error instanceof WrongContent)) throw error;
      const why = error.message + formatTries(attempts.number);
      const damage = new DamagedBody(error.message);
      if (shared !== undefined && connection.retry.grant(shared, url, damage))
        shared.grantRestart();
      throw wrongSource(what, error, why);
    }
  }
  return content(await open());
}

interface OpenBlob {
  readonly stream: AsyncIterable<Uint8Array>;
  /** Where it is read, after redirects. */
  readonly url: URL;
}

/**
 * A stream that continues after an error with the stream that `next` opens, without what it has
 * delivered already.
 */
async function* resumed(
  first: AsyncIterable<Uint8Array>,
  next: (error: unknown) => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks = first[Symbol.asyncIterator]();
  let delivered = 0;
  let position = 0;
  try {
    for (;;) {
      let chunk: IteratorResult<Uint8Array>;
      try {
        chunk = await chunks.next();
      } catch (error) {
        chunks = (await next(error))[Symbol.asyncIterator]();
        position = 0;
        continue;
      }
      if (chunk.done === true) return;
      const fresh = chunk.value.subarray(Math.min(chunk.value.length, delivered - position));
      position += chunk.value.length;
      delivered += fresh.length;
      if (fresh.length > 0) yield fresh;
    }
  } finally {
    await chunks.return?.();
  }
}

/**
 * The size of a blob in bytes; undefined if the repository does not hold it. A registry that does
 * not state the size is taken to have the right one. HEAD is believed only if it confirms the
 * descriptor: some registries answer 404, a length of 0, or that of another blob.
 */
export async function blobSize(
  connection: Connection,
  descriptor: Descriptor,
): Promise<number | undefined> {
  const response = await connection.send(requests.headBlob(connection, descriptor.digest));
  const { status } = response;
  if (status === 200 && statedSize(response, descriptor) === descriptor.size)
    return descriptor.size;
  if (isSuccess(status) || status === 404 || isHeadRefused(response))
    return sizeByGet(connection, descriptor);
  throw connection.unexpected(`looking for ${connection.name}@${descriptor.digest}`, response);
}

/** The same by GET, whose content is not read. */
async function sizeByGet(
  connection: Connection,
  descriptor: Descriptor,
): Promise<number | undefined> {
  const request = requests.streamBlob(connection, descriptor.digest, new Attempts());
  const response = await connection.send(request);
  response.stream?.destroy();
  if (response.stream !== undefined) return statedSize(response, descriptor);
  if (response.status === 404 || response.status === 410) return undefined;
  throw connection.unexpected(request.what, response, 'content');
}

function statedSize({ headers }: HttpResponse, { size }: Descriptor): number {
  const length = headers.first('content-length');
  return length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : size;
}

/**
 * Whether the repository holds a blob, so that it need not be uploaded. A HEAD that says no is
 * believed: an upload does no harm.
 */
export async function hasBlob(
  connection: Connection,
  descriptor: Descriptor,
  { retries }: { readonly retries?: number } = {},
): Promise<boolean> {
  const request = requests.headBlob(connection, descriptor.digest);
  const response = await connection.send({ ...request, ...(retries !== undefined && { retries }) });
  const { status } = response;
  if (status === 404) return false;
  if (status === 200 && statedSize(response, descriptor) === descriptor.size) return true;
  if (!isSuccess(status) && !isHeadRefused(response))
    throw connection.unexpected(request.what, response);
  try {
    return (await sizeByGet(connection, descriptor)) === descriptor.size;
  } catch (error) {
    // A user without the right to read may still write: the upload decides.
    if (error instanceof ManifestToolError && UPLOADS_ANYWAY.has(error.code)) return false;
    throw error;
  }
}

const UPLOADS_ANYWAY: ReadonlySet<ErrorCode> = new Set(['DENIED', 'FAILED']);

/**
 * Whether the repository holds a blob although its upload or mount has failed: the answer may have
 * been lost. Asked once; false if that fails too.
 */
export async function hasArrived(connection: Connection, descriptor: Descriptor): Promise<boolean> {
  return hasBlob(connection, descriptor, { retries: 0 }).catch(() => false);
}
