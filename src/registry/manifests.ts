import { ManifestToolError, reasonOf, type ErrorCode } from '../errors.js';
import { DamagedBody, type HttpResponse } from '../http/request.js';
import { isWebPage } from '../http/web-page.js';
import type { FetchedManifest, ManifestContent, TagReading } from '../oci/content.js';
import { digestOf, isDigest, matchesDigest, type Digest } from '../oci/digest.js';
import { AmbiguousDocument, NO_IMAGE_HINT, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { faultHint } from '../oci/json/fields.js';
import type { Connection } from './connection.js';
import { isHeadRefused } from './errors.js';
import * as requests from './requests.js';

/**
 * Reads a manifest. Its bytes are checked against the digest asked for, or for a tag against
 * Docker-Content-Digest if the registry sends it; its size is checked against `expected`.
 * @throws {ManifestToolError} NOT_FOUND if there is none; CORRUPT if it is not what was asked for,
 * or not a manifest.
 */
export async function getManifest(
  connection: Connection,
  tagOrDigest: string,
  expected?: Descriptor,
): Promise<FetchedManifest> {
  const request = requests.getManifest(connection, tagOrDigest);
  const { what } = request;
  const response = await fetchManifest(connection, tagOrDigest);
  if (!isContent(response)) {
    throw connection.unexpected(what, response, expected === undefined ? undefined : 'content');
  }
  const { body } = response;
  const digest = isDigest(tagOrDigest) ? tagOrDigest : digestOf(body);
  if (expected !== undefined && expected.size !== body.length) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `it has ${body.length} bytes, but the index that refers to it says ${expected.size}`,
      { hint: 'the index is wrong: publish it again from its images, or ask its publisher' },
    );
  }
  try {
    const parsed = parseDocument(
      body,
      response.headers.first('content-type') ?? expected?.mediaType,
    );
    return { ...parsed, digest, size: body.length, bytes: body };
  } catch (error) {
    const why =
      error instanceof AmbiguousDocument
        ? error.message
        : `it is neither an image manifest nor an index: ${reasonOf(error)}`;
    const hint = faultHint(error) ?? NO_IMAGE_HINT;
    throw new ManifestToolError('CORRUPT', what, why, { cause: error, hint });
  }
}

/** The answer to GET of a manifest; one with content has its bytes checked. */
function fetchManifest(connection: Connection, tagOrDigest: string): Promise<HttpResponse> {
  const check = (answer: HttpResponse): void => checkBytes(answer, tagOrDigest);
  return connection.send({ ...requests.getManifest(connection, tagOrDigest), check });
}

/**
 * Whether an answer is the content that was asked for: with 200 alone, since 206 is a part of it,
 * and others say nothing about the body.
 */
function isContent(response: HttpResponse): boolean {
  return response.status === 200 && !isWebPage(response);
}

/**
 * @throws {DamagedBody} if the bytes do not match the digest asked for, or one that the registry
 * states, or it states something else than a digest.
 */
function checkBytes(answer: HttpResponse, tagOrDigest: string): void {
  if (!isContent(answer)) return;
  if (isDigest(tagOrDigest) && !matchesDigest(answer.body, tagOrDigest)) {
    throw new DamagedBody(`the content received does not have the digest ${tagOrDigest}`);
  }
  for (const stated of statedDigests(answer)) {
    if (!DIGEST_FORM.test(stated)) {
      throw new DamagedBody(`the registry reports its digest as ${stated}, which is not a digest`);
    }
    // A digest of another algorithm cannot be checked.
    if (isDigest(stated) && !matchesDigest(answer.body, stated)) {
      throw new DamagedBody(
        isDigest(tagOrDigest)
          ? `the registry reports its digest as ${stated}, which does not match its content`
          : `the content received does not have the digest ${stated}`,
      );
    }
  }
}

/** A digest of any algorithm (OCI image-spec, descriptor.md, Digests), with hashes that fit. */
const DIGEST_FORM =
  /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|(?!sha256:|sha512:)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+)$/;

/** All that an answer states as the digest; a repeated field may have become one. */
function statedDigests({ headers }: HttpResponse): string[] {
  const values = headers.all('docker-content-digest').flatMap((value) => value.split(','));
  return values.map((value) => value.trim()).filter((value) => value !== '');
}

/**
 * The digest of what a tag points to; undefined if there is no such tag. HEAD answers it, unless
 * something is decided by it (`isConfirmed`): some registries answer HEAD wrongly (Nexus 404 for a
 * tag that exists). If the registry does not answer HEAD, or without a digest, GET does.
 */
export async function tagDigest(
  connection: Connection,
  tag: string,
  { isConfirmed = false }: TagReading = {},
): Promise<Digest | undefined> {
  if (!isConfirmed) {
    const request = requests.headManifest(connection, tag);
    const response = await connection.send(request);
    if (response.status === 404) return undefined;
    if (response.status === 200) {
      const [stated = '', ...others] = statedDigests(response);
      if (isDigest(stated) && others.every((other) => other === stated)) return stated;
    } else if (!isHeadRefused(response)) {
      throw connection.unexpected(request.what, response);
    }
  }
  const response = await fetchManifest(connection, tag);
  if (isContent(response)) return digestOf(response.body);
  if (response.status === 404 || response.status === 410) return undefined;
  throw connection.unexpected(requests.getManifest(connection, tag).what, response);
}

/** The answer of a registry to the write of a manifest. */
export interface PutAnswer {
  /**
   * The subject of the manifest, if the registry lists the manifest among its referrers
   * (`OCI-Subject`).
   */
  readonly subject?: string;
}

/**
 * Writes a manifest with its exact bytes. If the registry states which digest it has stored, that
 * has to be the manifest's. A write whose answer was lost is settled by reading.
 */
export async function putManifest(
  connection: Connection,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<PutAnswer> {
  try {
    return await writeManifest(connection, manifest, tagOrDigest);
  } catch (error) {
    // The registry may have written it although its answer was lost, or refuse the second attempt
    // for what the first one did.
    const isUncertain = error instanceof ManifestToolError && UNCERTAIN.has(error.code);
    if (!isUncertain || !(await holdsManifest(connection, manifest, tagOrDigest))) throw error;
    return {};
  }
}

/** Errors after which a manifest may have been written all the same. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'CORRUPT', 'FAILED', 'REFUSED']);

/** Whether a tag or digest points to exactly these bytes; false if that cannot be found out. */
async function holdsManifest(
  connection: Connection,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<boolean> {
  try {
    const held = await getManifest(connection, tagOrDigest);
    return matchesDigest(held.bytes, manifest.digest);
  } catch {
    return false;
  }
}

/** Statuses by which registries confirm a write: 201 (OCI distribution-spec) and what others send. */
const WRITTEN = new Set([200, 201, 202, 204]);

/**
 * Whether a write was accepted. The status says so, whatever the body is (Quay answers 201 with
 * text/html); but a page with 200 may be the answer of a server that says so to everything.
 */
function isWritten(response: HttpResponse): boolean {
  return WRITTEN.has(response.status) && !(response.status === 200 && isWebPage(response));
}

async function writeManifest(
  connection: Connection,
  manifest: ManifestContent,
  tagOrDigest: string,
): Promise<PutAnswer> {
  const request = requests.putManifest(connection, manifest, tagOrDigest);
  const { what } = request;
  const response = await connection.send(request);
  if (!isWritten(response)) {
    throw connection.unexpected(what, response, 'write');
  }
  const stored = response.headers.first('docker-content-digest');
  if (stored !== undefined && isDigest(stored) && !matchesDigest(manifest.bytes, stored)) {
    throw new ManifestToolError(
      'CORRUPT',
      what,
      `the registry stored ${stored} instead of ${manifest.digest}`,
      {
        hint: 'configure the registry, or the proxy in front of it, to keep manifests as they are sent',
      },
    );
  }
  const subject = response.headers.first('oci-subject');
  return subject === undefined ? {} : { subject };
}
