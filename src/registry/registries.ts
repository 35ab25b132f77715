import type { ImageStore } from '../oci/content.js';
import type { RegistryReference } from '../oci/reference.js';
import { Authenticator } from '../http/auth/authenticator.js';
import type { CredentialStore } from '../http/auth/credential.js';
import { Dispatchers, type NetworkOptions } from '../http/connect/dispatchers.js';
import type { EarlyConnections } from '../http/connect/early-connections.js';
import { withCommonHeaders } from '../http/headers.js';
import type { Transport } from '../http/request.js';
import { withLog, type RequestRecord } from '../http/log.js';
import { withLoopbackScheme } from '../http/loopback.js';
import { withRedirects } from '../http/redirect.js';
import { RetryPolicy, type Wait } from '../http/retry.js';
import { withWarnings } from '../http/warnings.js';
import { wireTransport } from '../http/wire.js';
import { isLoopbackHost } from '../http/url.js';
import { apiHost } from '../docker-hub.js';
import { VERSION } from '../version.js';
import { Connection } from './connection.js';
import { Repository } from './repository.js';
import { pullScope, pushScope } from './requests.js';
import { UploadLimiter } from './upload-limiter.js';

export type { RequestRecord, Wait };

/** What {@link Registries} need to know, all of it said by the caller. */
export interface RegistryOptions extends NetworkOptions {
  readonly credentials: CredentialStore;
  /** Looks credentials up before a registry asks: a mistake in a file that the user named is then told in any case. */
  readonly credentialsFirst?: boolean;
  /** Whether to speak plain HTTP to a host (`host[:port]`). */
  readonly plainHttp: (host: string) => boolean;
  readonly signal: AbortSignal;
  /** How often a request that failed for a reason that passes is sent again. */
  readonly retries?: number;
  /** The first wait before that, in milliseconds; it doubles each time. */
  readonly retryDelayMs?: number;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly onWait?: (wait: Wait) => void;
  /** Told of what a registry wants the user to know: remote text. */
  readonly onWarning?: (text: string) => void;
  /** Told of each secret that comes from a registry or its token server, so that it is never shown. */
  readonly onSecret?: (secret: string) => void;
}

/** What all repositories of one registry share. */
interface Registry {
  /** `host[:port]` as users write it. */
  readonly host: string;
  /** The likely one first. */
  readonly origins: readonly string[];
  readonly isOwn: (url: URL) => boolean;
  readonly auth: Authenticator;
  /** Chooses between plain HTTP and TLS, if that is open. */
  readonly withScheme: (next: Transport) => Transport;
}

/** What is meant to be done in a repository: `push` is to read as well. */
export type Access = 'pull' | 'push';

const ANSWER_TIMEOUT_MS = 60_000;
const RETRIES = 4;
const RETRY_DELAY_MS = 500;

/**
 * All registries of one command, over shared connections. The only place where the transport is put together; from the outside in:
 * redirects (each hop is judged by its origin), TLS on a loopback host, authentication, warnings, retries, common headers, log, undici.
 */
export class Registries {
  /** By host. */
  private readonly known = new Map<string, Registry>();
  /** By host and repository. */
  private readonly connections = new Map<string, Connection>();
  private readonly dispatchers: Dispatchers;
  private readonly uploads: UploadLimiter;
  private readonly retry: RetryPolicy;
  /** Retries and all that is below: what the registries of a command share, and their token servers. */
  private readonly wire: Transport;

  /** `early` are connections that were begun already. */
  constructor(
    private readonly options: RegistryOptions,
    early?: EarlyConnections,
  ) {
    this.dispatchers = new Dispatchers(options, early);
    this.uploads = new UploadLimiter(options.signal);
    const timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS;
    const wire = withLog(
      wireTransport(
        (url) => this.dispatchers.get(url),
        { headersMs: timeoutMs, idleMs: timeoutMs },
        options.signal,
      ),
      options.onRequest ?? ignore,
    );
    this.retry = new RetryPolicy({
      retries: options.retries ?? RETRIES,
      delayMs: options.retryDelayMs ?? RETRY_DELAY_MS,
      concurrency: (url) => this.dispatchers.concurrency(url),
      signal: options.signal,
      onWait: options.onWait ?? ignore,
    });
    this.wire = this.retry.layer(withCommonHeaders(wire, `manifest-tool/${VERSION}`));
  }

  /** Opens a repository. Nothing is sent yet: what the command needs is told first, so that one token serves all of it. */
  open(reference: RegistryReference, access: Access): ImageStore {
    const connection = this.connect(reference);
    this.dispatchers.addRepository(reference.host);
    const scope = access === 'push' ? pushScope : pullScope;
    connection.expect(scope(reference.repository));
    return new Repository(connection);
  }

  /** Closes all connections. */
  close(): Promise<void> {
    return this.dispatchers.destroy();
  }

  /** The way to a repository, with the credentials for it. Nothing is sent yet. */
  connect({ host, repository }: RegistryReference): Connection {
    const key = `${host}/${repository}`;
    const known = this.connections.get(key);
    if (known !== undefined) return known;
    const { origins, isOwn, auth, withScheme } = this.registry(host);
    const warn = (text: string): void => this.options.onWarning?.(`${host} says: ${text}`);
    const signed = auth.layer(repository, withWarnings(this.wire, warn));
    const connection = new Connection({
      host,
      repository,
      credentialOf: repository,
      origin: origins[0]!,
      isOwn,
      transport: withRedirects(withScheme(signed)),
      authenticator: auth,
      retry: this.retry,
      uploads: this.uploads,
    });
    this.connections.set(key, connection);
    return connection;
  }

  private registry(host: string): Registry {
    const known = this.known.get(host);
    if (known !== undefined) return known;
    const origins = this.origins(host);
    for (const origin of origins) this.dispatchers.addRegistry(origin, host);
    const isOwn = (url: URL): boolean => origins.includes(url.origin);
    const auth = new Authenticator({
      host,
      isOwn,
      credentials: this.options.credentials,
      credentialsFirst: this.options.credentialsFirst ?? false,
      tokenTransport: withRedirects(this.wire, true),
      onSecret: this.options.onSecret ?? ignore,
    });
    const withScheme =
      origins.length > 1
        ? withLoopbackScheme(isOwn, new URL(origins[0]!).protocol as 'http:' | 'https:')
        : (next: Transport): Transport => next;
    const registry: Registry = { host, origins, isOwn, auth, withScheme };
    this.known.set(host, registry);
    return registry;
  }

  /** The origin of a registry; for one on this machine of which nothing certain is said, that of plain HTTP and that of TLS, the likely one first. */
  private origins(host: string): string[] {
    const address = apiHost(host);
    const [http, https] = [new URL(`http://${address}`), new URL(`https://${address}`)];
    if (this.options.plainHttp(host)) return [http.origin];
    const tls = isLoopbackHost(http.hostname) ? this.dispatchers.tlsIsMeant(host) : 'certainly';
    // With its port written out: that of the other is another one where neither has any.
    if (tls === 'no') return [http.origin, `https://${http.hostname}:${http.port || '80'}`];
    if (tls === 'perhaps') return [https.origin, `http://${https.hostname}:${https.port || '443'}`];
    return [https.origin];
  }
}

function ignore(): void {
  // nobody wants to know
}
