import type { Pool as PoolTypes, buildConnector as Connectors } from 'undici';
import type { Sockets } from './sockets.js';
import { secureContextOf, type TlsSettings } from './tls.js';

/** How to connect to one origin. */
export interface ConnectionOptions {
  /** How to speak TLS to it. */
  readonly tls: TlsSettings;
  /** The most connections at a time. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly maxHeaderSize: number;
  /** Owns each connection. */
  readonly sockets: Sockets;
}

/** For undici's pool of connections. */
export function poolOptions(
  { connections, maxHeaderSize }: ConnectionOptions,
  connect: NonNullable<PoolTypes.Options['connect']>,
): PoolTypes.Options {
  return { connections, allowH2: false, maxHeaderSize, connect };
}

/** For undici's connector to the origin itself. */
export function targetTls(origin: string, options: ConnectionOptions): Connectors.BuildOptions {
  return {
    ...tlsConnection(origin, options.tls),
    rejectUnauthorized: options.tls.rejectUnauthorized,
    timeout: options.connectTimeoutMs,
  };
}

/** All authorities are read once, not for every connection. */
export function tlsConnection(origin: string, settings: TlsSettings): Connectors.BuildOptions {
  const { protocol, host } = new URL(origin);
  const secureContext = protocol === 'https:' ? secureContextOf(host, settings) : undefined;
  return secureContext === undefined ? {} : { secureContext };
}
