import type { LookupFunction } from 'node:net';
import { ManifestToolError } from '../../errors.js';
import { directOrigin, type Origin, type TlsConnection } from './direct.js';
import { sharedLookup } from './lookup.js';
import { proxiedOrigin } from './proxy.js';
import { proxyFor } from './proxy-for.js';
import { Sockets } from './sockets.js';
import { SecureContexts, tlsIsMeant, tlsSettings, type TlsOptions } from './tls.js';
import type { EarlyConnection } from './warm-up.js';

/** How to reach hosts: proxies and certificates, from the environment and from the user. */
export interface NetworkOptions {
  /** For the variables of proxies and of authorities. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether to accept the certificate of a host (`host[:port]`) unchecked. */
  readonly insecure: (host: string) => boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly certDir?: string;
  /** Longest time for an answer, or for more of it, in milliseconds; for a connection 10,000 at most. */
  readonly timeoutMs?: number;
  /** How many requests may run at a time at one host. */
  readonly concurrency?: number;
}

/**
 * Default limits of requests at a time. Over HTTP/1.1 each takes a connection; in TLS, more of them
 * cost more processor time than they save.
 */
const MAX_REQUESTS = { 'http:': 40, 'https:': 16, http2: 40 } as const;
/** HTTP/1.1 connections to a registry that are opened beside the first one, at least. */
const MIN_SPARES = 15;
/** And for each repository of the registry that is opened. */
const SPARES_PER_REPOSITORY = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** The connections of a client by origin; those to an origin are opened when they are first used. */
export class Dispatchers {
  private readonly byOrigin = new Map<string, Origin>();
  /** Names of registries in references, by origin. */
  private readonly registries = new Map<string, string>();
  /** How many repositories of each registry were opened, by its name. */
  private readonly repositories = new Map<string, number>();
  private readonly contexts = new SecureContexts();
  private readonly sockets = new Sockets();
  private readonly lookup: LookupFunction;
  private isClosed = false;

  /** @param early a connection that was opened before; it is owned here. */
  constructor(
    private readonly options: NetworkOptions,
    private readonly early?: EarlyConnection,
  ) {
    this.lookup = early?.lookup ?? sharedLookup();
    if (early !== undefined) this.sockets.add(early.socket);
  }

  /** Declares an origin to be a registry's: only registries get a client certificate. */
  addRegistry(origin: string, host: string): void {
    this.registries.set(origin, host);
  }

  /** Announces that a repository of a registry will be used, which takes more connections. */
  addRepository(host: string): void {
    this.repositories.set(host, (this.repositories.get(host) ?? 0) + 1);
  }

  /** How many requests may run at a time at the host of a URL. */
  concurrency(url: URL): number {
    const isHttp2 = this.byOrigin.get(url.origin)?.http2?.isSpoken === true;
    return isHttp2 ? (this.options.concurrency ?? MAX_REQUESTS.http2) : this.connections(url);
  }

  /** See {@link tlsIsMeant}. */
  tlsIsMeant(host: string): ReturnType<typeof tlsIsMeant> {
    return tlsIsMeant(host, { ...this.options, insecure: this.options.insecure(host) });
  }

  /**
   * The connections to the origin of a URL.
   * @throws {ManifestToolError} CONFIG if a proxy or a certificate cannot be used; INTERRUPTED after
   * `destroy`.
   */
  get(url: URL): Origin {
    const known = this.byOrigin.get(url.origin);
    if (known !== undefined) return known;
    if (this.isClosed) {
      const what = `connecting to ${url.host}`;
      throw new ManifestToolError('INTERRUPTED', what, 'the client is closed');
    }
    const opened = this.open(url);
    this.byOrigin.set(url.origin, opened);
    return opened;
  }

  /** Closes all connections, those that are still being opened too; none is opened afterwards. */
  async destroy(): Promise<void> {
    this.isClosed = true;
    const destroyed = [...this.byOrigin.values()].map((origin) => origin.destroy());
    this.sockets.destroy();
    await Promise.all(destroyed);
  }

  private open(url: URL): Origin {
    const { origin } = url;
    const { env, timeoutMs = CONNECT_TIMEOUT_MS } = this.options;
    const proxy = proxyFor(url, env);
    const options = {
      tls: this.targetTls(url),
      connections: this.connections(url),
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      sockets: this.sockets,
    };
    if (proxy !== undefined) {
      return proxiedOrigin(origin, { ...options, proxy, proxyTls: this.proxyTls(proxy) });
    }
    const warmUp = { spares: () => this.spares(url), early: this.early };
    return directOrigin(origin, {
      ...options,
      lookup: this.lookup,
      warmUp: this.registries.has(origin) ? warmUp : undefined,
    });
  }

  private targetTls({ origin, host, protocol }: URL): TlsConnection | undefined {
    const registry = this.registries.get(origin);
    const name = registry ?? host;
    return this.tls(name, {
      isTls: protocol === 'https:',
      insecure: this.options.insecure(name),
      isRegistry: registry !== undefined,
    });
  }

  /**
   * Of the user's settings, only the authorities are for a proxy: it gets no client certificate
   * (GHSA-h3wm-jjqf-8jm2), and its own certificate is always checked.
   */
  private proxyTls({ host, protocol }: URL): TlsConnection | undefined {
    return this.tls(host, { isTls: protocol === 'https:', insecure: false, isRegistry: false });
  }

  /** Reads the settings even if TLS is not spoken: a file that the user names must be readable. */
  private tls(
    host: string,
    use: Pick<TlsOptions, 'isTls' | 'insecure' | 'isRegistry'>,
  ): TlsConnection | undefined {
    const { rejectUnauthorized, ...settings } = tlsSettings(host, { ...this.options, ...use });
    if (!use.isTls) return undefined;
    return { secureContext: this.contexts.get(host, settings), rejectUnauthorized };
  }

  private connections({ protocol }: URL): number {
    return this.options.concurrency ?? MAX_REQUESTS[protocol === 'http:' ? 'http:' : 'https:'];
  }

  private spares(url: URL): number {
    const repositories = this.repositories.get(this.registries.get(url.origin)!) ?? 0;
    const wanted = Math.max(MIN_SPARES, repositories * SPARES_PER_REPOSITORY);
    return Math.min(wanted, this.connections(url) - 1);
  }
}
