import { ManifestToolError, reasonOf } from '../errors.js';
import type { HttpResponse } from '../http/request.js';
import { isWebPage } from '../http/web-page.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import type { Descriptor } from '../oci/descriptor.js';
import { matchesDigest, type Digest } from '../oci/digest.js';
import { parseDocument } from '../oci/documents.js';
import { isJsonObject, parseJsonBytes } from '../oci/json/parse.js';
import { OCI_INDEX } from '../oci/media-types.js';
import {
  indexEntries,
  isReferrersIndex,
  referrersTag,
  withReferrers,
  type Referrer,
} from '../oci/referrers.js';
import { settle } from '../settle.js';
import type { Connection } from './connection.js';
import { getManifest, putManifest, tagDigest } from './manifests.js';
import { readPages } from './pages.js';
import * as requests from './requests.js';

/** Statuses of registries that do not have the referrers API. */
const NO_API = new Set([400, 404, 405, 406, 410, 501]);

/** How the referrers of a repository are written, and who is notified. */
export interface ReferrersOptions {
  readonly signal: AbortSignal;
  /** Called with what cannot be recorded, and why. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** The referrers of the manifests of one repository. */
export class Referrers {
  private readonly tags = new Map<Digest, ReferrersTag>();

  constructor(
    private readonly connection: Connection,
    private readonly options: ReferrersOptions,
  ) {}

  /**
   * The referrers of a manifest: from the referrers API (OCI distribution-spec, Listing Referrers),
   * or from the index under the referrers tag if the registry does not have the API. Empty if there
   * are none.
   * @throws {ManifestToolError} if they cannot be determined.
   */
  async list(subject: Digest): Promise<readonly Descriptor[]> {
    const listed = await fromApi(this.connection, subject);
    // Registries without the API answer with an empty index as well.
    if (listed !== undefined && listed.length > 0) return listed;
    const index = await referrersIndex(this.connection, subject);
    return index === undefined || index === 'other' ? [] : indexEntries(index);
  }

  /**
   * Records a manifest that has been written as a referrer of its subject, unless the registry
   * lists it: it is added to the index under the referrers tag (OCI distribution-spec, Pushing
   * Manifests with Subject). Warns if the tag points to something else, which is not replaced.
   * @param confirmed the subject that the registry has confirmed (`OCI-Subject`)
   * @throws {ManifestToolError} what the registry answers; REFUSED if others keep changing the tag.
   */
  async record({ subject, entry }: Referrer, confirmed: string | undefined): Promise<void> {
    if (confirmed === subject) return;
    // Some registries have the API and do not confirm; others deny access to what they do not have.
    const listed = await fromApi(this.connection, subject).catch((error: unknown) => {
      if (error instanceof ManifestToolError && error.code === 'DENIED') return undefined;
      throw error;
    });
    if (listed?.some(({ digest }) => digest === entry.digest) === true) return;
    const tag = this.tags.get(subject) ?? new ReferrersTag(this.connection, subject, this.options);
    this.tags.set(subject, tag);
    await tag.add(entry);
  }
}

/** Undefined if the registry does not have the API. */
async function fromApi(
  connection: Connection,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const request = requests.getReferrers(connection, subject);
  const found: Descriptor[] = [];
  let isFirst = true;
  for await (const response of readPages(connection, request)) {
    const { status } = response;
    const isIndex = isReferrersAnswer(response, subject);
    const isAbsent = status === 200 || NO_API.has(status) || isWebPage(response);
    if (isFirst && !isIndex && isAbsent) return undefined;
    if (status !== 200) throw connection.unexpected(request.what, response);
    found.push(...pageEntries(request.what, response.body, isIndex));
    isFirst = false;
  }
  return found;
}

/**
 * Whether an answer looks like an index: registries without the API answer with status 200 and
 * `{}`, a list of errors, or the subject itself.
 */
function isReferrersAnswer({ status, body }: HttpResponse, subject: Digest): boolean {
  if (status !== 200 || matchesDigest(body, subject)) return false;
  try {
    const json = parseJsonBytes(body);
    if (!isJsonObject(json)) return false;
    const manifests = json.get('manifests');
    const mediaType = json.get('mediaType') ?? OCI_INDEX;
    return mediaType === OCI_INDEX && (Array.isArray(manifests) || manifests === null);
  } catch {
    return false;
  }
}

/** @throws {ManifestToolError} CORRUPT if a page is not an index. */
function pageEntries(what: string, body: Uint8Array, isIndex: boolean): readonly Descriptor[] {
  try {
    const { document } = parseDocument(body, OCI_INDEX);
    if (isIndex && document.kind === 'index') return document.manifests;
    throw new Error('it has no "manifests"');
  } catch (error) {
    const why = `the registry's answer is not an index: ${reasonOf(error)}`;
    const reason = 'referrers-unreadable';
    throw new ManifestToolError('CORRUPT', what, why, { cause: error, reason });
  }
}

/**
 * What the referrers tag of a manifest points to: the index of its referrers, nothing, or something
 * else, such as the manifest itself (GitLab resolves the tag `sha256-HEX` so).
 */
async function referrersIndex(
  connection: Connection,
  subject: Digest,
): Promise<FetchedManifest | 'other' | undefined> {
  try {
    const manifest = await getManifest(connection, referrersTag(subject));
    return (await listsReferrers(connection, manifest, subject)) ? manifest : 'other';
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** Whether a manifest is the index of referrers of `subject`; reads its entries if it is unclear. */
async function listsReferrers(
  connection: Connection,
  manifest: FetchedManifest,
  subject: Digest,
): Promise<boolean> {
  const isIndex = isReferrersIndex(manifest, subject);
  if (isIndex !== 'unclear') return isIndex;
  for (const entry of indexEntries(manifest)) {
    const { document } = await getManifest(connection, entry.digest, entry);
    if (document.subject?.digest === subject) return true;
  }
  return false;
}

/** The referrers tag of one manifest, which other programs may write at the same time. */
class ReferrersTag {
  private readonly tag: string;
  private readonly wanted = new Map<Digest, Descriptor>();
  private readonly recorded = new Set<Digest>();
  private running: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly subject: Digest,
    private readonly options: ReferrersOptions,
  ) {
    this.tag = referrersTag(subject);
  }

  /** Adds an entry, together with those that are added at the same time. */
  async add(entry: Descriptor): Promise<void> {
    this.wanted.set(entry.digest, entry);
    // It may have been deleted since it was recorded.
    this.recorded.delete(entry.digest);
    while (!this.recorded.has(entry.digest)) {
      this.running ??= this.write().finally(() => {
        this.running = undefined;
      });
      await this.running;
    }
  }

  private async write(): Promise<void> {
    const { connection, options, subject, tag } = this;
    const read = (): ReturnType<typeof referrersIndex> => referrersIndex(connection, subject);
    await settle<Awaited<ReturnType<typeof read>>, ManifestContent>(await read(), {
      what: `recording the referrers of ${connection.name}@${subject}`,
      signal: options.signal,
      isAtomic: false,
      read,
      change: (current) => (current === 'other' ? this.giveUp() : this.withWanted(current)),
      isStill: async (current) =>
        current !== 'other' &&
        (await tagDigest(connection, tag, { isConfirmed: true })) === current?.digest,
      async write(next) {
        await putManifest(connection, next, tag);
        return true;
      },
    });
  }

  /** The index with all wanted entries; undefined if it has them. */
  private withWanted(index: FetchedManifest | undefined): ManifestContent | undefined {
    const next = withReferrers(index, [...this.wanted.values()]);
    if (next !== undefined) return next;
    for (const digest of this.wanted.keys()) this.recorded.add(digest);
    this.wanted.clear();
    return undefined;
  }

  private giveUp(): undefined {
    for (const digest of this.wanted.keys()) {
      this.options.onWarning?.(
        `${digest} cannot be recorded as a referrer of ${this.subject}: the registry does not list it, and ${this.connection.name}:${this.tag} is not an index of referrers`,
      );
      this.recorded.add(digest);
    }
    this.wanted.clear();
  }
}
