import Pool from 'undici/lib/dispatcher/pool.js';
import type { Dispatcher } from 'undici';
import type { ImageStore } from '../oci/content.js';
import type { RegistryReference } from '../oci/reference.js';
import { Authenticator } from '../transport/auth.js';
import type { CredentialLookup } from '../transport/credential.js';
import { withCommonHeaders } from '../transport/headers.js';
import type { Scope, Transport } from '../transport/http.js';
import { withLog, type RequestRecord } from '../transport/log.js';
import { withLoopbackUpgrade } from '../transport/loopback.js';
import { withRedirects } from '../transport/redirect.js';
import { mergeScopes } from '../transport/scopes.js';
import { undiciTransport } from '../transport/undici.js';
import { isLoopbackHost } from '../transport/url.js';
import { VERSION } from '../version.js';
import type { Connection } from './connection.js';
import { Repository } from './repository.js';

export interface RegistryOptions {
  readonly credentials: CredentialLookup;
  /** Looks credentials up before a registry asks: a mistake in a file that the user named is then told in any case. */
  readonly credentialsFirst?: boolean;
  /** Whether to speak plain HTTP to a host (`host[:port]`). */
  readonly plainHttp: (host: string) => boolean;
  /** Whether to speak TLS to a host without checking its certificate. */
  readonly insecure: (host: string) => boolean;
  readonly signal: AbortSignal;
  readonly onRequest?: (record: RequestRecord) => void;
}

/** What is meant to be done in a repository: `push` is to read as well. */
export type Access = 'pull' | 'push';

const CONNECTIONS_PER_HOST = 16;
const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** Docker Hub is known by one name and answers at another. */
const API_HOSTS = new Map([['docker.io', 'registry-1.docker.io']]);

/**
 * All registries of one command, over shared connections. The only place where the transport is put together; from the outside in:
 * redirects (each hop is judged by its origin), TLS on a loopback host, authentication, log, common headers, undici.
 */
export class Registries {
  private readonly connections = new Map<string, Connection>();
  private readonly dispatchers = new Map<string, Dispatcher>();
  private readonly base: Transport;

  constructor(private readonly options: RegistryOptions) {
    this.base = undiciTransport(
      (url) => this.dispatcher(url),
      { headersMs: HEADERS_TIMEOUT_MS, idleMs: IDLE_TIMEOUT_MS },
      options.signal,
    );
  }

  /** Opens a repository. Nothing is sent yet: what the command needs is told first, so that one token serves all of it. */
  open(reference: RegistryReference, access: Access): ImageStore {
    const connection = this.connect(reference);
    const actions = access === 'push' ? ['pull', 'push'] : ['pull'];
    connection.expect({ repository: reference.repository, actions });
    return new Repository(connection, reference.repository);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all([...this.dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }

  private connect(reference: RegistryReference): Connection {
    const { host } = reference;
    const known = this.connections.get(host);
    if (known !== undefined) return known;
    const { credentials, insecure } = this.options;
    const address = API_HOSTS.get(host) ?? host;
    const hostname = new URL(`http://${address}`).hostname;
    const isOpenLoopback = isLoopbackHost(hostname) && !insecure(host);
    const plain = this.options.plainHttp(host) || isOpenLoopback;
    const origin = new URL(`${plain ? 'http' : 'https'}://${address}`).origin;
    const own = new Set(
      isOpenLoopback && !this.options.plainHttp(host)
        ? [origin, origin.replace('http:', 'https:')]
        : [origin],
    );
    const isOwn = (url: URL): boolean => own.has(url.origin);

    const wire = withCommonHeaders(
      withLog(this.base, this.options.onRequest ?? (() => undefined)),
      `manifest-tool/${VERSION}`,
    );
    const scopes: Scope[] = [];
    const auth = new Authenticator({
      isOwn,
      credential: () => credentials(host, reference.repository),
      credentialFirst: this.options.credentialsFirst ?? false,
      scopes: () => mergeScopes(scopes),
      tokenTransport: withRedirects(wire, true),
    });
    const signed = auth.layer(wire);
    const connection: Connection = {
      host,
      origin,
      transport: withRedirects(own.size > 1 ? withLoopbackUpgrade(signed, isOwn) : signed),
      expect: (scope) => scopes.push(scope),
      whom: () => auth.describe(),
    };
    this.connections.set(host, connection);
    return connection;
  }

  private dispatcher({ origin, host }: URL): Dispatcher {
    const known = this.dispatchers.get(origin);
    if (known !== undefined) return known;
    const dispatcher = new Pool(origin, {
      connections: CONNECTIONS_PER_HOST,
      allowH2: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        rejectUnauthorized: !this.options.insecure(nameOf(host)),
      },
    });
    this.dispatchers.set(origin, dispatcher);
    return dispatcher;
  }
}

/** The name by which users know the registry at an API host. */
function nameOf(address: string): string {
  return [...API_HOSTS].find(([, api]) => api === address)?.[0] ?? address;
}
