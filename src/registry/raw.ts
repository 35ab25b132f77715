import { ManifestToolError } from '../errors.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { MAX_DOCUMENT_SIZE, parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { MANIFEST_ACCEPT, OCI_INDEX } from '../oci/media-types.js';
import { isSuccess, type HttpResponse } from '../http/request.js';
import { isSecondaryLimit } from '../http/retry-after.js';
import { getBlob } from './blobs.js';
import { send, unexpected, type Call, type Connection } from './connection.js';
import { getManifest, tagDigest } from './manifests.js';
import { cancelUpload, mountCall, uploadBlob } from './uploads.js';
import { isWebPage, WireError } from './wire-error.js';

const MAX_ANSWER = 64 * 1024;

/** What a registry answered to a request that it may refuse. */
export interface Answer {
  readonly status: number;
  /** Whether the status is one of success. */
  readonly isDone: boolean;
  /** Status, error codes and messages of the registry: remote text. */
  readonly words: string;
  /** The values of a field of the head, by its name in lower case. */
  readonly header: (name: string) => readonly string[];
}

/**
 * One repository, asked for what a registry may or may not support: a refusal is an answer here, and not an error. No answer, an answer
 * that means "not now" and one that means "who are you" are errors all the same.
 */
export class RawRepository {
  readonly name: string;

  constructor(
    private readonly connection: Connection,
    readonly repository: string,
  ) {
    this.name = `${connection.host}/${repository}`;
    connection.expect({ repository, actions: ['pull', 'push'] });
  }

  /** GET /v2/ (OCI distribution-spec, Determining Support). */
  async version(): Promise<Answer> {
    const what = `asking ${this.connection.host} for its version`;
    const response = await this.ask({ method: 'GET', path: '/v2/', what, maxBytes: MAX_ANSWER });
    if (isWebPage(response)) throw unexpected(this.connection, what, response);
    return answerOf(response);
  }

  /** The scheme of authentication that the registry has asked for so far, where it has, and identity it took us for. */
  identity(): { readonly scheme: string | undefined; readonly identity: string } {
    return { scheme: this.connection.scheme(), identity: this.connection.identity() };
  }

  /** @throws {ManifestToolError} where the blob is not taken, whatever the reason. */
  putBlob(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    const source = { openBlob: () => Promise.resolve(once(bytes)) };
    return uploadBlob(this.connection, this.repository, descriptor, source);
  }

  getBlob(descriptor: Descriptor): Promise<Uint8Array> {
    return getBlob(this.connection, this.repository, descriptor);
  }

  /** Asks for a mount; an upload that the registry opens instead (202) is given up. */
  async mount(digest: Digest, from: RawRepository): Promise<Answer> {
    const { connection, repository } = this;
    const response = await this.ask(mountCall(connection, repository, digest, from.repository));
    if (response.status === 202) await cancelUpload(connection, repository, response);
    return answerOf(response);
  }

  /**
   * PUT /v2/NAME/manifests/REFERENCE, with `tags` as `?tag=a&tag=b` (OCI distribution-spec, Pushing Manifests). `retries` is how often a
   * failure that may pass is tried again, where it is not as often as with others.
   */
  async putManifest(
    manifest: ManifestContent,
    tagOrDigest: string,
    { tags = [], retries }: { tags?: readonly string[]; retries?: number } = {},
  ): Promise<Answer> {
    const query = tags.map((tag) => `tag=${tag}`).join('&');
    const response = await this.ask({
      method: 'PUT',
      path: `/v2/${this.repository}/manifests/${tagOrDigest}${query === '' ? '' : `?${query}`}`,
      what: `writing ${this.at(tagOrDigest)}`,
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      maxBytes: MAX_ANSWER,
      scopes: [{ repository: this.repository, actions: ['pull', 'push'] }],
      ...(retries === undefined ? {} : { retries }),
    });
    return answerOf(response);
  }

  getManifest(tagOrDigest: string): Promise<FetchedManifest> {
    return getManifest(this.connection, this.repository, tagOrDigest);
  }

  tagDigest(tag: string): Promise<Digest | undefined> {
    return tagDigest(this.connection, this.repository, tag);
  }

  /** HEAD of a manifest by its digest, of any size. */
  async hasManifest(digest: Digest): Promise<boolean> {
    const response = await this.ask({
      method: 'HEAD',
      path: `/v2/${this.repository}/manifests/${digest}`,
      what: `looking for ${this.at(digest)}`,
      headers: { accept: MANIFEST_ACCEPT.join(', ') },
      maxBytes: 0,
      scopes: [{ repository: this.repository, actions: ['pull'] }],
    });
    return isSuccess(response.status);
  }

  /** DELETE of a tag, a manifest or a blob (OCI distribution-spec, Content Management); not to be allowed is an answer as well. */
  async remove(kind: 'manifests' | 'blobs', reference: string): Promise<Answer> {
    try {
      const response = await this.ask({
        method: 'DELETE',
        path: `/v2/${this.repository}/${kind}/${reference}`,
        what: `deleting ${this.at(reference)}`,
        maxBytes: MAX_ANSWER,
        retries: 1,
        // Asked for when it is needed: a token server may refuse a request that has it altogether.
        scopes: [{ repository: this.repository, actions: ['delete'] }],
      });
      return answerOf(response);
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code !== 'DENIED') throw error;
      return { status: 401, isDone: false, words: error.why, header: () => [] };
    }
  }

  /** GET /v2/NAME/referrers/DIGEST (OCI distribution-spec, Listing Referrers): the digests, or the answer that is no such list. */
  async referrers(subject: Digest): Promise<readonly Digest[] | Answer> {
    const response = await this.ask({
      method: 'GET',
      path: `/v2/${this.repository}/referrers/${subject}`,
      what: `listing what refers to ${this.at(subject)}`,
      headers: { accept: OCI_INDEX },
      maxBytes: MAX_DOCUMENT_SIZE,
      scopes: [{ repository: this.repository, actions: ['pull'] }],
    });
    if (!isSuccess(response.status)) return answerOf(response);
    try {
      const type = response.headers.first('content-type');
      const { document } = parseDocument(response.body, type);
      if (document.kind === 'index') return document.manifests.map(({ digest }) => digest);
    } catch {
      // Something else that came with a status of success.
    }
    return answerOf(response);
  }

  private async ask(call: Call): Promise<HttpResponse> {
    const response = await send(this.connection, call);
    const { status } = response;
    const isUnknown = status === 401 && call.method !== 'DELETE';
    const isNoRegistry = isSuccess(status) && isWebPage(response);
    if (isUnknown || isBusy(response) || isNoRegistry)
      throw unexpected(this.connection, call.what, response);
    return response;
  }

  private at(tagOrDigest: string): string {
    return `${this.name}${tagOrDigest.includes(':') ? '@' : ':'}${tagOrDigest}`;
  }
}

/** Whether the answer is about the moment, and not about what was asked for. 501 is a word: not implemented. */
function isBusy(response: HttpResponse): boolean {
  const { status } = response;
  return (
    status === 408 ||
    status === 429 ||
    (status >= 500 && status !== 501) ||
    isSecondaryLimit(response)
  );
}

function answerOf(response: HttpResponse): Answer {
  const { status, text } = new WireError(response);
  return {
    status,
    isDone: isSuccess(status),
    words: `status ${status}${text === '' ? '' : `, ${text}`}`,
    header: (name) => response.headers.all(name),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
