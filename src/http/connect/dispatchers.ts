import { ManifestToolError } from '../../errors.js';
import { CONCURRENCY, SPARES } from './concurrency.js';
import type { EarlyConnections } from './early-connections.js';
import type { Origin } from './origin.js';
import { proxied, type ProxiedOptions } from './proxy.js';
import { proxyFor } from './proxy-for.js';
import { directOrigin } from './direct.js';
import { Sockets } from './sockets.js';
import { tlsIsMeant, tlsSettings, type TlsOptions } from './tls.js';

/** How to reach hosts: proxies and certificates, from the environment and from the user. */
export interface NetworkOptions {
  /** For the variables of proxies and of authorities. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether to speak TLS to a host (`host[:port]`) without checking its certificate. */
  readonly insecure: (host: string) => boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly certDir?: string;
  /** How long an answer, or more of it, may take to come, in milliseconds; connecting never takes longer than ten seconds. */
  readonly timeoutMs?: number;
  /** How many requests to one host are on their way at a time. */
  readonly concurrency?: number;
}

/**
 * How many connections of HTTP/1.1. One in TLS takes processor time, and more of them than this gain next to nothing; one without is free.
 * With HTTP/2 there is one.
 */
const CONNECTIONS = { 'https:': 16, 'http:': CONCURRENCY } as const;
/** How many connections are opened for each repository that is opened in a registry. */
const SPARES_PER_REPOSITORY = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** The connections of a command, by origin; each is opened when it is first used. */
export class Dispatchers {
  private readonly byOrigin = new Map<string, Origin>();
  /** Registries by origin, under the names by which the user knows them. */
  private readonly registries = new Map<string, string>();
  /** How many repositories were opened in each registry, by the name of that. */
  private readonly repositories = new Map<string, number>();

  private readonly sockets: Sockets;
  private isClosed = false;

  constructor(
    private readonly options: NetworkOptions,
    private readonly early?: EarlyConnections,
  ) {
    this.sockets = early?.sockets ?? new Sockets();
  }

  /** Says that an origin is that of a registry: only registries are shown a client certificate. */
  addRegistry(origin: string, host: string): void {
    this.registries.set(origin, host);
  }

  /** Says that a repository of a registry will be used: what is to be done in each takes connections. */
  addRepository(host: string): void {
    this.repositories.set(host, (this.repositories.get(host) ?? 0) + 1);
  }

  /** How many requests to the host of a URL may be on their way at a time: no more than it has connections for. */
  concurrency(url: URL): number {
    const isHttp2 = this.byOrigin.get(url.origin)?.http2?.isSpoken === true;
    return isHttp2 ? (this.options.concurrency ?? CONCURRENCY) : this.connections(url);
  }

  /** See {@link tlsIsMeant}. */
  tlsIsMeant(host: string): ReturnType<typeof tlsIsMeant> {
    return tlsIsMeant(host, { ...this.options, insecure: this.options.insecure(host) });
  }

  /**
   * The connections to the origin of a URL.
   * @throws {ManifestToolError} CONFIG if a proxy or a certificate cannot be used; INTERRUPTED after `destroy`.
   */
  get(url: URL): Origin {
    const { origin } = url;
    const known = this.byOrigin.get(origin);
    if (known !== undefined) return known;
    if (this.isClosed)
      throw new ManifestToolError(
        'INTERRUPTED',
        `connecting to ${url.host}`,
        'the client is closed',
      );
    const proxy = proxyFor(url, this.options.env);
    const timeoutMs = this.options.timeoutMs ?? CONNECT_TIMEOUT_MS;
    const options = {
      tls: tlsSettings(this.registries.get(origin) ?? url.host, this.tlsOptions(url)),
      connections: this.connections(url),
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      sockets: this.sockets,
    };
    const opened =
      proxy === undefined
        ? directOrigin(origin, {
            ...options,
            spares: this.registries.has(origin) ? () => this.spares(url) : undefined,
            early: this.early,
          })
        : throughProxy(origin, {
            ...options,
            proxy,
            proxyTls: tlsSettings(proxy.host, { ...this.tlsOptions(proxy), insecure: false }),
          });
    this.byOrigin.set(origin, opened);
    return opened;
  }

  private connections({ protocol }: URL): number {
    return this.options.concurrency ?? CONNECTIONS[protocol === 'http:' ? 'http:' : 'https:'];
  }

  private spares(url: URL): number {
    const repositories = this.repositories.get(this.registries.get(url.origin)!) ?? 0;
    const wanted = Math.max(SPARES, repositories * SPARES_PER_REPOSITORY);
    return Math.min(wanted, this.connections(url) - 1);
  }

  /** Closes all connections at once, those that are still being opened among them; none is opened afterwards. */
  async destroy(): Promise<void> {
    this.isClosed = true;
    const destroyed = [...this.byOrigin.values()].map((origin) => origin.destroy());
    this.sockets.destroy();
    await Promise.all(destroyed);
  }

  private tlsOptions({ origin, host, protocol }: URL): TlsOptions {
    const registry = this.registries.get(origin);
    return {
      ...this.options,
      isTls: protocol === 'https:',
      insecure: this.options.insecure(registry ?? host),
      isRegistry: registry !== undefined,
    };
  }
}

function throughProxy(origin: string, options: ProxiedOptions): Origin {
  const http1 = proxied(origin, options);
  return { http1, destroy: () => http1.destroy() };
}
