import type { Dispatcher } from 'undici';
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

/** How many requests to one host are on their way at a time: more connections than this gain next to nothing. */
export const CONNECTIONS_PER_HOST = 16;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 64 * 1024;

/** The connections of a command, by origin; each is opened when it is first used. */
export class Dispatchers {
  private readonly byOrigin = new Map<string, Dispatcher>();
  /** Registries by origin, under the names by which the user knows them. */
  private readonly registries = new Map<string, string>();

  constructor(private readonly options: NetworkOptions) {}

  /** Says that an origin is that of a registry: only registries are shown a client certificate. */
  addRegistry(origin: string, host: string): void {
    this.registries.set(origin, host);
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
      connections: this.options.concurrency ?? CONNECTIONS_PER_HOST,
      connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    this.byOrigin.set(origin, dispatcher);
    return dispatcher;
  }

  /** Closes all connections at once. */
  async destroy(): Promise<void> {
    await Promise.all([...this.byOrigin.values()].map((dispatcher) => dispatcher.destroy()));
  }

  private tlsOptions({ origin, host }: URL): TlsOptions {
    const registry = this.registries.get(origin);
    return {
      ...this.options,
      insecure: this.options.insecure(registry ?? host),
      isRegistry: registry !== undefined,
    };
  }
}
