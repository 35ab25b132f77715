import { ManifestToolError } from '../errors.js';
import { isSuccess, type HttpResponse } from '../http/request.js';
import { isWebPage } from '../http/web-page.js';
import type { FetchedManifest, ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import { parseDocument } from '../oci/documents.js';
import type { Descriptor } from '../oci/descriptor.js';
import { getBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { isUnavailable, RegistryError } from './errors.js';
import { getManifest, tagDigest } from './manifests.js';
import * as requests from './requests.js';
import { cancelUpload, uploadBlob } from './uploads.js';

/** What a registry answered to a request that it may refuse. */
export interface Answer {
  readonly status: number;
  /** Whether the status is 2xx. */
  readonly isDone: boolean;
  /** Status, error codes and messages of the registry: remote text. */
  readonly words: string;
  /** The values of a header field, by its name in lower case. */
  readonly header: (name: string) => readonly string[];
}

/**
 * One repository, to test what its registry supports: a refusal is a result here, not an error. No
 * answer, a transient failure and a demand for authentication are still errors.
 */
export class RawRepository {
  readonly name: string;
  readonly repository: string;

  constructor(private readonly connection: Connection) {
    this.name = connection.name;
    this.repository = connection.repository;
    connection.expect(requests.pushScope(connection.repository));
  }

  /** Asks for the version of the API. */
  async version(): Promise<Answer> {
    const request = requests.getVersion(this.connection.host);
    const response = await this.ask(request);
    if (isWebPage(response)) throw this.connection.unexpected(request.what, response);
    return answerOf(response);
  }

  /** The authentication scheme that the registry demands, and the identity of the requests. */
  identity(): { readonly scheme: string | undefined; readonly identity: string } {
    return { scheme: this.connection.scheme(), identity: this.connection.identity() };
  }

  /** @throws {ManifestToolError} if the blob is not accepted, for whatever reason. */
  putBlob(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    const source = { openBlob: () => Promise.resolve(once(bytes)) };
    return uploadBlob(this.connection, descriptor, source);
  }

  getBlob(descriptor: Descriptor): Promise<Uint8Array> {
    return getBlob(this.connection, descriptor);
  }

  /** Mounts a blob; an upload that the registry opens instead (202) is canceled. */
  async mount(digest: Digest, from: RawRepository): Promise<Answer> {
    const response = await this.ask(requests.mountBlob(this.connection, digest, from.connection));
    if (response.status === 202) await cancelUpload(this.connection, response);
    return answerOf(response);
  }

  /**
   * Writes a manifest under a tag or digest, and under `tags` in the same request. `retries` is how
   * often a transient failure is retried, if not as often as others.
   */
  async putManifest(
    manifest: ManifestContent,
    tagOrDigest: string,
    { tags, retries }: { readonly tags?: readonly string[]; readonly retries?: number } = {},
  ): Promise<Answer> {
    const request = requests.putManifest(this.connection, manifest, tagOrDigest, tags);
    return answerOf(await this.ask({ ...request, ...(retries !== undefined && { retries }) }));
  }

  getManifest(tagOrDigest: string): Promise<FetchedManifest> {
    return getManifest(this.connection, tagOrDigest);
  }

  /** The digest of what a tag or digest names, by reading it; undefined if it is not there. */
  digestOf(tagOrDigest: string): Promise<Digest | undefined> {
    return tagDigest(this.connection, tagOrDigest, { isConfirmed: true });
  }

  /** Whether the repository holds a manifest that may be too large to be read. */
  async hasManifest(digest: Digest): Promise<boolean> {
    const head = await this.ask(requests.headManifest(this.connection, digest));
    if (head.status === 200) return true;
    const request = requests.getManifest(this.connection, digest);
    const { stream } = await this.ask({ ...request, streamed: true });
    stream?.destroy();
    return stream !== undefined;
  }

  /** Deletes a tag, a manifest or a blob; a denial is a result as well. */
  async remove(kind: 'manifests' | 'blobs', reference: string): Promise<Answer> {
    try {
      return answerOf(await this.ask(requests.deleteContent(this.connection, kind, reference)));
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code !== 'DENIED') throw error;
      return { status: 401, isDone: false, words: error.why, header: () => [] };
    }
  }

  /**
   * The digests of the referrers of a manifest, from the referrers API; or the answer if it is not
   * an index of them.
   */
  async referrers(subject: Digest): Promise<readonly Digest[] | Answer> {
    const response = await this.ask(requests.getReferrers(this.connection, subject));
    if (!isSuccess(response.status)) return answerOf(response);
    try {
      const type = response.headers.first('content-type');
      const { document } = parseDocument(response.body, type);
      if (document.kind === 'index') return document.manifests.map(({ digest }) => digest);
    } catch {
      // Something else with a status of success.
    }
    return answerOf(response);
  }

  private async ask(request: requests.Call): Promise<HttpResponse> {
    const response = await this.connection.send(request);
    const { status } = response;
    const demandsLogin = status === 401 && request.method !== 'DELETE';
    const isNoRegistry = request.method === 'GET' && isSuccess(status) && isWebPage(response);
    const hasFailed = isUnavailable(response) || (status > 501 && status < 600);
    if (demandsLogin || hasFailed || isNoRegistry)
      throw this.connection.unexpected(request.what, response);
    return response;
  }
}

function answerOf(response: HttpResponse): Answer {
  const { status, summary } = new RegistryError(response);
  return {
    status,
    isDone: isSuccess(status),
    words: summary,
    header: (name) => response.headers.all(name),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
