import type { RegistryOptions, RequestRecord, RetryEvent } from '../registry/registries.js';
import type { CredentialStore } from '../http/auth/credential.js';

/**
 * The hosts that a setting applies to: all or none, those in a list, or those for which a function
 * returns true. A host is `host[:port]` as in a reference.
 */
export type HostRule = boolean | readonly string[] | ((host: string) => boolean);

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How registries are accessed, and what is reported. Callbacks must not throw. */
export interface ClientOptions {
  /** Finds credentials for registries; without it every registry is accessed anonymously. */
  readonly credentials?: CredentialStore;
  /**
   * Uses plain HTTP. By default only loopback hosts are accessed in plain HTTP, and only if they do
   * not speak TLS (docs/reference/network.md).
   */
  readonly plainHttp?: HostRule;
  /** Does not verify certificates; by default those of all hosts are verified. */
  readonly insecure?: HostRule;
  /**
   * Looks credentials up before a registry demands authentication, so that a broken credential
   * store is reported in any case; the default is false.
   */
  readonly credentialsFirst?: boolean;
  /**
   * Environment variables, usually `process.env`: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE,
   * NODE_EXTRA_CA_CERTS, and HOME for `certs.d`. By default none is read.
   */
  readonly env?: Environment;
  /** A file of additional trusted CA certificates in PEM. */
  readonly caFile?: string;
  /** A file with a client certificate in PEM, used with `keyFile`; only registries receive it. */
  readonly certFile?: string;
  /** A file with the private key of `certFile` in PEM. */
  readonly keyFile?: string;
  /** A directory with `*.crt`, `*.cert` and `*.key`, as podman's `--cert-dir`. */
  readonly certDir?: string;
  /**
   * Maximum time to wait for a response or more of it, in milliseconds; the default is 60,000. A
   * connection is given 10,000 at most.
   */
  readonly timeoutMs?: number;
  /**
   * Maximum number of concurrent requests to one registry; the default is 40, or 16 over TLS
   * without HTTP/2.
   */
  readonly concurrency?: number;
  /** How often a request is retried after a transient failure; the default is 4. */
  readonly retries?: number;
  /** Initial retry delay in milliseconds; doubles after each attempt. The default is 500. */
  readonly retryDelayMs?: number;
  /** Aborts everything in progress with an error INTERRUPTED; nothing is started afterwards. */
  readonly signal?: AbortSignal;
  /** Called for each request when its response has arrived. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Called before a request is retried. */
  readonly onWait?: (wait: RetryEvent) => void;
  /** Called with each warning of a registry: remote text, see {@link escapeText}. */
  readonly onWarning?: (text: string) => void;
  /** Called with each secret that a registry or token server issues, so that logs can redact it. */
  readonly onSecret?: (secret: string) => void;
  /**
   * Called before the first request, when the code for registries has been loaded.
   * @internal
   */
  readonly onLoad?: () => void;
}

/** The options with their defaults. */
export function registryOptions(options: ClientOptions, signal: AbortSignal): RegistryOptions {
  return {
    ...options,
    env: options.env ?? {},
    credentials: options.credentials ?? { get: () => Promise.resolve(undefined) },
    plainHttp: appliesTo(options.plainHttp),
    insecure: appliesTo(options.insecure),
    signal,
  };
}

function appliesTo(rule: HostRule = false): (host: string) => boolean {
  if (typeof rule === 'function') return rule;
  return typeof rule === 'boolean' ? () => rule : (host) => rule.includes(host);
}
