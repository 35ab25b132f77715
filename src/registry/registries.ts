import type { ImageStore } from '../oci/content.js';
import type { RegistryReference } from '../oci/reference.js';
import { HttpClient, type HttpClientOptions } from '../http/client.js';
import type { EarlyConnection } from '../http/connect/warm-up.js';
import { HostLimiter } from '../http/limiter.js';
import type { RequestRecord } from '../http/log.js';
import type { Wait } from '../http/retry.js';
import type { Connection } from './connection.js';
import { Repository } from './repository.js';

export type { HttpClientOptions as RegistryOptions, RequestRecord, Wait };

/** What is done in a repository; `push` includes reading. */
export type Access = 'pull' | 'push';

/** How many blobs are copied at a time: more large ones only slow each other down; small ones wait for round trips. */
const COPIES = { large: 4, small: 16 } as const;
/** In bytes. */
const LARGE_BLOB = 1024 * 1024;

/** All registries of a client; their repositories share connections, credentials and retries. */
export class Registries {
  private readonly http: HttpClient;
  /** By host and repository. */
  private readonly connections = new Map<string, Connection>();
  private readonly copies = {
    large: new HostLimiter(() => COPIES.large),
    small: new HostLimiter(() => COPIES.small),
  };

  /** @param early a connection that was opened before; it is owned here. */
  constructor(
    private readonly options: HttpClientOptions,
    early?: EarlyConnection,
  ) {
    this.http = new HttpClient(options, early);
  }

  /** Opens a repository. Nothing is sent; its scope is announced first, so that one token serves all requests. */
  open(reference: RegistryReference, access: Access): ImageStore {
    const connection = this.connect(reference);
    this.http.addRepository(reference.host);
    const actions = access === 'push' ? ['pull', 'push'] : ['pull'];
    connection.expect({ repository: reference.repository, actions });
    return new Repository(connection, reference.repository);
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
    const connection: Connection = {
      host,
      origin,
      isOwn,
      transport: transport(repository),
      expect: (scope) => authenticator.expect(scope),
      identity: () => authenticator.describe(repository),
      scheme: () => authenticator.scheme(),
      canMountFrom: (other) => authenticator.sharesCredential(repository, other),
      copying: (size, copy) =>
        this.copies[size > LARGE_BLOB ? 'large' : 'small'].run(this.options.signal, copy),
      retry: this.http.retry,
    };
    this.connections.set(key, connection);
    return connection;
  }
}
