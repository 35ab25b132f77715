import { ManifestToolError } from '../errors.js';
import type { Descriptor } from '../oci/documents.js';
import type { HttpResponse } from '../http/request.js';
import { parseUrl } from '../http/url.js';
import { send, unexpected, type Connection } from './connection.js';

const MAX_ANSWER_OF_WRITE = 64 * 1024;
/** A registry copies and hashes a blob before it answers. */
const COMMIT_TIMEOUT_MS = 15 * 60_000;

const LOCATION_HINT = 'have the registry, or the proxy before it, send the address of the upload';

/**
 * POST /v2/NAME/blobs/uploads/ (OCI distribution-spec, Pushing a blob monolithically): opens a session.
 * @returns where the blob goes.
 */
export async function openUpload(connection: Connection, repository: string): Promise<URL> {
  const what = `opening an upload in ${connection.host}/${repository}`;
  const response = await send(connection, {
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/`,
    what,
    maxBytes: MAX_ANSWER_OF_WRITE,
    scopes: [{ repository, actions: ['pull', 'push'] }],
  });
  // A 200 is that of something that is no registry, and says so to everything.
  if (response.status !== 202) throw unexpected(connection, what, response);
  return sessionOf(connection, what, response);
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

/** PUT of a whole blob to its session, with its digest. */
export async function putBlob(
  connection: Connection,
  repository: string,
  session: URL,
  { digest, size }: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const what = `uploading ${connection.host}/${repository}@${digest}`;
  // By text: to set a parameter would write the whole query anew, and it may be signed.
  const query = `${session.search}${session.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  const response = await send(connection, {
    method: 'PUT',
    path: `${session.pathname}${query}`,
    what,
    headers: { 'content-type': 'application/octet-stream' },
    upload: { length: size, open },
    maxBytes: MAX_ANSWER_OF_WRITE,
    answerTimeoutMs: COMMIT_TIMEOUT_MS,
    // A session that was written to half is not to be relied on: the caller begins anew.
    retries: 0,
    scopes: [{ repository, actions: ['pull', 'push'] }],
  });
  if (response.status < 200 || response.status > 204) throw unexpected(connection, what, response);
}
