import type { RegistryOptions, RequestRecord, Wait } from '../registry/registries.js';
import type { CredentialStore } from '../http/auth/credential.js';

/**
 * For which hosts something holds: for all, for those that are listed, or for those that a function says; a host is `host[:port]` as it
 * stands in a reference.
 */
export type HostRule = boolean | readonly string[] | ((host: string) => boolean);

/** Variables by their names, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How registries are reached and what is told of it; every member may be left out. Callbacks must not throw. */
export interface ClientOptions {
  /** Finds credentials for registries; without it every registry is accessed anonymously. */
  readonly credentials?: CredentialStore;
  /** Speaks plain HTTP; without it only a loopback host is spoken to so, where it does not speak TLS (docs/network.md). */
  readonly plainHttp?: HostRule;
  /** Does not check the certificate; without it that of every host is checked. */
  readonly insecure?: HostRule;
  /**
   * Looks credentials up before a registry demands authentication, so that a broken credential store
   * is reported in any case; the default is false.
   */
  readonly credentialsFirst?: boolean;
  /**
   * The variables that are read: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, and HOME for `certs.d`. Without it
   * none is. Mostly `process.env`.
   */
  readonly env?: Environment;
  /** A file of authorities in PEM that are trusted as well. */
  readonly caFile?: string;
  /** A client certificate in PEM, with `keyFile`; only registries are shown it. */
  readonly certFile?: string;
  /** The key of `certFile` in PEM. */
  readonly keyFile?: string;
  /** A directory with `*.crt`, `*.cert` and `*.key`, as podman's `--cert-dir`. */
  readonly certDir?: string;
  /** How long an answer, or more of it, may take to come, in milliseconds; 60,000. Connecting takes 10,000 at most. */
  readonly timeoutMs?: number;
  /** How many requests to one registry are on their way at a time; 40, over TLS without HTTP/2 16. */
  readonly concurrency?: number;
  /** How often a request is sent again that failed for a reason that may pass; 4. */
  readonly retries?: number;
  /** The first wait before that, in milliseconds; 500. It doubles each time. */
  readonly retryDelayMs?: number;
  /** Ends all that is under way, with an error INTERRUPTED; nothing begins after it. */
  readonly signal?: AbortSignal;
  /** Told of each request when its answer has come. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Told before a request is sent again. */
  readonly onWait?: (wait: Wait) => void;
  /** Told of what a registry wants the user to know: remote text, see {@link escapeText}. */
  readonly onWarning?: (text: string) => void;
  /** Told of each secret that a registry or its token server hands out, so that a log can leave it out. */
  readonly onSecret?: (secret: string) => void;
  /**
   * Told before the first request, when the code for registries has been loaded.
   * @internal
   */
  readonly onLoad?: () => void;
}

/** The options with what stands for those that are left out. */
export function registryOptions(options: ClientOptions, signal: AbortSignal): RegistryOptions {
  return {
    ...options,
    env: options.env ?? {},
    credentials: options.credentials ?? { get: () => Promise.resolve(undefined) },
    plainHttp: holdsFor(options.plainHttp),
    insecure: holdsFor(options.insecure),
    signal,
  };
}

function holdsFor(rule: HostRule = false): (host: string) => boolean {
  if (typeof rule === 'function') return rule;
  return typeof rule === 'boolean' ? () => rule : (host) => rule.includes(host);
}
