import type { Socket } from 'node:net';
import type { Dispatcher, buildConnector as Connectors } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { reasonOf, systemCode } from '../../errors.js';
import { portOf } from '../url.js';
import { poolOptions, targetTls, tlsConnection, type ConnectionOptions } from './pool-options.js';
import { proxyAuthorization } from './proxy-for.js';
import type { TlsSettings } from './tls.js';

/** `tls` is for the target; a proxy is shown none of it. */
export interface ProxiedOptions extends ConnectionOptions {
  /** The proxy to go through, see {@link proxyFor}. */
  readonly proxy: URL;
  /** How to speak TLS to a proxy whose own address is https: only its authorities count. */
  readonly proxyTls?: Pick<TlsSettings, 'ca'> | undefined;
}

/** What a proxy did instead of passing a request on. Its text names the proxy, and never the credentials for it. */
export class ProxyFailure extends Error {
  constructor(
    /** `host:port` of the proxy. */
    readonly proxy: string,
    why: string,
    /** The status that it answered with, where it did. */
    readonly status?: number,
    cause?: unknown,
  ) {
    super(`the proxy ${proxy} ${why}`, cause === undefined ? undefined : { cause });
  }
}

/**
 * The connections to one origin through a proxy, as Go does it: https by way of CONNECT, http by asking the proxy for the whole URL. undici's
 * own ProxyAgent is not used: by its deep path it lacks the method it needs (`connect`, which undici's index adds), goes through CONNECT for
 * http behind an https proxy, and leaves a user without password out.
 *
 * Fails later with {@link ProxyFailure} where the proxy cannot be reached or refuses.
 *
 * @throws {ManifestToolError} CONFIG: the client's certificate is not usable.
 */
export function proxied(origin: string, options: ProxiedOptions): Dispatcher {
  return origin.startsWith('https:') ? tunnelled(origin, options) : forwarded(origin, options);
}

/** Through CONNECT: the proxy sees the name of the target, and of TLS only what is encrypted. */
function tunnelled(origin: string, options: ProxiedOptions): Dispatcher {
  const { proxy } = options;
  const toProxy = new Pool(proxy.origin, {
    ...poolOptions(options, proxyConnector(options)),
    headersTimeout: options.connectTimeoutMs,
  });
  const toTarget = buildConnector(targetTls(origin, options));
  const { host, port } = new URL(origin);
  const authority = port === '' ? `${host}:443` : host;
  return new Pool(
    origin,
    poolOptions(options, (target, callback) => {
      openTunnel(toProxy, proxy, authority, (...result) => {
        if (result[0] === null) toTarget({ ...target, httpSocket: result[1] }, callback);
        else callback(result[0], null);
      });
    }),
  );
}

/** One connection to a target by way of the proxy, before any TLS with the target. */
function openTunnel(
  toProxy: Dispatcher,
  proxy: URL,
  authority: string,
  done: (...result: [null, Socket] | [Error]) => void,
): void {
  const headers = { ...proxyAuthorization(proxy), host: authority };
  toProxy.dispatch(
    { origin: proxy.origin, method: 'CONNECT', path: authority, headers },
    {
      // undici takes a handler without it for one of its older kind.
      onRequestStart: () => undefined,
      onRequestUpgrade: (_controller, status, _headers, socket) => {
        if (status === 200) return done(null, socket as Socket);
        socket.on('error', () => undefined).destroy();
        return done(refusal(proxy, authority, status));
      },
      onResponseError: (_controller, error) => done(asFailure(proxy, error)),
    },
  );
}

/** By the whole URL (RFC 9112, absolute-form): the proxy makes the request itself. */
function forwarded(origin: string, options: ProxiedOptions): Dispatcher {
  const { proxy } = options;
  const { host } = new URL(origin);
  const pool = new Pool(proxy.origin, poolOptions(options, proxyConnector(options)));
  return pool.compose((dispatch) => (request, handler) => {
    // The transport gives them as an object with names in lower case, see HttpRequest.
    const own = request.headers as Readonly<Record<string, string>> | undefined;
    const headers = { ...own, ...proxyAuthorization(proxy), host };
    return dispatch(
      { ...request, path: origin + request.path, headers },
      {
        onRequestStart: (controller, context: unknown) =>
          handler.onRequestStart?.(controller, context),
        onResponseStart: (controller, status, fields, message) => {
          if (status === 407) throw refusal(proxy, host, status);
          handler.onResponseStart?.(controller, status, fields, message);
        },
        onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
        onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
        onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
      },
    );
  });
}

/** Connects to the proxy itself. */
function proxyConnector(options: ProxiedOptions): Connectors.connector {
  const { proxy } = options;
  // Nothing but the authorities: a client certificate is not for the proxy (GHSA-h3wm-jjqf-8jm2), and --insecure is about the registry.
  const ca = options.proxyTls?.ca;
  const connect = options.sockets.ownedBy(
    buildConnector({
      ...tlsConnection(proxy.origin, { ...(ca && { ca }), rejectUnauthorized: true }),
      timeout: options.connectTimeoutMs,
    }),
  );
  return ({ servername: _ofTarget, ...address }, callback) => {
    connect(address, (...result) => {
      if (result[0] === null) callback(...result);
      else callback(asFailure(proxy, result[0]), null);
    });
  };
}

function refusal(proxy: URL, target: string, status: number): ProxyFailure {
  const hasCredentials = proxy.username !== '' || proxy.password !== '';
  const asks = hasCredentials ? 'does not accept the credentials' : 'asks for credentials';
  const why =
    status === 407 ? `${asks} (status 407)` : `refused to connect to ${target} (status ${status})`;
  return new ProxyFailure(addressOf(proxy), why, status);
}

function asFailure(proxy: URL, error: Error): ProxyFailure {
  if (error instanceof ProxyFailure) return error;
  // Node's error for several addresses that all failed has no text.
  const reason = reasonOf(error) || (systemCode(error) ?? 'no reason given');
  return new ProxyFailure(addressOf(proxy), `cannot be used: ${reason}`, undefined, error);
}

function addressOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
