import type { LookupFunction } from 'node:net';
import { ManifestToolError } from '../../errors.js';
import { directOrigin, type Origin } from './direct.js';
import { sharedLookup } from './lookup.js';
import { proxiedOrigin } from './proxy.js';
import { proxyFor } from './proxy-for.js';
import { Sockets } from './sockets.js';
import { systemAuthorities } from './system-store.js';
import {
  HostTls,
  SecureContexts,
  tlsIsMeant,
  tlsSettings,
  type SharedTls,
  type TlsOptions,
} from './tls.js';
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
  /** Ends the wait for a named pipe in place of a file. */
  readonly signal?: AbortSignal;
  /** Receives warnings about files of certificates. */
  readonly onWarning?: (text: string) => void;
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
  private readonly byOrigin = new Map<string, Promise<Origin>>();
  /** Those of them that are known by now. */
  private readonly opened = new Map<string, Origin>();
  /** Names of registries in references, by origin. */
  private readonly registries = new Map<string, string>();
  /** The registry of each token server, by the origin of the latter. */
  private readonly tokenServers = new Map<string, string>();
  /** How many repositories of each registry were opened, by its name. */
  private readonly repositories = new Map<string, number>();
  /** The registries in which something will be written. */
  private readonly written = new Set<string>();
  private readonly sharedTls: SharedTls;
  private readonly sockets = new Sockets();
  private readonly lookup: LookupFunction;
  private isClosed = false;

  /** @param early a connection that was opened before; it is owned here. */
  constructor(
    private readonly options: NetworkOptions,
    private readonly early?: EarlyConnection,
  ) {
    let system: Promise<readonly string[]> | undefined;
    this.sharedTls = {
      contexts: new SecureContexts(),
      systemAuthorities: () => (system ??= systemAuthorities(options)),
    };
    this.lookup = early?.lookup ?? sharedLookup();
    if (early !== undefined) this.sockets.add(early.socket);
  }

  /** Declares an origin to be a registry's: only registries get a client certificate. */
  addRegistry(origin: string, host: string): void {
    this.registries.set(origin, host);
  }

  /** Declares an origin to be the token server of a registry (`host[:port]`). */
  addTokenServer(origin: string, registry: string): void {
    if (!this.tokenServers.has(origin)) this.tokenServers.set(origin, registry);
  }

  /** Announces that a repository of a registry will be used, which takes more connections. */
  addRepository(host: string, isWritten: boolean): void {
    if (isWritten) this.written.add(host);
    this.repositories.set(host, (this.repositories.get(host) ?? 0) + 1);
  }

  /** How many requests may run at a time at the host of a URL. */
  concurrency(url: URL): number {
    const isHttp2 = this.opened.get(url.origin)?.http2?.isSpoken === true;
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
  async get(url: URL): Promise<Origin> {
    const { origin } = url;
    const known = this.byOrigin.get(origin);
    if (known !== undefined) return known;
    this.refuseIfClosed(url);
    const opening = this.open(url);
    this.byOrigin.set(origin, opening);
    try {
      const opened = await opening;
      this.refuseIfClosed(url);
      this.opened.set(origin, opened);
      return opened;
    } catch (error) {
      this.byOrigin.delete(origin);
      throw error;
    }
  }

  /**
   * Opens a connection to an origin in TLS that will probably be needed, and sends nothing over it.
   * What it fails with is reported by the first request to that origin.
   */
  async openEarly(url: URL): Promise<void> {
    try {
      const { http2 } = await this.get(url);
      await http2?.connection();
    } catch {
      // As if it had not been tried.
    }
  }

  /** Closes all connections, those that are still being opened too; none is opened afterwards. */
  async destroy(): Promise<void> {
    this.isClosed = true;
    const destroyed = [...this.opened.values()].map((origin) => origin.destroy());
    this.sockets.destroy();
    await Promise.all(destroyed);
  }

  private refuseIfClosed({ host }: URL): void {
    if (!this.isClosed) return;
    throw new ManifestToolError('INTERRUPTED', `connecting to ${host}`, 'the client is closed');
  }

  private async open(url: URL): Promise<Origin> {
    const { origin } = url;
    const { env, timeoutMs = CONNECT_TIMEOUT_MS } = this.options;
    const proxy = proxyFor(url, env);
    const options = {
      tls: await this.targetTls(url),
      connections: this.connections(url),
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      sockets: this.sockets,
    };
    if (proxy !== undefined) {
      return proxiedOrigin(origin, { ...options, proxy, proxyTls: await this.proxyTls(proxy) });
    }
    const warmUp = { spares: () => this.spares(url), early: this.early };
    return directOrigin(origin, {
      ...options,
      lookup: this.lookup,
      warmUp: this.registries.has(origin) ? warmUp : undefined,
    });
  }

  private targetTls({ origin, host, protocol }: URL): Promise<HostTls | undefined> {
    const registry = this.registries.get(origin);
    const name = registry ?? host;
    return this.tls(name, {
      isTls: protocol === 'https:',
      insecure: this.options.insecure(name),
      isRegistry: registry !== undefined,
      tokenServerOf: this.tokenServers.get(origin),
    });
  }

  /**
   * Of the user's options, only the authorities are for a proxy: it gets no client certificate but
   * one in a directory of its own (GHSA-h3wm-jjqf-8jm2), and its certificate is always checked.
   */
  private proxyTls({ host, protocol }: URL): Promise<HostTls | undefined> {
    return this.tls(host, { isTls: protocol === 'https:', insecure: false, isRegistry: false });
  }

  /** Reads the settings even if TLS is not spoken: a file that the user names must be readable. */
  private async tls(
    host: string,
    use: Pick<TlsOptions, 'isTls' | 'insecure' | 'isRegistry' | 'tokenServerOf'>,
  ): Promise<HostTls | undefined> {
    const settings = await tlsSettings(host, { ...this.options, ...use });
    return use.isTls ? new HostTls(host, settings, this.sharedTls) : undefined;
  }

  private connections({ protocol }: URL): number {
    return this.options.concurrency ?? MAX_REQUESTS[protocol === 'http:' ? 'http:' : 'https:'];
  }

  /**
   * How many connections to open beside the first over HTTP/1.1. In TLS none for a command that
   * reads one repository, which may need one request: fifteen handshakes would be in vain.
   */
  private spares(url: URL): number {
    const host = this.registries.get(url.origin)!;
    const repositories = this.repositories.get(host) ?? 0;
    const isWorkKnown = repositories > 1 || this.written.has(host);
    if (url.protocol === 'https:' && !isWorkKnown) return 0;
    const wanted = Math.max(MIN_SPARES, repositories * SPARES_PER_REPOSITORY);
    return Math.min(wanted, this.connections(url) - 1);
  }
}
