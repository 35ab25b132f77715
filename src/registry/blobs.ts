import { ManifestToolError } from '../errors.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE, type Descriptor } from '../oci/documents.js';
import { connectionFailure } from '../http/errors.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../http/request.js';
import { send, unexpected, type Call, type Connection } from './connection.js';
import { partFailure } from './errors.js';
import { sessionOf } from './uploads.js';

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
 * GET /v2/NAME/blobs/DIGEST of a blob of any size, to be read as it comes. Where the connection is lost on the way it is asked for again,
 * and what has been handed out already is passed over.
 */
export async function openBlob(
  connection: Connection,
  repository: string,
  { digest }: Descriptor,
): Promise<AsyncIterable<Uint8Array>> {
  const what = `reading ${connection.host}/${repository}@${digest}`;
  const open = async (): Promise<AsyncIterable<Uint8Array>> => {
    const response = await send(connection, {
      method: 'GET',
      path: `/v2/${repository}/blobs/${digest}`,
      what,
      streamed: true,
      maxBytes: MAX_ANSWER_OF_WRITE,
      scopes: [{ repository, actions: ['pull'] }],
    });
    if (response.stream === undefined) throw unexpected(connection, what, response, partFailure);
    return response.stream;
  };
  return resumed(connection, what, await open(), open);
}

async function* resumed(
  connection: Connection,
  what: string,
  first: AsyncIterable<Uint8Array>,
  open: () => Promise<AsyncIterable<Uint8Array>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let delivered = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      let passed = 0;
      for await (const chunk of attempt === 1 ? first : await open()) {
        const fresh = chunk.subarray(Math.max(0, Math.min(chunk.length, delivered - passed)));
        passed += chunk.length;
        if (fresh.length === 0) continue;
        delivered += fresh.length;
        yield fresh;
      }
      return;
    } catch (error) {
      const failure = connectionFailure(what, connection.host, error);
      if (failure.code !== 'UNAVAILABLE' || !(await connection.again(failure.why, attempt))) {
        throw failure;
      }
    }
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
): Promise<number | null | undefined> {
  const what = `looking for ${connection.host}/${repository}@${digest}`;
  const response = await send(connection, {
    method: 'HEAD',
    path: `/v2/${repository}/blobs/${digest}`,
    what,
    maxBytes: 0,
    scopes: [{ repository, actions: ['pull'] }],
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

/** What a registry made of a mount: an open upload session to use instead, or a refusal. */
export type MountOutcome = 'mounted' | 'present' | 'refused' | URL;

/**
 * POST /v2/NAME/blobs/uploads/?mount=DIGEST&from=SOURCE (OCI distribution-spec, Mounting a blob from another repository). Also answered
 * with 201 where the blob is there already, so nobody asks first; asked where the mount is refused.
 * @throws {ManifestToolError} where there is no answer.
 */
export async function mountBlob(
  connection: Connection,
  repository: string,
  digest: Digest,
  from: string,
): Promise<MountOutcome> {
  const call = mountCall(connection, repository, digest, from);
  const { what } = call;
  let response: HttpResponse;
  try {
    response = await send(connection, call);
  } catch (error) {
    // The registry may have mounted it although its answer was lost.
    const isLost = error instanceof ManifestToolError && error.code === 'UNAVAILABLE';
    const isThere = isLost && (await hasBlob(connection, repository, digest).catch(() => false));
    if (isThere) return 'present';
    throw error;
  }
  if (response.status === 201) return 'mounted';
  if (response.status === 408 || response.status === 429)
    throw unexpected(connection, what, response);
  const isThere = await hasBlob(connection, repository, digest);
  if (response.status === 202 && isThere) await cancelUpload(connection, repository, response);
  if (isThere) return 'present';
  return response.status === 202 ? sessionOf(connection, what, response) : 'refused';
}

/** The request of a mount. */
export function mountCall(
  { host }: Connection,
  repository: string,
  digest: Digest,
  from: string,
): Call {
  return {
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
    what: `mounting ${digest} from ${host}/${from} in ${host}/${repository}`,
    maxBytes: MAX_ANSWER_OF_WRITE,
    scopes: [
      { repository, actions: ['pull', 'push'] },
      { repository: from, actions: ['pull'] },
    ],
  };
}

/** Gives up an upload that nothing is to be written to. It ends by itself in time, so a failure is no matter. */
export async function cancelUpload(
  connection: Connection,
  repository: string,
  response: HttpResponse,
): Promise<void> {
  try {
    await connection.transport({
      method: 'DELETE',
      url: sessionOf(connection, 'giving up an upload', response),
      maxBytes: MAX_ANSWER_OF_WRITE,
      retries: 0,
      scopes: [{ repository, actions: ['pull', 'push'] }],
    });
  } catch {
    // It is gone, or will be.
  }
}
