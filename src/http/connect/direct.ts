import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Dispatcher, Pool as PoolTypes, buildConnector as Connectors } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { Http2Negotiation } from './http2.js';
import type { Sockets } from './sockets.js';
import { SpareConnections, type EarlyConnection } from './warm-up.js';

/** The connections to one origin. */
export interface Origin {
  /** Those of HTTP/1.1. */
  readonly http1: Dispatcher;
  /** Negotiates HTTP/2 with the server; absent if HTTP/1.1 is spoken in any case. */
  readonly http2?: Http2Negotiation;
  /** Closes all connections; requests that are under way fail. */
  destroy(): Promise<void>;
}

/** How to connect to one origin. */
export interface ConnectionOptions {
  /** Settings of TLS, if it is spoken. */
  readonly tls?: TlsConnection | undefined;
  /** The most connections at a time. */
  readonly connections: number;
  /** In milliseconds. */
  readonly connectTimeoutMs: number;
  /** In bytes. */
  readonly maxHeaderSize: number;
  /** Owns each connection. */
  readonly sockets: Sockets;
}

/** Settings of TLS for one connection, as Node takes them. */
export interface TlsConnection {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
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
  const connect = options.sockets.ownedBy(
    buildConnector({ ...targetOptions(options), allowH2: false }),
  );
  const { warmUp } = options;
  if (warmUp === undefined) return http1Origin(new Pool(origin, poolOptions(options, connect)));
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
  return http1Origin(new Pool(origin, poolOptions(options, connector)));
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
  const connectAny = sockets.ownedBy(buildConnector({ ...targetOptions(options), allowH2: true }));
  const spares = new SpareConnections(connect, count);
  const http1 = new Pool(origin, poolOptions(options, spares.connector));
  const http2 = new Http2Negotiation(origin, {
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
    async destroy() {
      http2.destroy();
      await http1.destroy();
    },
  };
}

function http1Origin(http1: Dispatcher): Origin {
  return { http1, destroy: () => http1.destroy() };
}

/** Options of undici's pool of connections. */
export function poolOptions(
  { connections, maxHeaderSize }: ConnectionOptions,
  connect: NonNullable<PoolTypes.Options['connect']>,
): PoolTypes.Options {
  return { connections, allowH2: false, maxHeaderSize, connect };
}

/** Options of undici's connector to the origin itself. */
export function targetOptions({
  tls,
  connectTimeoutMs,
  lookup,
}: ConnectionOptions & Partial<Pick<DirectOptions, 'lookup'>>): Connectors.BuildOptions {
  return { ...tls, timeout: connectTimeoutMs, ...(lookup && { lookup }) };
}
