import type { Dispatcher } from 'undici';
import type { EarlyConnection } from './early-connection.js';
import { createDispatcher } from './proxy.js';
import { proxyFor } from './proxy-for.js';
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
 * How many requests to one host are on their way at a time. A connection of TLS takes processor time, and more of them than this gain next
 * to nothing; one of plain HTTP is free, and its registry near.
 */
const CONNECTIONS = { 'https:': 16, 'http:': 40 } as const;
/** How many connections are opened beside the first one, at least, and for each repository that is opened in the registry. */
const SPARES = 15;
const SPARES_PER_REPOSITORY = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** The connections of a command, by origin; each is opened when it is first used. */
export class Dispatchers {
  private readonly byOrigin = new Map<string, Dispatcher>();
  /** Registries by origin, under the names by which the user knows them. */
  private readonly registries = new Map<string, string>();
  /** How many repositories were opened in each registry, by the name of that. */
  private readonly repositories = new Map<string, number>();

  constructor(
    private readonly options: NetworkOptions,
    private readonly early?: EarlyConnection,
  ) {}

  /** Says that an origin is that of a registry: only registries are shown a client certificate. */
  addRegistry(origin: string, host: string): void {
    this.registries.set(origin, host);
  }

  /** Says that a repository of a registry will be used: what is to be done in each takes connections. */
  addRepository(host: string): void {
    this.repositories.set(host, (this.repositories.get(host) ?? 0) + 1);
  }

  /** How many requests to the host of a URL may be on their way at a time. */
  concurrency({ protocol }: URL): number {
    return this.options.concurrency ?? CONNECTIONS[protocol === 'http:' ? 'http:' : 'https:'];
  }

  /** See {@link tlsIsMeant}. */
  tlsIsMeant(host: string): ReturnType<typeof tlsIsMeant> {
    return tlsIsMeant(host, { ...this.options, insecure: this.options.insecure(host) });
  }

  /**
   * The connections to the origin of a URL.
   * @throws {ManifestToolError} CONFIG where a proxy or a certificate that the user named is of no use.
   */
  get(url: URL): Dispatcher {
    const { origin } = url;
    const known = this.byOrigin.get(origin);
    if (known !== undefined) return known;
    const proxy = proxyFor(url, this.options.env);
    const timeoutMs = this.options.timeoutMs ?? CONNECT_TIMEOUT_MS;
    const dispatcher = createDispatcher(origin, {
      proxy,
      tls: tlsSettings(this.registries.get(origin) ?? url.host, this.tlsOptions(url)),
      proxyTls: proxy && tlsSettings(proxy.host, { ...this.tlsOptions(proxy), insecure: false }),
      connections: this.concurrency(url),
      spares: this.registries.has(origin) ? () => this.spares(url) : undefined,
      early: this.early,
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    this.byOrigin.set(origin, dispatcher);
    return dispatcher;
  }

  private spares(url: URL): number {
    const repositories = this.repositories.get(this.registries.get(url.origin)!) ?? 0;
    const wanted = Math.max(SPARES, repositories * SPARES_PER_REPOSITORY);
    return Math.min(wanted, this.concurrency(url) - 1);
  }

  /** Closes all connections at once. */
  async destroy(): Promise<void> {
    this.early?.destroy();
    await Promise.all([...this.byOrigin.values()].map((dispatcher) => dispatcher.destroy()));
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
