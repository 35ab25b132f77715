import type { LookupFunction } from 'node:net';
import type { Dispatcher, Pool as PoolTypes, buildConnector as Connectors } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { alertWithoutRequest } from './alert.js';
import { Http2Negotiation } from './http2.js';
import type { Sockets } from './sockets.js';
import type { HostTls } from './tls.js';
import { trustingConnector, type TlsConnection } from './trust.js';
import { SpareConnections, type EarlyConnection } from './warm-up.js';

/** The connections to one origin. */
export interface Origin {
  /** Those of HTTP/1.1. */
  readonly http1: Dispatcher;
  /** Negotiates HTTP/2 with the server; absent if HTTP/1.1 is spoken in any case. */
  readonly http2?: Http2Negotiation;
  /** TLS with the host, if it is spoken. */
  readonly tls?: HostTls | undefined;
  /** See {@link alertWithoutRequest}; absent without TLS. */
  readonly alert?: (() => Promise<string | undefined>) | undefined;
  /** Closes all connections; requests that are under way fail. */
  destroy(): Promise<void>;
}

/** How to connect to one origin. */
export interface ConnectionOptions {
  /** TLS with the host, if it is spoken. */
  readonly tls?: HostTls | undefined;
  /** The most connections at a time. */
  readonly connections: number;
  /** In milliseconds. */
  readonly connectTimeoutMs: number;
  /** In bytes. */
  readonly maxHeaderSize: number;
  /** Owns each connection. */
  readonly sockets: Sockets;
}

export interface DirectOptions extends ConnectionOptions {
  readonly lookup: LookupFunction;
  /** For a registry, which gets more than one request; a token server or a storage host has none. */
  readonly warmUp?: WarmUp | undefined;
}

export interface WarmUp {
  /** How many connections to open beside the first, over HTTP/1.1. */
  readonly spares: () => number;
  /** A connection that was opened before, perhaps to this origin. */
  readonly early: EarlyConnection | undefined;
}

/** The connections to one origin without a proxy. */
export function directOrigin(origin: string, options: DirectOptions): Origin {
  const connect = connectorTo(options, false);
  const { warmUp } = options;
  if (warmUp === undefined)
    return http1Origin(origin, new Pool(origin, poolOptions(options, connect)), options, connect);
  return origin.startsWith('https:')
    ? negotiatedOrigin(origin, options, connect, warmUp)
    : plainOrigin(origin, options, connect, warmUp);
}

/** A registry in plain HTTP: the spare connections are opened with the first one. */
function plainOrigin(
  origin: string,
  options: DirectOptions,
  connect: Connectors.connector,
  { early, spares: count }: WarmUp,
): Origin {
  const spares = new SpareConnections(connect, count);
  const first = early?.before(connect, options.connectTimeoutMs) ?? connect;
  let isOpened = false;
  const connector: Connectors.connector = (target, callback) => {
    if (isOpened) return spares.connector(target, callback);
    isOpened = true;
    first(target, callback);
    spares.open(target);
  };
  return http1Origin(origin, new Pool(origin, poolOptions(options, connector)), options, connect);
}

/**
 * A registry in TLS, which chooses the protocol with the first connection. Others are opened only if
 * it chooses HTTP/1.1.
 */
function negotiatedOrigin(
  origin: string,
  options: DirectOptions,
  connect: Connectors.connector,
  { early, spares: count }: WarmUp,
): Origin {
  const { connectTimeoutMs, sockets } = options;
  const connectAny = connectorTo(options, true);
  const spares = new SpareConnections(connect, count);
  const http1 = new Pool(origin, poolOptions(options, spares.connector));
  const http2 = new Http2Negotiation(origin, {
    target: targetOf(origin),
    connect: early?.before(connectAny, connectTimeoutMs) ?? connectAny,
    // The session closes its connection, in good order.
    onHttp2: (socket) => sockets.release(socket),
    onHttp1: (socket, target) => {
      spares.add(socket);
      // After the requests that are waiting: the handshakes of spare connections would delay theirs.
      setImmediate(() => spares.open(target));
    },
  });
  return {
    http1,
    http2,
    tls: options.tls,
    alert: () => alertWithoutRequest(connectAny, targetOf(origin)),
    async destroy() {
      http2.destroy();
      await http1.destroy();
    },
  };
}

/** An origin with which HTTP/1.1 is spoken in any case, over connections of `connect`. */
export function http1Origin(
  origin: string,
  http1: Dispatcher,
  { tls }: Pick<ConnectionOptions, 'tls'>,
  connect: Connectors.connector,
): Origin {
  return {
    http1,
    tls,
    alert: tls && (() => alertWithoutRequest(connect, targetOf(origin))),
    destroy: () => http1.destroy(),
  };
}

/** An origin as undici gives it to connectors. */
export function targetOf(origin: string): Connectors.Options {
  const { host, hostname, port, protocol } = new URL(origin);
  return { host, hostname: hostname.replace(/^\[|\]$/g, ''), port, protocol };
}

/** Options of undici's pool of connections. */
export function poolOptions(
  { connections, maxHeaderSize }: ConnectionOptions,
  connect: NonNullable<PoolTypes.Options['connect']>,
): PoolTypes.Options {
  return { connections, allowH2: false, maxHeaderSize, connect };
}

/** @param allowH2 whether HTTP/2 is offered */
function connectorTo(
  { connectTimeoutMs: timeout, lookup, sockets, tls }: DirectOptions,
  allowH2: boolean,
): Connectors.connector {
  const make = (connection?: TlsConnection): Connectors.connector =>
    sockets.ownedBy(buildConnector({ ...connection, timeout, lookup, allowH2 }));
  return tls === undefined ? make() : trustingConnector(tls, make);
}
