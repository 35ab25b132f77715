import { Attempts, formatTries, withRestarts } from '../attempts.js';
import { detailsOf, ManifestToolError } from '../errors.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../http/request.js';
import { resolveHeaderUrl } from '../http/url.js';
import type { ImageReader } from '../oci/content.js';
import { counted } from '../oci/blob-stream.js';
import { algorithmPart, isDigest } from '../oci/digest.js';
import type { Descriptor } from '../oci/descriptor.js';
import { hasArrived, hasBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { RegistryError } from './errors.js';
import type { Call } from './requests.js';
import * as requests from './requests.js';

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
 * Uploads a blob when the limit allows it; its content is never held in memory. After a transient
 * failure, or if the registry has lost the session, the upload starts again with another session,
 * unless the blob has arrived and only the answer was lost. A registry that ignores the body of the
 * PUT gets the blob once more by PATCH.
 * @throws {ManifestToolError} what source and target throw.
 */
export function uploadBlob(
  connection: Connection,
  descriptor: Descriptor,
  source: BlobSource,
  { session: opened, onBytes, attempts = new Attempts(true) }: UploadOptions = {},
): Promise<void> {
  let session = opened;
  let send = putBlob;
  const upload = async (): Promise<void> => {
    session ??= await openUpload(connection, attempts);
    // Opened before the write: if both are in one registry, a write that waits for its source could
    // hold what the source needs.
    const first = await source.openBlob(descriptor, attempts);
    const open = replayable(first, () => source.openBlob(descriptor, attempts), onBytes);
    const address = session;
    // A session that was written to in part is not used again.
    session = undefined;
    try {
      await send(connection, address, { ...descriptor, open }, attempts);
    } catch (error) {
      if (await hasArrived(connection, descriptor)) return;
      if (!(error instanceof OtherContent) || send === patchBlob) throw error;
      send = patchBlob;
      await upload();
    }
  };
  const what = `uploading ${connection.name}@${descriptor.digest}`;
  const { size } = descriptor;
  const { signal } = connection;
  return connection.uploads.run({ what, size, signal }, () => withRestarts(attempts, upload));
}

/** The registry has received something else than the blob. */
class OtherContent extends ManifestToolError {}

/**
 * The content of a blob, as often as it is needed: a request that gets another token is sent again.
 * `first` is that of the first time.
 */
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

async function openUpload(connection: Connection, attempts: Attempts): Promise<URL> {
  const request = requests.openUpload(connection, attempts);
  const response = await connection.send(request);
  // A 200 comes from something that answers so to everything, and is not a registry.
  if (response.status !== 202) throw connection.unexpected(request.what, response, 'upload');
  return sessionOf(connection, request.what, response);
}

/** Sends a blob in the PUT that ends the session, which most registries accept. */
async function putBlob(
  connection: Connection,
  session: URL,
  content: requests.BlobContent,
  attempts: Attempts,
): Promise<void> {
  const request = requests.putUpload(connection, session, content, attempts);
  checkStored(connection, request, await connection.send(request), content);
}

/** Sends a blob in a PATCH of its own, for registries that ignore the body of the PUT. */
async function patchBlob(
  connection: Connection,
  session: URL,
  content: requests.BlobContent,
  attempts: Attempts,
): Promise<void> {
  const patch = requests.patchUpload(connection, session, content, attempts);
  const taken = await connection.send(patch);
  if (!isAccepted(taken)) throw uploadFailure(connection, patch, taken);
  const hasMoved = taken.headers.first('location') !== undefined;
  const next = hasMoved ? sessionOf(connection, patch.what, taken) : session;
  const request = requests.closeUpload(connection, next, content.digest, attempts);
  checkStored(connection, request, await connection.send(request), content);
}

/** @throws {ManifestToolError} unless the answer to the end of an upload is that it is stored. */
function checkStored(
  connection: Connection,
  request: Call,
  response: HttpResponse,
  { digest }: requests.BlobContent,
): void {
  if (!isAccepted(response)) throw uploadFailure(connection, request, response);
  const stored = response.headers.first('docker-content-digest') ?? '';
  const isOther =
    isDigest(stored) && stored !== digest && algorithmPart(stored) === algorithmPart(digest);
  if (!isOther) return;
  const why = `the registry stored ${stored} instead`;
  throw new OtherContent('CORRUPT', request.what, why, {
    hint: 'configure the registry, or the proxy in front of it, to keep blobs as they are sent',
  });
}

/** Statuses by which registries accept a part of an upload, or its end. */
function isAccepted({ status }: HttpResponse): boolean {
  return status >= 200 && status <= 204;
}

/**
 * The error for a part of an upload that was not accepted. A session that is lost, for example
 * because the registry has restarted, is begun anew if there is another attempt.
 */
function uploadFailure(
  connection: Connection,
  { what, attempts }: Call,
  response: HttpResponse,
): ManifestToolError {
  const failure = connection.unexpected(what, response);
  const answer = new RegistryError(response);
  if (answer.isUploadLost) {
    const lost = new DamagedBody('the registry has lost the upload');
    if (attempts !== undefined && connection.retry.grant(attempts, response.url, lost))
      attempts.grantRestart();
    const why = `${lost.message} (${answer.summary})${formatTries(attempts?.number)}`;
    return new ManifestToolError('UNAVAILABLE', what, why, {
      cause: failure,
      reason: 'registry-unavailable',
    });
  }
  if (!answer.isOtherContent) return failure;
  const { code, why, cause } = failure;
  return new OtherContent(code, what, why, { ...detailsOf(failure), cause });
}

/** What came of a mount; a URL is an upload session that the registry has opened instead. */
export type MountOutcome = 'mounted' | 'present' | 'refused' | URL;

/**
 * Mounts a blob from another repository. A registry may answer 201 for a blob that the repository
 * holds already, so that is asked only after a refusal. `attempts` are shared with the upload that
 * follows a refusal.
 * @throws {ManifestToolError} if there is no answer, or the registry limits the rate of requests.
 */
export function mountBlob(
  connection: Connection,
  descriptor: Descriptor,
  from: Connection,
  attempts: Attempts,
): Promise<MountOutcome> {
  const request = { ...requests.mountBlob(connection, descriptor.digest, from), attempts };
  const { what } = request;
  return withRestarts(attempts, async () => {
    let response: HttpResponse;
    try {
      response = await connection.send(request);
    } catch (error) {
      // No token covers both repositories.
      if (error instanceof ManifestToolError && error.code === 'DENIED') return 'refused';
      const isLost = error instanceof ManifestToolError && error.code === 'UNAVAILABLE';
      if (isLost && (await hasArrived(connection, descriptor))) return 'present';
      throw error;
    }
    const { status } = response;
    if (status === 201) return 'mounted';
    // A registry that fails every mount may still accept an upload, so the last attempt is one.
    const isRepeated = status >= 502 && status <= 504 && attempts.mayRestart && !attempts.isLast;
    if (isRepeated || status === 408 || status === 429) throw connection.unexpected(what, response);
    const isThere = await hasBlob(connection, descriptor);
    if (status === 202 && isThere) await cancelUpload(connection, response);
    if (isThere) return 'present';
    return status === 202 ? sessionOf(connection, what, response) : 'refused';
  });
}

/**
 * Checks that the credentials allow to push: opens an upload, as a push does, and cancels it.
 * @throws {ManifestToolError} DENIED if the registry refuses; NOT_FOUND if the repository does not
 * exist; otherwise what the answer means.
 */
export async function checkPush(connection: Connection): Promise<void> {
  const what = `checking the right to push to ${connection.name}`;
  const request = { ...requests.openUpload(connection, new Attempts()), what };
  const response = await connection.send(request);
  if (response.status === 202) await cancelUpload(connection, response);
  else if (!isSuccess(response.status)) throw connection.unexpected(what, response, 'write');
}

/**
 * Cancels the upload session that an answer has opened. It would expire anyway, so a failure is
 * ignored.
 */
export async function cancelUpload(connection: Connection, response: HttpResponse): Promise<void> {
  try {
    const session = sessionOf(connection, 'canceling an upload', response);
    await connection.send(requests.deleteUpload(connection, session));
  } catch {
    // It is gone, or will be.
  }
}

const LOCATION_HINT =
  'configure the registry, or the proxy in front of it, to send the address of the upload';

/**
 * The upload session that an answer names. Its address may be relative, or without its scheme, and
 * its query is kept as it is. It is at the host that answered, which the registry may have
 * redirected to, or at the registry; any other is refused (GHSA-jxpm-75mh-9fp7).
 * @throws {ManifestToolError} FAILED if there is none, or it is refused.
 */
function sessionOf(connection: Connection, what: string, response: HttpResponse): URL {
  const refuse = (why: string, hint: string): ManifestToolError =>
    new ManifestToolError('FAILED', what, why, { hint });
  const location = response.headers.first('location');
  if (location === undefined) {
    throw refuse('the registry returned no upload location (Location header)', LOCATION_HINT);
  }
  const { url: base } = response;
  const url = resolveHeaderUrl(location, base);
  if (url === undefined) {
    throw refuse('the upload location (Location header) is not a valid address', LOCATION_HINT);
  }
  const isKnown = url.origin === base.origin || connection.isOwn(url);
  if (isKnown && url.username === '' && url.password === '') return url;
  const isDowngrade = url.host === base.host && url.protocol === 'http:';
  throw refuse(
    `the upload location (Location header) is at ${url.origin}, which is not ${connection.host}`,
    isDowngrade
      ? 'the registry is behind a proxy that ends TLS: configure it to send X-Forwarded-Proto'
      : 'nothing was sent there; configure the registry to use its own address',
  );
}
