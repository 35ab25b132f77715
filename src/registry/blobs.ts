import { Attempts, withRestarts } from '../attempts.js';
import { ManifestToolError } from '../errors.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { verifiedContent, WrongContent, wrongSource } from '../oci/blob-stream.js';
import { connectionFailure } from '../http/errors.js';
import { DamagedBody, isSuccess, type HttpRequest } from '../http/request.js';
import { afterAttempts } from '../http/retry.js';
import { send, unexpected, type Connection } from './connection.js';
import { partFailure } from './errors.js';

const MAX_ANSWER_OF_WRITE = 64 * 1024;

/** GET /v2/NAME/blobs/DIGEST of a small blob, checked against digest and size (OCI distribution-spec, Pulling blobs). */
export async function getBlob(
  connection: Connection,
  repository: string,
  { digest, size }: Descriptor,
): Promise<Uint8Array> {
  const what = `reading ${connection.host}/${repository}@${digest}`;
  if (size > MAX_DOCUMENT_SIZE) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `a configuration of ${size} bytes is more than ${MAX_DOCUMENT_SIZE}`,
      { hint: 'check what it is: no configuration of an image is that large' },
    );
  }
  const response = await send(connection, {
    method: 'GET',
    path: `/v2/${repository}/blobs/${digest}`,
    what,
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [{ repository, actions: ['pull'] }],
    check: ({ body }) => {
      if (!matchesDigest(body, digest))
        throw new DamagedBody(`what came does not have the digest ${digest}`);
    },
  });
  if (!isSuccess(response.status)) throw unexpected(connection, what, response, partFailure);
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
 * GET /v2/NAME/blobs/DIGEST of a blob of any size, as a stream. If the connection is lost on the way, the blob is read again and what has
 * been delivered is skipped. Digest and size are verified at the end; content that is damaged cannot be taken back, so that it is read
 * again only if the operation of `shared` restarts.
 */
export async function openBlob(
  connection: Connection,
  repository: string,
  descriptor: Descriptor,
  shared?: Attempts,
): Promise<AsyncIterable<Uint8Array>> {
  const attempts = shared ?? new Attempts(true);
  const what = `reading ${connection.host}/${repository}@${descriptor.digest}`;
  const open = (): Promise<OpenBlob> =>
    withRestarts(attempts, async () => {
      const response = await send(connection, {
        method: 'GET',
        path: `/v2/${repository}/blobs/${descriptor.digest}`,
        what,
        streamed: true,
        maxBytes: MAX_ANSWER_OF_WRITE,
        scopes: [{ repository, actions: ['pull'] }],
        attempts,
      });
      const { stream, url } = response;
      if (stream === undefined) throw unexpected(connection, what, response, partFailure);
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
      const { number } = attempts;
      if (
        shared !== undefined &&
        connection.retry.grant(shared, url, new DamagedBody(error.message))
      )
        shared.grantRestart();
      const tries = number > 1 ? ` (${number} tries)` : '';
      throw wrongSource(what, error, error.message + tries);
    }
  }
  return content(await open());
}

interface OpenBlob {
  readonly stream: AsyncIterable<Uint8Array>;
  /** Where it is read, after redirects. */
  readonly url: URL;
}

/** A stream that goes on with what `next` opens after an error, without what it has delivered already. */
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
 * HEAD /v2/NAME/blobs/DIGEST (OCI distribution-spec, Checking if content exists): the size of a blob in bytes, undefined where the
 * repository does not hold it, and null where the registry does not tell.
 */
export async function blobSize(
  connection: Connection,
  repository: string,
  digest: Digest,
  options: Pick<HttpRequest, 'retries'> = {},
): Promise<number | null | undefined> {
  const what = `looking for ${connection.host}/${repository}@${digest}`;
  const response = await send(connection, {
    method: 'HEAD',
    path: `/v2/${repository}/blobs/${digest}`,
    what,
    maxBytes: 0,
    scopes: [{ repository, actions: ['pull'] }],
    ...options,
  });
  if (response.status === 404) return undefined;
  if (!isSuccess(response.status)) throw unexpected(connection, what, response);
  const length = response.headers.first('content-length');
  return length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : null;
}

/** Whether the repository holds the blob. */
export async function hasBlob(
  connection: Connection,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  return (await blobSize(connection, repository, digest)) !== undefined;
}
