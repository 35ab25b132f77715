import { HUB_TOKEN_SERVER, isHubHost } from '../docker-hub.js';
import { VERSION } from '../version.js';
import { Authenticator } from './auth/authenticator.js';
import type { CredentialStore } from './auth/credential.js';
import { Dispatchers, type NetworkOptions } from './connect/dispatchers.js';
import type { EarlyConnection } from './connect/warm-up.js';
import { requestLog, type RequestRecord } from './log.js';
import { loopbackScheme, registryOrigins } from './loopback.js';
import { redirects } from './redirects.js';
import { compose, type Layer, type Timeouts, type Transport } from './request.js';
import { RetryPolicy, type RetryEvent } from './retry.js';
import { RegistryWarnings } from './warnings.js';
import { wire } from './wire.js';

/** What an {@link HttpClient} needs to know; nothing is taken from the process. */
export interface HttpClientOptions extends NetworkOptions {
  readonly credentials: CredentialStore;
  /**
   * Looks credentials up before a registry demands authentication, so that a broken credential store
   * is reported in any case.
   */
  readonly credentialsFirst?: boolean;
  /** Whether to speak plain HTTP to a host (`host[:port]`). */
  readonly plainHttp: (host: string) => boolean;
  /** Aborts all requests; also when the client is closed. */
  readonly signal: AbortSignal;
  /** How often a request is sent again after a transient failure. */
  readonly retries?: number;
  /** Delay before the first retry, in milliseconds; doubles after each attempt. */
  readonly retryDelayMs?: number;
  /** Other limits for whole answers than the usual ones, for tests. */
  readonly bounds?: Partial<Pick<Timeouts, 'answerMs' | 'leastRate'>>;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly onWait?: (wait: RetryEvent) => void;
  /** Receives the warnings of registries: remote text. */
  readonly onWarning?: (text: string) => void;
  /** Receives each token, so that it is never shown. */
  readonly onSecret?: (secret: string) => void;
}

/** One registry as an HTTP client sees it. */
export interface RegistryAccess {
  /** Where requests are sent. */
  readonly origin: string;
  /** Whether a URL is the registry's own, and not that of a host to which it redirects. */
  readonly isOwn: (url: URL) => boolean;
  readonly authenticator: Authenticator;
  /** The transport for requests to a repository, with the credential for it. */
  readonly transport: (repository: string) => Transport;
}

const ANSWER_TIMEOUT_MS = 60_000;
/** Longest time for a whole answer, see {@link Timeouts}. */
const WHOLE_ANSWER_MS = 5 * 60_000;
/** 1 KiB a second, over a minute. */
const LEAST_RATE = { bytes: 60 * 1024, perMs: 60_000 };
const RETRIES = 4;
const RETRY_DELAY_MS = 500;

/** Sends the requests of all registries of a client, and owns their connections. */
export class HttpClient {
  /** Decides whether a request, or an operation of several requests, is repeated. */
  readonly retry: RetryPolicy;
  private readonly dispatchers: Dispatchers;
  private readonly registries = new Map<string, RegistryAccess>();
  private readonly warnings: RegistryWarnings[] = [];
  private readonly log: Layer;
  private readonly wire: Transport;

  /** @param early a connection that was opened before; it is owned here. */
  constructor(
    private readonly options: HttpClientOptions,
    early?: EarlyConnection,
  ) {
    const { signal, timeoutMs = ANSWER_TIMEOUT_MS } = options;
    const timeouts: Timeouts = {
      headersMs: timeoutMs,
      idleMs: timeoutMs,
      answerMs: Math.max(WHOLE_ANSWER_MS, timeoutMs),
      leastRate: LEAST_RATE,
      ...options.bounds,
    };
    this.dispatchers = new Dispatchers(options, early);
    this.retry = new RetryPolicy({
      retries: options.retries ?? RETRIES,
      delayMs: options.retryDelayMs ?? RETRY_DELAY_MS,
      concurrency: (url) => this.dispatchers.concurrency(url),
      answerMs: timeouts.answerMs,
      signal,
      onWait: options.onWait ?? ignore,
    });
    this.log = requestLog(options.onRequest ?? ignore);
    this.wire = wire({
      originOf: (url) => this.dispatchers.get(url),
      timeouts,
      signal,
    });
  }

  /** A registry by its name in references (`host[:port]`). Nothing is sent. */
  registry(host: string): RegistryAccess {
    const known = this.registries.get(host) ?? this.newRegistry(host);
    this.registries.set(host, known);
    return known;
  }

  /** Announces that a repository of a registry will be used, which takes more connections. */
  addRepository(host: string, isWritten: boolean): void {
    this.dispatchers.addRepository(host, isWritten);
  }

  /** Closes all connections; none is opened afterwards. */
  close(): Promise<void> {
    for (const warnings of this.warnings) warnings.close();
    return this.dispatchers.destroy();
  }

  private newRegistry(host: string): RegistryAccess {
    const origins = registryOrigins(host, {
      plainHttp: this.options.plainHttp,
      tlsIsMeant: (name) => this.dispatchers.tlsIsMeant(name),
    });
    for (const { origin } of origins) this.dispatchers.addRegistry(origin, host);
    const isOwn = (url: URL): boolean => origins.some(({ origin }) => origin === url.origin);

    const { credentials, credentialsFirst = false, onSecret = ignore, onWarning } = this.options;
    // The layers of a transport, the outermost first. To a token server:
    const asTokenServer: Layer = (request, next) => {
      this.dispatchers.addTokenServer(request.url.origin, host);
      return next(request);
    };
    const tokenTransport = compose(
      [
        redirects({ onlySameOrigin: true }),
        asTokenServer,
        this.retry.layer,
        commonHeaders,
        this.log,
      ],
      this.wire,
    );
    const authenticator = new Authenticator({
      host,
      isOwn,
      credentials,
      credentialsFirst,
      tokenTransport,
      onSecret,
    });
    const scheme = loopbackScheme(origins);
    const tokenServer = this.earlyTokenServer(origins[0]);
    const reported = new RegistryWarnings((text) => onWarning?.(`${host} says: ${text}`));
    this.warnings.push(reported);
    // To a repository of the registry:
    const transport = (repository: string): Transport =>
      compose(
        [
          redirects(),
          tokenServer,
          scheme,
          authenticator.layer(repository),
          reported.layer,
          this.retry.layer,
          commonHeaders,
          this.log,
        ],
        this.wire,
      );
    return { origin: origins[0].origin, isOwn, authenticator, transport };
  }

  /**
   * Opens a connection to the token server of Docker Hub beside the first request: its challenge is
   * known to name that server, and the two handshakes at a time save two round trips. A realm on the
   * registry's own host needs no other connection.
   */
  private earlyTokenServer({ protocol, host }: URL): Layer {
    let isOpen = protocol !== 'https:' || !isHubHost(host);
    return (request, next) => {
      const answer = next(request);
      if (!isOpen) void this.dispatchers.openEarly(new URL(HUB_TOKEN_SERVER));
      isOpen = true;
      return answer;
    };
  }
}

/**
 * Adds the headers of every request. Answers are never compressed: digests are of the bytes on the
 * wire, and some registries compress without being asked.
 */
const commonHeaders: Layer = (request, next) =>
  next({
    ...request,
    headers: {
      'user-agent': `manifest-tool/${VERSION}`,
      'accept-encoding': 'identity',
      ...request.headers,
    },
  });

function ignore(): void {
  // Optional callbacks.
}
