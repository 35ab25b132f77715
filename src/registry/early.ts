import { EarlyConnection } from '../transport/early-connection.js';
import { proxyFor } from '../transport/proxy-for.js';
import { isLoopbackHost, parseUrl } from '../transport/url.js';
import { apiAddress } from './address.js';

export interface EarlyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plainHttp: (host: string) => boolean;
}

/**
 * Begins a connection to a registry (`host[:port]`) before the code for registries is loaded, which takes as long as a round trip; undefined
 * where it is not certain where to. What is wrong with a proxy is told when that is used.
 */
export async function connectEarly(
  host: string,
  { env, plainHttp }: EarlyOptions,
): Promise<EarlyConnection | undefined> {
  const address = apiAddress(host);
  const isPlain = plainHttp(host) || isLoopbackHost(parseUrl(`http://${address}`)?.hostname ?? '');
  const url = parseUrl(`${isPlain ? 'http' : 'https'}://${address}`);
  // On this machine the scheme is not known yet, and with it the port where none is written.
  if (url === undefined || (isPlain && url.port === '' && !plainHttp(host))) return undefined;
  if (!goesStraight(url, env)) return undefined;
  const connection = new EarlyConnection(url);
  await connection.begun;
  // While it is on its way: later Node's cached code may be of no use any more (`tuneEngine`).
  if (!isPlain) process.getBuiltinModule('node:http2');
  process.getBuiltinModule('node:crypto');
  return connection;
}

function goesStraight(url: URL, env: EarlyOptions['env']): boolean {
  try {
    return proxyFor(url, env) === undefined;
  } catch {
    return false;
  }
}
