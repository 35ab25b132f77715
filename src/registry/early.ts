import { apiHost } from '../docker-hub.js';
import { proxyFor } from '../http/connect/proxy-for.js';
import { EarlyConnection } from '../http/connect/warm-up.js';
import { isLoopbackHost, parseUrl } from '../http/url.js';

export interface EarlyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plainHttp: (host: string) => boolean;
}

/**
 * Begins a connection to a registry (`host[:port]`) before the code for registries is loaded, which
 * takes about as long as a round trip. Undefined if it is not certain where to connect. The caller
 * owns the connection.
 */
export async function connectEarly(
  host: string,
  { env, plainHttp }: EarlyOptions,
): Promise<EarlyConnection | undefined> {
  const address = apiHost(host);
  const isLoopback = isLoopbackHost(parseUrl(`http://${address}`)?.hostname ?? '');
  const isPlain = plainHttp(host) || isLoopback;
  const url = parseUrl(`${isPlain ? 'http' : 'https'}://${address}`);
  // The scheme of a loopback host is not known yet, and with it its default port.
  const isCertain = url !== undefined && (plainHttp(host) || !isLoopback || url.port !== '');
  if (!isCertain || !isDirect(url, env)) return undefined;
  const connection = new EarlyConnection(url);
  await connection.begun();
  return connection;
}

/** Whether no proxy is used; what is wrong with a proxy is reported by the first request. */
function isDirect(url: URL, env: EarlyOptions['env']): boolean {
  try {
    return proxyFor(url, env) === undefined;
  } catch {
    return false;
  }
}
