import { ManifestToolError, reasonOf } from '../errors.js';
import type { FetchedManifest } from '../oci/content.js';
import { digestOf, type Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { encodeIndex } from '../oci/json/encode-index.js';
import { IndexText } from '../oci/json/index-text.js';
import { OCI_INDEX } from '../oci/media-types.js';
import { referrerDescriptor, referrersTag } from '../oci/referrers.js';
import type { HttpResponse } from '../http/request.js';
import { send, unexpected, type Connection } from './connection.js';
import { getManifest, putManifest } from './manifests.js';
import { isWebPage } from './wire-error.js';

/** A registry that pages without end is not followed. */
const MAX_PAGES = 100;

/** Answers of registries that do not know the referrers API. */
const NO_API = new Set([400, 404, 405, 501]);

/**
 * GET /v2/NAME/referrers/DIGEST (OCI distribution-spec, Listing Referrers): what refers to a manifest by its `subject`. Of a registry that
 * does not have it, the index under the referrers tag.
 * @throws {ManifestToolError} where it cannot be found out; nothing that refers to it is an empty list.
 */
export async function listReferrers(
  connection: Connection,
  repository: string,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  return (
    (await fromApi(connection, repository, subject)) ??
    (await taggedIndex(connection, repository, subject)).entries
  );
}

async function fromApi(
  connection: Connection,
  repository: string,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const what = `listing what refers to ${connection.host}/${repository}@${subject}`;
  const found: Descriptor[] = [];
  const visited = new Set<string>();
  let path: string | undefined = `/v2/${repository}/referrers/${subject}`;
  while (path !== undefined && !visited.has(path) && visited.size < MAX_PAGES) {
    visited.add(path);
    const response = await send(connection, {
      method: 'GET',
      path,
      what,
      headers: { accept: OCI_INDEX },
      maxBytes: MAX_DOCUMENT_SIZE,
      scopes: [{ repository, actions: ['pull'] }],
    });
    const isUnknown = NO_API.has(response.status) || isWebPage(response);
    if (isUnknown && visited.size === 1) return undefined;
    if (response.status !== 200) throw unexpected(connection, what, response);
    found.push(...entriesOf(what, response.body));
    path = nextPage(connection, response);
  }
  return found;
}

function entriesOf(what: string, body: Uint8Array): readonly Descriptor[] {
  try {
    const { document } = parseDocument(body, OCI_INDEX);
    return document.kind === 'index' ? document.manifests : [];
  } catch (error) {
    const why = `the registry's answer is no index: ${reasonOf(error)}`;
    throw new ManifestToolError('CORRUPT', what, why, {
      cause: error,
      hint: 'leave --referrers out, or try again with another version of the registry',
    });
  }
}

/** `Link: <URL>; rel="next"` (RFC 8288); one that leads to another origin is not followed (GHSA-h7vf-4x9w-h99v). */
function nextPage(connection: Connection, response: HttpResponse): string | undefined {
  const link = response.headers
    .all('link')
    .map((text) => /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(text)?.[1])
    .find((target) => target !== undefined);
  if (link === undefined || !URL.canParse(link, response.url.href)) return undefined;
  const url = new URL(link, response.url);
  return connection.isOwn(url) ? `${url.pathname}${url.search}` : undefined;
}

interface TaggedIndex {
  readonly entries: readonly Descriptor[];
  readonly manifest?: FetchedManifest;
}

async function taggedIndex(
  connection: Connection,
  repository: string,
  subject: Digest,
): Promise<TaggedIndex> {
  try {
    const manifest = await getManifest(connection, repository, referrersTag(subject));
    const { document } = manifest;
    return document.kind === 'index' ? { entries: document.manifests, manifest } : { entries: [] };
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return { entries: [] };
    throw error;
  }
}

/**
 * Writes a manifest that refers to another one. A registry that does not say that it lists it (`OCI-Subject`) has it named in the index
 * under the referrers tag (OCI distribution-spec, Pushing Manifests with Subject); several of one subject are to be written one after another.
 */
export async function putReferrer(
  connection: Connection,
  repository: string,
  manifest: FetchedManifest,
  subject: Digest,
): Promise<void> {
  const { subject: listed } = await putManifest(connection, repository, manifest, manifest.digest);
  if (listed !== undefined) return;
  // Some registries have the API and do not say so.
  const known = await fromApi(connection, repository, subject);
  if (known?.some(({ digest }) => digest === manifest.digest) === true) return;
  const { entries, manifest: held } = await taggedIndex(connection, repository, subject);
  if (entries.some(({ digest }) => digest === manifest.digest)) return;
  const entry = referrerDescriptor(manifest);
  const index = held === undefined ? encodeIndex('oci', [entry], new Map()) : extended(held, entry);
  await putManifest(connection, repository, index, referrersTag(subject));
}

function extended(held: FetchedManifest, entry: Descriptor) {
  const count = held.document.kind === 'index' ? held.document.manifests.length : 0;
  const text = new IndexText(Buffer.from(held.bytes).toString(), held.mediaType);
  const bytes = Buffer.from(text.withEntryBefore(count, entry).text);
  return { mediaType: held.mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}
