import type { Socket } from 'node:net';
import type { Dispatcher, Pool as PoolTypes, buildConnector as Connectors } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import { reasonOf, systemCode } from '../../errors.js';
import { portOf } from '../url.js';
import {
  plainPool,
  poolOptions,
  tlsOrigin,
  type ConnectionOptions,
  type Origin,
  type TlsConnectors,
} from './direct.js';
import { Http1 } from './http1.js';
import { proxyAuthorization } from './proxy-for.js';
import type { HostTls } from './tls.js';
import { trustingConnector, type TlsConnection } from './trust.js';

/** How to connect to one origin through a proxy; `tls` is for the origin, not for the proxy. */
export interface ProxyOptions extends ConnectionOptions {
  /** See {@link proxyFor}. */
  readonly proxy: URL;
  /** TLS with a proxy whose own address is https. */
  readonly proxyTls?: HostTls | undefined;
}

/** A failure of a proxy to pass a request on. The message names the proxy, but never its credentials. */
export class ProxyFailure extends Error {
  constructor(
    /** `host:port` of the proxy. */
    readonly proxy: string,
    why: string,
    /** The status of its answer, if there was one. */
    readonly status?: number,
    cause?: unknown,
  ) {
    super(`the proxy ${proxy} ${why}`, cause === undefined ? undefined : { cause });
  }
}

/**
 * The connections to one origin through a proxy, as in Go: with CONNECT for https, and by asking the
 * proxy for the whole URL for http. Requests fail with {@link ProxyFailure} if the proxy cannot be
 * reached or refuses.
 *
 * undici's ProxyAgent is not used: without undici's index it lacks a method that it needs (`connect`),
 * it uses CONNECT for http behind an https proxy, and it omits a user without a password.
 */
export function proxiedOrigin(origin: string, options: ProxyOptions): Origin {
  const { tls } = options;
  if (tls === undefined || !origin.startsWith('https:'))
    return plainPool((Pool) => forwarded(Pool, origin, options));
  return tlsOrigin(origin, { ...options, tls }, tunnelled(origin, { ...options, tls }));
}

/** Through CONNECT: the proxy learns the name of the target, and nothing else. */
function tunnelled(
  origin: string,
  options: ProxyOptions & { readonly tls: HostTls },
): TlsConnectors {
  const { connectTimeoutMs: timeout, proxy, sockets, tls } = options;
  const toProxy = new Http1(
    (Pool) =>
      new Pool(proxy.origin, {
        ...poolOptions(options, proxyConnector(options)),
        headersTimeout: options.connectTimeoutMs,
      }),
  );
  const authority = addressOf(new URL(origin));
  const offering = (allowH2: boolean): Connectors.connector =>
    trustingConnector(tls, (connection) => {
      const toTarget = sockets.ownedBy(buildConnector({ ...connection, timeout, allowH2 }));
      const connect = async (
        target: Connectors.Options,
        callback: Connectors.Callback,
      ): Promise<void> => {
        openTunnel(await toProxy.pool(), proxy, authority, (...result) => {
          if (result[0] === null) toTarget({ ...target, httpSocket: result[1] }, callback);
          else callback(result[0], null);
        });
      };
      return (target, callback) => void connect(target, callback);
    });
  return { any: offering(true), http1: offering(false) };
}

/** Opens one connection to a target through the proxy, before any TLS with the target. */
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
      // undici takes a handler without it for one with its old interface.
      onRequestStart: () => undefined,
      onRequestUpgrade: (_controller, status, _headers, socket) => {
        if (status === 200) return done(null, socket as Socket);
        socket.destroy();
        return done(refusal(proxy, authority, status));
      },
      onResponseError: (_controller, error) => done(asFailure(proxy, error)),
    },
  );
}

/** With the whole URL (RFC 9112, absolute-form): the proxy makes the request itself. */
function forwarded(Pool: typeof PoolTypes, origin: string, options: ProxyOptions): Dispatcher {
  const { proxy } = options;
  const { host } = new URL(origin);
  const pool = new Pool(proxy.origin, poolOptions(options, proxyConnector(options)));
  return pool.compose((dispatch) => (request, handler) => {
    // An object with names in lower case, see HttpRequest.
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
function proxyConnector({
  proxy,
  proxyTls,
  connectTimeoutMs,
  sockets,
}: ProxyOptions): Connectors.connector {
  const make = (connection?: TlsConnection): Connectors.connector =>
    sockets.ownedBy(buildConnector({ ...connection, timeout: connectTimeoutMs }));
  const connect = proxyTls === undefined ? make() : trustingConnector(proxyTls, make);
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
  // Node's error for several addresses that all failed has no message.
  const reason = reasonOf(error) || (systemCode(error) ?? 'no reason given');
  return new ProxyFailure(addressOf(proxy), `cannot be used: ${reason}`, undefined, error);
}

function addressOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}
