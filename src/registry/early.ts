import { CONCURRENCY, SPARES } from '../http/connect/concurrency.js';
import { EarlyConnections } from '../http/connect/early-connections.js';
import { proxyFor } from '../http/connect/proxy-for.js';
import { isLoopbackHost, parseUrl } from '../http/url.js';
import { apiHost } from '../docker-hub.js';

export interface EarlyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plainHttp: (host: string) => boolean;
  readonly concurrency?: number;
}

/**
 * Begins connections to a registry (`host[:port]`) before the code for registries is loaded, which takes as long as a round trip; undefined
 * where it is not certain where to. What is wrong with a proxy is told when that is used.
 */
export async function connectEarly(
  host: string,
  { env, plainHttp, concurrency = CONCURRENCY }: EarlyOptions,
): Promise<EarlyConnections | undefined> {
  const address = apiHost(host);
  const isLoopback = isLoopbackHost(parseUrl(`http://${address}`)?.hostname ?? '');
  const isPlain = plainHttp(host) || isLoopback;
  const url = parseUrl(`${isPlain ? 'http' : 'https'}://${address}`);
  // On this machine the scheme is not known yet, and with it the port where none is written.
  const isCertain = url !== undefined && (plainHttp(host) || !isLoopback || url.port !== '');
  const connections = isCertain && goesStraight(url, env) ? new EarlyConnections(url) : undefined;
  await connections?.begin(1 + Math.min(SPARES, concurrency - 1));
  // What is needed of Node, while they are on their way: later its cached code may be of no use any more (`tuneEngine`).
  if (!isPlain) process.getBuiltinModule('node:http2');
  process.getBuiltinModule('node:crypto');
  return connections;
}

function goesStraight(url: URL, env: EarlyOptions['env']): boolean {
  try {
    return proxyFor(url, env) === undefined;
  } catch {
    return false;
  }
}
