import { ManifestToolError } from '../../errors.js';
import { isDirect } from './no-proxy.js';

/** The environment of the process. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, by the rules of Go's golang.org/x/net/http/httpproxy: HTTPS_PROXY for https, HTTP_PROXY for http, NO_PROXY for what goes
 * without; each in capitals first, and an empty one counts as none.
 *
 * @throws {ManifestToolError} CONFIG: the variable holds no address of an HTTP proxy. Its value may hold a password and is not repeated.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const [variable, value] = variableOf(env, name);
  if (value === '' || isDirect(url, variableOf(env, 'NO_PROXY')[1])) return undefined;
  // With the name and the password in its place in the address, they would be taken out of the hint as if they were true ones.
  const form = `write ${variable} as http://host:port, with user:password@ before the host where it is needed`;
  const invalid = (why: string, hint = form): ManifestToolError =>
    new ManifestToolError('CONFIG', `using the proxy of ${variable}`, why, { hint });
  // A server that runs this program for a request has the header `Proxy` of that request in HTTP_PROXY (golang.org/s/cgihttpproxy).
  if (name === 'HTTP_PROXY' && (env['REQUEST_METHOD'] ?? '') !== '') {
    throw invalid(
      'it cannot be trusted in a CGI program',
      `unset ${variable}, or name the registry in NO_PROXY`,
    );
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme?.startsWith('socks')) throw invalid('SOCKS proxies are not supported');
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw invalid('it is neither an http nor an https address');
  }
  const proxy = parseProxy(scheme === undefined ? `http://${value}` : value);
  if (proxy === undefined) throw invalid('it is not a valid address');
  return proxy;
}

/** `Proxy-Authorization` for the credentials in the address of a proxy, a name alone among them (as Go sends it). */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

function variableOf(env: Environment, name: string): [variable: string, value: string] {
  const lower = name.toLowerCase();
  return env[name] ? [name, env[name]] : [lower, env[lower] ?? ''];
}

function parseProxy(text: string): URL | undefined {
  try {
    const url = new URL(text);
    // A `/`, `?` or `#` in a password ends the host before it: what follows would be taken for a path, and the name for a host.
    if ((url.pathname + url.search + url.hash).includes('@')) return undefined;
    proxyAuthorization(url);
    return url;
  } catch {
    return undefined;
  }
}
