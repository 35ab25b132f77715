import { ManifestToolError, reasonOf } from '../errors.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import { digestOf, type Digest } from '../oci/digest.js';
import { parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { encodeIndex } from '../oci/json/encode-index.js';
import { IndexText } from '../oci/json/index-text.js';
import { OCI_INDEX } from '../oci/media-types.js';
import { referrerDescriptor, referrersTag } from '../oci/referrers.js';
import type { Connection } from './connection.js';
import { isWebPage } from './errors.js';
import { getManifest, putManifest } from './manifests.js';
import { readPages } from './pages.js';
import * as requests from './requests.js';

/** Statuses of registries that do not have the referrers API. */
const NO_API = new Set([400, 404, 405, 501]);

/**
 * The referrers of a manifest: from the referrers API (OCI distribution-spec, Listing Referrers),
 * or from the index under the referrers tag if the registry does not have the API. Empty if there
 * are none.
 * @throws {ManifestToolError} if they cannot be determined.
 */
export async function listReferrers(
  connection: Connection,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  return (
    (await fromApi(connection, subject)) ?? (await referrersIndex(connection, subject)).entries
  );
}

/** Undefined if the registry does not have the API. */
async function fromApi(
  connection: Connection,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const request = requests.getReferrers(connection, subject);
  const { what } = request;
  const found: Descriptor[] = [];
  let isFirst = true;
  for await (const response of readPages(connection, request)) {
    const isUnknown = NO_API.has(response.status) || isWebPage(response);
    if (isFirst && isUnknown) return undefined;
    isFirst = false;
    if (response.status !== 200) throw connection.unexpected(what, response);
    found.push(...entriesOf(what, response.body));
  }
  return found;
}

function entriesOf(what: string, body: Uint8Array): readonly Descriptor[] {
  try {
    const { document } = parseDocument(body, OCI_INDEX);
    return document.kind === 'index' ? document.manifests : [];
  } catch (error) {
    const why = `the registry's answer is not an index: ${reasonOf(error)}`;
    const reason = 'referrers-unreadable';
    throw new ManifestToolError('CORRUPT', what, why, { cause: error, reason });
  }
}

/** The index under a referrers tag. */
interface ReferrersIndex {
  readonly entries: readonly Descriptor[];
  /** Undefined if there is no such tag. */
  readonly manifest?: FetchedManifest;
}

async function referrersIndex(connection: Connection, subject: Digest): Promise<ReferrersIndex> {
  try {
    const manifest = await getManifest(connection, referrersTag(subject));
    const { document } = manifest;
    return document.kind === 'index' ? { entries: document.manifests, manifest } : { entries: [] };
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return { entries: [] };
    throw error;
  }
}

/**
 * Writes a manifest that has a subject. If the registry does not confirm that it lists the manifest
 * (`OCI-Subject`), it is added to the index under the referrers tag (OCI distribution-spec, Pushing
 * Manifests with Subject). Referrers of one subject have to be written one after another.
 */
export async function putReferrer(
  connection: Connection,
  manifest: FetchedManifest,
  subject: Digest,
): Promise<void> {
  const { subject: confirmed } = await putManifest(connection, manifest, manifest.digest);
  if (confirmed !== undefined) return;
  const isListed = ({ digest }: Descriptor): boolean => digest === manifest.digest;
  // Some registries have the API and do not confirm.
  const listed = await fromApi(connection, subject);
  if (listed?.some(isListed) === true) return;
  const { entries, manifest: index } = await referrersIndex(connection, subject);
  if (entries.some(isListed)) return;
  const entry = referrerDescriptor(manifest);
  const next =
    index === undefined ? encodeIndex('oci', [entry], new Map()) : withEntry(index, entry);
  await putManifest(connection, next, referrersTag(subject));
}

function withEntry(index: FetchedManifest, entry: Descriptor): ManifestContent {
  const count = index.document.kind === 'index' ? index.document.manifests.length : 0;
  const text = new IndexText(Buffer.from(index.bytes).toString(), index.mediaType);
  const bytes = Buffer.from(text.withEntryBefore(count, entry).text);
  return { mediaType: index.mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}
