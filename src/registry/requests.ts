import type { Attempts } from '../attempts.js';
import type { HttpRequest, Scope } from '../http/request.js';
import type { ManifestContent } from '../oci/content.js';
import { isDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import { MANIFEST_ACCEPT, OCI_INDEX } from '../oci/media-types.js';

/** The repository that a request is for. */
export interface RepositoryName {
  /** `<name>` of the specification. */
  readonly repository: string;
  /** `host/repository`, for messages. */
  readonly name: string;
}

/**
 * A request to a registry. Its path holds only repository names, tags and digests that were checked
 * before.
 */
export interface Call extends Omit<HttpRequest, 'url'> {
  /** Path and query on the registry's origin. */
  readonly path: string;
  /** Another origin: that of a host which the registry has redirected the upload to. */
  readonly origin?: string;
  /** What the request does, for messages: `reading HOST/REPOSITORY:TAG`. */
  readonly what: string;
}

/**
 * Time for the answer to an upload, in milliseconds: a registry copies and hashes a blob before it
 * answers.
 */
const COMMIT_TIMEOUT_MS = 15 * 60_000;

const ACCEPT_MANIFESTS = { accept: MANIFEST_ACCEPT.join(', ') };

/** What reading a repository needs. */
export function pullScope(repository: string): Scope {
  return { repository, actions: ['pull'] };
}

/** What writing to a repository needs; it is read as well. */
export function pushScope(repository: string): Scope {
  return { repository, actions: ['pull', 'push'] };
}

/** GET /v2/ (OCI distribution-spec, Determining Support). */
export function getVersion(host: string): Call {
  return {
    method: 'GET',
    path: '/v2/',
    what: `checking the API version of ${host}`,
    maxBytes: MAX_DOCUMENT_SIZE,
  };
}

/** GET /v2/NAME/manifests/REFERENCE (OCI distribution-spec, Pulling manifests). */
export function getManifest(of: RepositoryName, tagOrDigest: string): Call {
  return {
    method: 'GET',
    path: manifestPath(of, tagOrDigest),
    what: `reading ${imageName(of, tagOrDigest)}`,
    headers: ACCEPT_MANIFESTS,
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [pullScope(of.repository)],
  };
}

/**
 * HEAD /v2/NAME/manifests/REFERENCE (OCI distribution-spec, Checking if content exists in the
 * registry).
 */
export function headManifest(of: RepositoryName, tagOrDigest: string): Call {
  return {
    ...getManifest(of, tagOrDigest),
    method: 'HEAD',
    what: `looking for ${imageName(of, tagOrDigest)}`,
    maxBytes: 0,
  };
}

/**
 * PUT /v2/NAME/manifests/REFERENCE, with further tags as `?tag=a&tag=b` (OCI distribution-spec,
 * Pushing Manifests).
 */
export function putManifest(
  of: RepositoryName,
  { mediaType, bytes }: ManifestContent,
  tagOrDigest: string,
  tags: readonly string[] = [],
): Call {
  const query = tags.map((tag) => `tag=${tag}`).join('&');
  return {
    method: 'PUT',
    path: `${manifestPath(of, tagOrDigest)}${query === '' ? '' : `?${query}`}`,
    what: `writing ${imageName(of, tagOrDigest)}`,
    headers: { 'content-type': mediaType },
    body: bytes,
    maxBytes: 0,
    scopes: [pushScope(of.repository)],
  };
}

/** GET /v2/NAME/referrers/DIGEST (OCI distribution-spec, Listing Referrers). */
export function getReferrers(of: RepositoryName, subject: Digest): Call {
  return {
    method: 'GET',
    path: `/v2/${of.repository}/referrers/${subject}`,
    what: `listing the referrers of ${imageName(of, subject)}`,
    headers: { accept: OCI_INDEX },
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [pullScope(of.repository)],
  };
}

/** Tags that a page of the list may have: the most that common registries send at a time. */
const TAGS_OF_A_PAGE = 1000;

/** GET /v2/NAME/tags/list (OCI distribution-spec, Listing Tags). */
export function getTags(of: RepositoryName): Call {
  return {
    method: 'GET',
    path: `/v2/${of.repository}/tags/list?n=${TAGS_OF_A_PAGE}`,
    what: `listing the tags of ${of.name}`,
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [pullScope(of.repository)],
  };
}

/** GET /v2/NAME/blobs/DIGEST of a small blob (OCI distribution-spec, Pulling blobs). */
export function getBlob(of: RepositoryName, digest: Digest): Call {
  return {
    method: 'GET',
    path: blobPath(of, digest),
    what: `reading ${imageName(of, digest)}`,
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [pullScope(of.repository)],
  };
}

/** The same of a blob of any size, read as a stream. */
export function streamBlob(of: RepositoryName, digest: Digest, attempts: Attempts): Call {
  return { ...getBlob(of, digest), streamed: true, attempts };
}

/** HEAD /v2/NAME/blobs/DIGEST (OCI distribution-spec, Checking if content exists). */
export function headBlob(of: RepositoryName, digest: Digest): Call {
  return {
    ...getBlob(of, digest),
    method: 'HEAD',
    what: `looking for ${imageName(of, digest)}`,
    maxBytes: 0,
  };
}

/**
 * POST /v2/NAME/blobs/uploads/?mount=DIGEST&from=SOURCE (OCI distribution-spec, Mounting a blob
 * from another repository).
 */
export function mountBlob(of: RepositoryName, digest: Digest, from: RepositoryName): Call {
  const query = `mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.repository)}`;
  return {
    method: 'POST',
    path: `${uploadsPath(of)}?${query}`,
    what: `mounting ${digest} from ${from.name} in ${of.name}`,
    maxBytes: 0,
    scopes: [pushScope(of.repository), pullScope(from.repository)],
  };
}

/** POST /v2/NAME/blobs/uploads/ (OCI distribution-spec, Pushing a blob monolithically). */
export function openUpload(of: RepositoryName, attempts: Attempts): Call {
  return {
    method: 'POST',
    path: uploadsPath(of),
    what: `starting an upload to ${of.name}`,
    maxBytes: 0,
    scopes: [pushScope(of.repository)],
    attempts,
  };
}

/** The content of a blob, to be sent as a stream. */
export interface BlobContent {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  /** Called each time the request is sent. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** PUT of a whole blob to its session (OCI distribution-spec, POST then PUT). */
export function putUpload(
  of: RepositoryName,
  session: URL,
  { digest, size, open }: BlobContent,
  attempts: Attempts,
): Call {
  return {
    ...closeUpload(of, session, digest, attempts),
    ...contentOf({ size, open }),
  };
}

/** PATCH of a whole blob to its session (OCI distribution-spec, Pushing a blob in chunks). */
export function patchUpload(
  of: RepositoryName,
  session: URL,
  { digest, size, open }: BlobContent,
  attempts: Attempts,
): Call {
  return {
    ...closeUpload(of, session, digest, attempts),
    method: 'PATCH',
    ...sessionAddress(session),
    ...contentOf({ size, open }),
  };
}

function contentOf({
  size,
  open,
}: Pick<BlobContent, 'size' | 'open'>): Pick<Call, 'headers' | 'upload'> {
  return {
    headers: { 'content-type': 'application/octet-stream' },
    upload: { length: size, open },
  };
}

/** PUT that ends a session with the digest of what it has received. */
export function closeUpload(
  of: RepositoryName,
  session: URL,
  digest: Digest,
  attempts: Attempts,
): Call {
  // As text: setting a parameter would encode the whole query anew, and it may be signed.
  const separator = session.search === '' ? '?' : '&';
  const { origin, path } = sessionAddress(session);
  return {
    method: 'PUT',
    origin,
    path: `${path}${separator}digest=${encodeURIComponent(digest)}`,
    what: `uploading ${imageName(of, digest)}`,
    maxBytes: 0,
    answerTimeoutMs: COMMIT_TIMEOUT_MS,
    scopes: [pushScope(of.repository)],
    attempts,
  };
}

/** DELETE of an upload session (OCI distribution-spec, Canceling an upload). */
export function deleteUpload(of: RepositoryName, session: URL): Call {
  return {
    method: 'DELETE',
    ...sessionAddress(session),
    what: `canceling an upload in ${of.name}`,
    maxBytes: 0,
    retries: 0,
    acceptsRefusal: true,
    scopes: [pushScope(of.repository)],
  };
}

/** DELETE of a tag, a manifest or a blob (OCI distribution-spec, Content Management). */
export function deleteContent(
  of: RepositoryName,
  kind: 'manifests' | 'blobs',
  reference: string,
): Call {
  return {
    method: 'DELETE',
    path: `/v2/${of.repository}/${kind}/${reference}`,
    what: `deleting ${imageName(of, reference)}`,
    maxBytes: 0,
    retries: 1,
    // Not announced with the other scopes: a token server may refuse every request that has it.
    scopes: [{ repository: of.repository, actions: ['delete'] }],
  };
}

function sessionAddress({ origin, pathname, search }: URL) {
  return { origin, path: `${pathname}${search}` };
}

function manifestPath({ repository }: RepositoryName, tagOrDigest: string): string {
  return `/v2/${repository}/manifests/${tagOrDigest}`;
}

function blobPath({ repository }: RepositoryName, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`;
}

function uploadsPath({ repository }: RepositoryName): string {
  return `/v2/${repository}/blobs/uploads/`;
}

function imageName({ name }: RepositoryName, tagOrDigest: string): string {
  return `${name}${isDigest(tagOrDigest) ? '@' : ':'}${tagOrDigest}`;
}
