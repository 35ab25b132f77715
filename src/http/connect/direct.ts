import type { LookupFunction } from 'node:net';
import type { Pool as PoolTypes, buildConnector as Connectors } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import { alertWithoutRequest } from './alert.js';
import { Http1 } from './http1.js';
import { Http2Negotiation } from './http2.js';
import type { Sockets } from './sockets.js';
import type { HostTls } from './tls.js';
import { trustingConnector } from './trust.js';
import { SpareConnections, type EarlyConnection } from './warm-up.js';

/** The connections to one origin. */
export interface Origin {
  /** Those of HTTP/1.1. */
  readonly http1: Http1;
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
  /** How many connections to open beside the first over HTTP/1.1. */
  readonly spares: () => number;
  /** A connection that was opened before, perhaps to this origin. */
  readonly early: EarlyConnection | undefined;
}

/** The connections to one origin without a proxy. */
export function directOrigin(origin: string, options: DirectOptions): Origin {
  const { connectTimeoutMs, tls, warmUp } = options;
  if (tls === undefined || !origin.startsWith('https:')) return plainOrigin(origin, options);
  const connect = connectorTo(options, tls);
  const first = warmUp?.early?.before(connect.any, connectTimeoutMs);
  const connectors = { ...connect, ...(first && { first }) };
  return tlsOrigin(origin, { ...options, tls }, connectors, warmUp?.spares);
}

/** An origin in plain HTTP: the spare connections to a registry are opened with the first one. */
function plainOrigin(origin: string, options: DirectOptions): Origin {
  const { connectTimeoutMs: timeout, lookup, sockets, warmUp } = options;
  const connect = sockets.ownedBy(buildConnector({ timeout, lookup, allowH2: false }));
  if (warmUp === undefined)
    return plainPool((Pool) => new Pool(origin, poolOptions(options, connect)));
  const spares = new SpareConnections(connect, warmUp.spares);
  const first = warmUp.early?.before(connect, timeout) ?? connect;
  let isOpened = false;
  const connector: Connectors.connector = (target, callback) => {
    if (isOpened) return spares.connector(target, callback);
    isOpened = true;
    first(target, callback);
    spares.open(target);
  };
  return plainPool((Pool) => new Pool(origin, poolOptions(options, connector)));
}

/** Connections to an origin that is spoken to in plain HTTP. */
export function plainPool(open: ConstructorParameters<typeof Http1>[0]): Origin {
  const http1 = new Http1(open);
  return { http1, destroy: () => http1.destroy() };
}

/** How to open connections in TLS. */
export interface TlsConnectors {
  /** One that offers HTTP/2 and HTTP/1.1. */
  readonly any: Connectors.connector;
  /** One that offers HTTP/1.1 alone. */
  readonly http1: Connectors.connector;
  /** For the first connection, in place of `any`. */
  readonly first?: Connectors.connector;
}

/**
 * An origin in TLS: the server chooses the protocol with the first connection. Others are opened
 * only if it chooses HTTP/1.1.
 * @param spares how many connections to open then beside the first
 */
export function tlsOrigin(
  origin: string,
  options: ConnectionOptions & { readonly tls: HostTls },
  { any, http1: connectHttp1, first = any }: TlsConnectors,
  spares = (): number => 0,
): Origin {
  const { sockets, tls } = options;
  const opened = new SpareConnections(connectHttp1, spares);
  const http1 = new Http1((Pool) => new Pool(origin, poolOptions(options, opened.connector)));
  const target = targetOf(origin);
  const http2 = new Http2Negotiation(origin, {
    target,
    connect: first,
    // The session closes its connection, in good order.
    onHttp2: (socket) => sockets.release(socket),
    onHttp1: (socket) => {
      opened.add(socket);
      // After the requests that are waiting: the handshakes of spare connections would delay theirs.
      setImmediate(() => opened.open(target));
    },
  });
  return {
    http1,
    http2,
    tls,
    alert: () => alertWithoutRequest(any, target),
    async destroy() {
      http2.destroy();
      await http1.destroy();
    },
  };
}

/** An origin as undici gives it to connectors. */
function targetOf(origin: string): Connectors.Options {
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

function connectorTo(
  { connectTimeoutMs: timeout, lookup, sockets }: DirectOptions,
  tls: HostTls,
): TlsConnectors {
  const offering = (allowH2: boolean): Connectors.connector =>
    trustingConnector(tls, (connection) =>
      sockets.ownedBy(buildConnector({ ...connection, timeout, lookup, allowH2 })),
    );
  return { any: offering(true), http1: offering(false) };
}
