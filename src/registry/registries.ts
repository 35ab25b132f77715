import type { ImageStore } from '../oci/content.js';
import type { RegistryReference } from '../oci/reference.js';
import { HttpClient, type HttpClientOptions } from '../http/client.js';
import type { EarlyConnection } from '../http/connect/warm-up.js';
import type { RequestRecord } from '../http/log.js';
import type { RetryEvent } from '../http/retry.js';
import { Connection, type CallContext } from './connection.js';
import { Repository } from './repository.js';
import { pullScope, pushScope } from './requests.js';
import { UploadLimiter } from './upload-limiter.js';

export type { CallContext, HttpClientOptions as RegistryOptions, RequestRecord, RetryEvent };

/** What is done in a repository; `push` includes reading. */
export type Access = 'pull' | 'push';

/** All registries of a client; their repositories share connections, credentials and retries. */
export class Registries {
  private readonly http: HttpClient;
  /** By host and repository. */
  private readonly connections = new Map<string, Connection>();
  private readonly uploads: UploadLimiter;

  /** @param early a connection that was opened before; it is owned here. */
  constructor(
    private readonly options: HttpClientOptions,
    early?: EarlyConnection,
  ) {
    this.http = new HttpClient(options, early);
    this.uploads = new UploadLimiter();
  }

  /**
   * Opens a repository for a call. Nothing is sent; its scope is announced first, so that one token
   * serves all requests of the call.
   */
  open(reference: RegistryReference, access: Access, call: CallContext): ImageStore {
    const connection = this.connect(reference).forCall(call);
    this.http.addRepository(reference.host, access === 'push');
    const scope = access === 'push' ? pushScope : pullScope;
    connection.expect(scope(reference.repository));
    return new Repository(connection, { ...this.options, signal: call.signal });
  }

  /** Closes all connections; none is opened afterwards. */
  close(): Promise<void> {
    return this.http.close();
  }

  /** The way to a repository, with the credential for it. Nothing is sent. */
  connect({ host, repository }: RegistryReference): Connection {
    const key = `${host}/${repository}`;
    const known = this.connections.get(key);
    if (known !== undefined) return known;
    const { origin, isOwn, authenticator, transport } = this.http.registry(host);
    const connection = new Connection({
      host,
      repository,
      credentialOf: repository,
      origin,
      isOwn,
      transport: transport(repository),
      authenticator,
      retry: this.http.retry,
      uploads: this.uploads,
      call: { signal: this.options.signal, scopes: new Map() },
    });
    this.connections.set(key, connection);
    return connection;
  }
}
