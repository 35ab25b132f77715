import { ManifestToolError, reasonOf, type ErrorCode } from '../errors.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import { digestOf, isDigest, matchesDigest, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE, NO_IMAGE_HINT, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { FieldError } from '../oci/json/fields.js';
import { MANIFEST_ACCEPT } from '../oci/media-types.js';
import { DamagedBody, isSuccess, type HttpResponse } from '../http/request.js';
import { send, unexpected, type Connection } from './connection.js';
import { answerFailure, partFailure, writeFailure } from './errors.js';
import { isWebPage } from './wire-error.js';

const MAX_ANSWER_OF_WRITE = 64 * 1024;

/**
 * GET /v2/NAME/manifests/REFERENCE (OCI distribution-spec, Pulling manifests). The bytes are checked against the digest asked for, or
 * for a tag against Docker-Content-Digest where the registry gives it; `size` is checked against `expected`.
 */
export async function getManifest(
  connection: Connection,
  repository: string,
  tagOrDigest: string,
  expected?: Descriptor,
): Promise<FetchedManifest> {
  const what = `reading ${imageName(connection, repository, tagOrDigest)}`;
  const response = await send(connection, {
    method: 'GET',
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    what,
    headers: { accept: MANIFEST_ACCEPT.join(', ') },
    maxBytes: MAX_DOCUMENT_SIZE,
    scopes: [{ repository, actions: ['pull'] }],
    check: (answer) => checkBytes(answer, tagOrDigest),
  });
  if (!isSuccess(response.status) || isWebPage(response))
    throw unexpected(
      connection,
      what,
      response,
      expected === undefined ? answerFailure : partFailure,
    );
  const { body } = response;
  const digest = isDigest(tagOrDigest) ? tagOrDigest : digestOf(body);
  if (expected !== undefined && expected.size !== body.length) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it has ${body.length} bytes, but the list that names it says ${expected.size}`,
      { hint: 'the list is wrong: publish it anew from its images, or ask who published it' },
    );
  }
  try {
    const parsed = parseDocument(
      body,
      response.headers.first('content-type') ?? expected?.mediaType,
    );
    return { ...parsed, digest, size: body.length, bytes: body };
  } catch (error) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it is no image manifest or list: ${reasonOf(error)}`,
      { cause: error, hint: (error instanceof FieldError && error.hint) || NO_IMAGE_HINT },
    );
  }
}

function checkBytes(answer: HttpResponse, tagOrDigest: string): void {
  if (isWebPage(answer)) return;
  const said = answer.headers.first('docker-content-digest');
  const digest = isDigest(tagOrDigest) ? tagOrDigest : said;
  if (digest !== undefined && isDigest(digest) && !matchesDigest(answer.body, digest)) {
    throw new DamagedBody(`what came does not have the digest ${digest}`);
  }
  if (
    said !== undefined &&
    isDigest(tagOrDigest) &&
    isDigest(said) &&
    !matchesDigest(answer.body, said)
  ) {
    throw new DamagedBody(`the registry calls it ${said}, which is not its digest`);
  }
}

/**
 * HEAD /v2/NAME/manifests/TAG: the digest that a tag names, undefined where there is no such tag (OCI distribution-spec, Checking if
 * content exists in the registry). A registry that does not give the digest is asked for the manifest.
 */
export async function tagDigest(
  connection: Connection,
  repository: string,
  tag: string,
): Promise<Digest | undefined> {
  const what = `looking for ${imageName(connection, repository, tag)}`;
  const response = await send(connection, {
    method: 'HEAD',
    path: `/v2/${repository}/manifests/${tag}`,
    what,
    headers: { accept: MANIFEST_ACCEPT.join(', ') },
    maxBytes: 0,
    scopes: [{ repository, actions: ['pull'] }],
  });
  if (response.status === 404) return undefined;
  const digest = response.headers.first('docker-content-digest');
  if (isSuccess(response.status) && digest !== undefined && isDigest(digest)) return digest;
  if (!isSuccess(response.status) && response.status !== 405) {
    throw unexpected(connection, what, response);
  }
  return (await getManifest(connection, repository, tag)).digest;
}

/** What a registry said when it took a manifest. */
export interface PutAnswer {
  /** The manifest that the new one refers to, where the registry lists it there (`OCI-Subject`). */
  readonly subject?: string;
}

/**
 * PUT /v2/NAME/manifests/REFERENCE with the exact bytes (OCI distribution-spec, Pushing Manifests). Where the registry says which
 * digest it stored, that must be ours: anything else was rewritten on the way.
 */
export async function putManifest(
  connection: Connection,
  repository: string,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<PutAnswer> {
  try {
    return await writeManifest(connection, repository, manifest, tagOrDigest);
  } catch (error) {
    // The registry may have done it although its answer was lost, or refuse the second try for what the first one did.
    const isUncertain = error instanceof ManifestToolError && UNCERTAIN.has(error.code);
    if (!isUncertain || !(await holdsManifest(connection, repository, manifest, tagOrDigest)))
      throw error;
    return {};
  }
}

/** Errors after which a write may have happened all the same; where it was not allowed or interrupted, nobody asks. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'CORRUPT', 'FAILED', 'REFUSED']);

/** Whether a tag or digest names exactly these bytes; false where that cannot be found out. */
async function holdsManifest(
  connection: Connection,
  repository: string,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<boolean> {
  try {
    const held = await getManifest(connection, repository, tagOrDigest);
    return matchesDigest(held.bytes, manifest.digest);
  } catch {
    return false;
  }
}

async function writeManifest(
  connection: Connection,
  repository: string,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<PutAnswer> {
  const what = `writing ${imageName(connection, repository, tagOrDigest)}`;
  const response = await send(connection, {
    method: 'PUT',
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    what,
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    maxBytes: MAX_ANSWER_OF_WRITE,
    scopes: [{ repository, actions: ['pull', 'push'] }],
  });
  if (response.status < 200 || response.status > 202 || isWebPage(response)) {
    throw unexpected(connection, what, response, writeFailure);
  }
  const stored = response.headers.first('docker-content-digest');
  if (stored !== undefined && isDigest(stored) && !matchesDigest(manifest.bytes, stored)) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `the registry stored ${stored} instead of ${manifest.digest}`,
      { hint: 'have the registry, or the proxy before it, keep manifests as they are sent' },
    );
  }
  const subject = response.headers.first('oci-subject');
  return subject === undefined ? {} : { subject };
}

function imageName({ host }: Connection, repository: string, tagOrDigest: string): string {
  return `${host}/${repository}${isDigest(tagOrDigest) ? '@' : ':'}${tagOrDigest}`;
}
