import { ManifestToolError } from '../errors.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE, type Descriptor } from '../oci/documents.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../transport/http.js';
import { parseUrl } from '../transport/url.js';
import { send, unexpected, type Connection } from './connection.js';

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
  if (!isSuccess(response.status)) throw unexpected(connection, what, response);
  if (response.body.length !== size) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it has ${response.body.length} bytes, but the manifest that names it says ${size}`,
    );
  }
  return response.body;
}

/** HEAD /v2/NAME/blobs/DIGEST: whether the repository holds the blob (OCI distribution-spec, Checking if content exists). */
async function hasBlob(
  connection: Connection,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const what = `looking for ${connection.host}/${repository}@${digest}`;
  const response = await send(connection, {
    method: 'HEAD',
    path: `/v2/${repository}/blobs/${digest}`,
    what,
    maxBytes: 0,
    scopes: [{ repository, actions: ['pull'] }],
  });
  if (response.status === 404) return false;
  if (!isSuccess(response.status)) throw unexpected(connection, what, response);
  return true;
}

/**
 * POST /v2/NAME/blobs/uploads/?mount=DIGEST&from=SOURCE (OCI distribution-spec, Mounting a blob from another repository). Also answered
 * with 201 where the blob is there already, so nobody asks first; asked where the mount is refused.
 * @throws {ManifestToolError} where the blob is not in the repository afterwards.
 */
export async function mountBlob(
  connection: Connection,
  repository: string,
  digest: Digest,
  from: string,
): Promise<'mounted' | 'present'> {
  const what = `mounting ${digest} from ${connection.host}/${from} in ${connection.host}/${repository}`;
  let response: HttpResponse;
  try {
    response = await send(connection, {
      method: 'POST',
      path: `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
      what,
      maxBytes: MAX_ANSWER_OF_WRITE,
      scopes: [
        { repository, actions: ['pull', 'push'] },
        { repository: from, actions: ['pull'] },
      ],
    });
  } catch (error) {
    // The registry may have mounted it although its answer was lost.
    const isLost = error instanceof ManifestToolError && error.code === 'UNAVAILABLE';
    const isThere = isLost && (await hasBlob(connection, repository, digest).catch(() => false));
    if (isThere) return 'present';
    throw error;
  }
  if (response.status === 201) return 'mounted';
  if (response.status === 202)
    await cancelUpload(connection, repository, response.headers.first('location'), response.url);
  if (await hasBlob(connection, repository, digest)) return 'present';
  if (response.status !== 202) throw unexpected(connection, what, response);
  throw new ManifestToolError('FAILED', what, 'the registry does not mount blobs from there', {
    hint: 'build the images in the repository of the target, or allow mounting at the registry',
  });
}

/** Gives up the upload that a refused mount has opened. It ends by itself in time, so a failure is no matter. */
async function cancelUpload(
  connection: Connection,
  repository: string,
  location: string | undefined,
  base: URL,
): Promise<void> {
  const url = location === undefined ? undefined : parseUrl(location, base);
  if (url === undefined || url.origin !== base.origin) return;
  await connection
    .transport({
      method: 'DELETE',
      url,
      maxBytes: MAX_ANSWER_OF_WRITE,
      scopes: [{ repository, actions: ['pull', 'push'] }],
    })
    .catch(() => undefined);
}
