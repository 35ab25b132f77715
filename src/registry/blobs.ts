import { Attempts, formatTries, withRestarts } from '../attempts.js';
import { ManifestToolError } from '../errors.js';
import { connectionFailure } from '../http/errors.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../http/request.js';
import { afterAttempts } from '../http/retry.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import type { Descriptor } from '../oci/descriptor.js';
import { verifiedContent, WrongContent, wrongSource } from '../oci/blob-stream.js';
import type { Connection } from './connection.js';
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
      `a configuration of ${size} bytes is more than ${MAX_DOCUMENT_SIZE}`,
      { hint: 'check what it is: no configuration of an image is that large' },
    );
  }
  const check = ({ body }: HttpResponse): void => {
    if (!matchesDigest(body, digest))
      throw new DamagedBody(`what came does not have the digest ${digest}`);
  };
  const response = await connection.send({ ...request, check });
  if (!isSuccess(response.status)) throw connection.unexpected(what, response, 'content');
  if (response.body.length !== size) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it has ${response.body.length} bytes, but the manifest that names it says ${size}`,
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
 * The size of a blob in bytes; undefined if the repository does not hold it, null if the registry
 * does not state it.
 */
export async function blobSize(
  connection: Connection,
  digest: Digest,
): Promise<number | null | undefined> {
  const request = requests.headBlob(connection, digest);
  const response = await connection.send(request);
  if (response.status === 404) return undefined;
  if (!isSuccess(response.status)) throw connection.unexpected(request.what, response);
  const length = response.headers.first('content-length');
  return length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : null;
}

/** Whether the repository holds a blob. */
export async function hasBlob(connection: Connection, digest: Digest): Promise<boolean> {
  return (await blobSize(connection, digest)) !== undefined;
}

/**
 * Whether the repository holds a blob although its upload or mount has failed: the answer may have
 * been lost. Asked once; false if that fails too.
 */
export async function hasArrived(connection: Connection, digest: Digest): Promise<boolean> {
  try {
    const response = await connection.send({
      ...requests.headBlob(connection, digest),
      retries: 0,
    });
    return isSuccess(response.status);
  } catch {
    return false;
  }
}
