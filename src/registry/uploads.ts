import { Attempts, withRestarts } from '../attempts.js';
import { ManifestToolError } from '../errors.js';
import type { HttpResponse } from '../http/request.js';
import { parseUrl } from '../http/url.js';
import type { ImageReader } from '../oci/content.js';
import { counted } from '../oci/blob-stream.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import { blobSize, hasBlob } from './blobs.js';
import { send, unexpected, type Call, type Connection } from './connection.js';

const MAX_ANSWER_OF_WRITE = 64 * 1024;
/** Time for the answer to an upload: a registry copies and hashes a blob before it answers. */
const COMMIT_TIMEOUT_MS = 15 * 60_000;

const LOCATION_HINT = 'have the registry, or the proxy before it, send the address of the upload';

/** What a blob is uploaded from. */
export type BlobSource = Pick<ImageReader, 'openBlob'>;

export interface UploadOptions {
  /** An upload session that is open already. */
  readonly session?: URL | undefined;
  /** Called with the number of bytes read so far; it is lower than before after a restart. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Attempts of the operation that the upload belongs to. */
  readonly attempts?: Attempts;
}

/**
 * Uploads a blob when there is room for another upload; it is verified on the way and never held in memory. After a transient failure it
 * starts again with another session. An upload whose answer was lost is looked for before it is repeated.
 * @throws {ManifestToolError} what source and target throw.
 */
export function uploadBlob(
  connection: Connection,
  repository: string,
  descriptor: Descriptor,
  source: BlobSource,
  { session: opened, onBytes, attempts = new Attempts(true) }: UploadOptions = {},
): Promise<void> {
  let session = opened;
  const upload = async (): Promise<void> => {
    session ??= await openUpload(connection, repository, attempts);
    // Opened before the write: if both are in one registry, a write that waits for its source could hold what the source needs.
    const first = await source.openBlob(descriptor, attempts);
    const content = replayable(first, () => source.openBlob(descriptor, attempts), onBytes);
    const address = session;
    // A session that was written to in part is not used again.
    session = undefined;
    try {
      await putBlob(connection, repository, address, descriptor, content, attempts);
    } catch (error) {
      if (!(await hasArrived(connection, repository, descriptor.digest))) throw error;
    }
  };
  return connection.copying(descriptor.size, () => withRestarts(attempts, upload));
}

/** The content of a blob, as often as it is needed: a request that gets another token is sent again. `first` is that of the first time. */
function replayable(
  first: AsyncIterable<Uint8Array>,
  reopen: () => Promise<AsyncIterable<Uint8Array>>,
  onBytes: UploadOptions['onBytes'],
): () => AsyncIterable<Uint8Array> {
  let opened: AsyncIterable<Uint8Array> | undefined = first;
  return async function* content() {
    const stream = opened ?? (await reopen());
    opened = undefined;
    yield* counted(stream, onBytes);
  };
}

/** Whether the repository holds a blob although its upload or mount has failed. Asked once; false if that fails too. */
async function hasArrived(
  connection: Connection,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  try {
    return (await blobSize(connection, repository, digest, { retries: 0 })) !== undefined;
  } catch {
    return false;
  }
}

/** POST /v2/NAME/blobs/uploads/ (OCI distribution-spec, Pushing a blob monolithically): opens a session. */
async function openUpload(
  connection: Connection,
  repository: string,
  attempts: Attempts,
): Promise<URL> {
  const what = `opening an upload in ${connection.host}/${repository}`;
  const response = await send(connection, {
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/`,
    what,
    maxBytes: MAX_ANSWER_OF_WRITE,
    scopes: [{ repository, actions: ['pull', 'push'] }],
    attempts,
  });
  // A 200 comes from something that answers so to everything, and is not a registry.
  if (response.status !== 202) throw unexpected(connection, what, response);
  return sessionOf(connection, what, response);
}

/** PUT of a whole blob to its session, with its digest. */
async function putBlob(
  connection: Connection,
  repository: string,
  session: URL,
  { digest, size }: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  attempts: Attempts,
): Promise<void> {
  const what = `uploading ${connection.host}/${repository}@${digest}`;
  // As text: setting a parameter would encode the whole query anew, and it may be signed.
  const query = `${session.search}${session.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const response = await send(connection, {
    method: 'PUT',
    path: `${session.pathname}${query}`,
    what,
    headers: { 'content-type': 'application/octet-stream' },
    upload: { length: size, open },
    maxBytes: MAX_ANSWER_OF_WRITE,
    answerTimeoutMs: COMMIT_TIMEOUT_MS,
    scopes: [{ repository, actions: ['pull', 'push'] }],
    attempts,
  });
  if (response.status < 200 || response.status > 204) throw unexpected(connection, what, response);
}

/** What a registry made of a mount: an open upload session to use instead, or a refusal. */
export type MountOutcome = 'mounted' | 'present' | 'refused' | URL;

/**
 * POST /v2/NAME/blobs/uploads/?mount=DIGEST&from=SOURCE (OCI distribution-spec, Mounting a blob from another repository). It is also
 * answered with 201 if the repository holds the blob already, so that is asked only after a refusal. `attempts` are shared with the upload
 * that follows a refusal.
 * @throws {ManifestToolError} if there is no answer, or the registry limits the rate of requests.
 */
export function mountBlob(
  connection: Connection,
  repository: string,
  digest: Digest,
  from: string,
  attempts: Attempts,
): Promise<MountOutcome> {
  const call = { ...mountCall(connection, repository, digest, from), attempts };
  const { what } = call;
  return withRestarts(attempts, async () => {
    let response: HttpResponse;
    try {
      response = await send(connection, call);
    } catch (error) {
      // The registry may have mounted it although its answer was lost.
      const isLost = error instanceof ManifestToolError && error.code === 'UNAVAILABLE';
      if (isLost && (await hasArrived(connection, repository, digest))) return 'present';
      throw error;
    }
    const { status } = response;
    if (status === 201) return 'mounted';
    // A registry that fails every mount may still take an upload: the last attempt is one.
    const isRepeated = status >= 502 && status <= 504 && attempts.mayRestart && !attempts.isLast;
    if (isRepeated || status === 408 || status === 429)
      throw unexpected(connection, what, response);
    const isThere = await hasBlob(connection, repository, digest);
    if (status === 202 && isThere) await cancelUpload(connection, repository, response);
    if (isThere) return 'present';
    return status === 202 ? sessionOf(connection, what, response) : 'refused';
  });
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

/**
 * The session that an answer names. It may be relative, or leave its scheme out, and its query is kept as it is; on another origin it is
 * refused, because what is sent there is signed (GHSA-jxpm-75mh-9fp7).
 * @throws {ManifestToolError} FAILED where there is none, or it is refused.
 */
export function sessionOf(connection: Connection, what: string, response: HttpResponse): URL {
  const refuse = (why: string, hint: string): ManifestToolError =>
    new ManifestToolError('FAILED', what, why, { hint });
  const location = response.headers.first('location');
  if (location === undefined) {
    throw refuse('the registry names no place to upload to (Location)', LOCATION_HINT);
  }
  const { url: base } = response;
  const isBare = location.startsWith(`${base.host}/`);
  const url = parseUrl(isBare ? `${base.protocol}//${location}` : location, base);
  if (url === undefined) {
    throw refuse('the place to upload to (Location) is no address', LOCATION_HINT);
  }
  if (url.origin === base.origin && url.username === '' && url.password === '') return url;
  const isDowngrade = url.host === base.host && url.protocol === 'http:';
  throw refuse(
    `the place to upload to (Location) is at ${url.origin}, which is not ${connection.host}`,
    isDowngrade
      ? 'the registry stands behind a proxy that ends TLS: have it send X-Forwarded-Proto'
      : 'nothing was sent there; have the registry name its own address',
  );
}
