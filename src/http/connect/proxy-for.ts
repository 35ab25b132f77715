import { BlockList, isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { ManifestToolError } from '../../errors.js';
import { portOf } from '../url.js';

/** The environment of the process. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, by the rules of Go's golang.org/x/net/http/httpproxy: HTTPS_PROXY for https,
 * HTTP_PROXY for http, and NO_PROXY for what needs none. Names in capitals come first, and an empty
 * variable counts as unset.
 * @throws {ManifestToolError} CONFIG if the variable holds no address of an HTTP proxy. Its value may
 * contain a password and is not repeated.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const [variable, value] = variableOf(env, name);
  if (value === '' || isDirect(url, variableOf(env, 'NO_PROXY')[1])) return undefined;
  // Written with name:password@host, the example would be redacted like a real address.
  const form = `write ${variable} as http://host:port, or as http://user:password@host:port with user and password percent-encoded`;
  const invalid = (why: string, hint = form): ManifestToolError =>
    new ManifestToolError('CONFIG', `using the proxy of ${variable}`, why, { hint });
  // In a CGI program, HTTP_PROXY is the header `Proxy` of the request (golang.org/s/cgihttpproxy).
  if (name === 'HTTP_PROXY' && (env['REQUEST_METHOD'] ?? '') !== '') {
    throw invalid(
      'it cannot be trusted in a CGI program',
      `unset ${variable}, or list the registry in NO_PROXY`,
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

/** Proxy-Authorization for the credentials in a proxy's address; like Go, also for a name alone. */
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
    // An unescaped `/`, `?` or `#` in a password ends the host: the name would be taken for the host.
    if ((url.pathname + url.search + url.hash).includes('@')) return undefined;
    proxyAuthorization(url);
    return url;
  } catch {
    return undefined;
  }
}

/**
 * Whether a URL is reached without a proxy, by the rules of Go's golang.org/x/net/http/httpproxy,
 * which docker, podman and crane follow. Loopback hosts always are. NO_PROXY is a list separated by
 * commas: `*` (everything), an address, a block of addresses (`10.0.0.0/8`), `foo` (the domain and
 * its subdomains), `.foo` or `*.foo` (subdomains only); all but blocks may end in `:port`.
 */
export function isDirect(url: URL, noProxy: string): boolean {
  const host = canonicalHost(url.hostname.replace(/^\[|\]$/g, ''));
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) {
    return true;
  }
  const port = String(portOf(url));
  const entries = noProxy.split(',').map((entry) => entry.trim().toLowerCase());
  return entries.some((entry) => matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, address, prefix] = /^(.+)\/([0-9]{1,3})$/.exec(entry) ?? [];
  if (address !== undefined && isIP(address) !== 0) {
    return isIP(host) !== 0 && inBlock(host, address, Number(prefix));
  }
  const [name, wanted] = splitPort(entry);
  if (name === '' || (wanted !== '' && wanted !== port)) return false;
  if (isIP(name) !== 0) return canonicalHost(name) === host;
  return inDomain(host, name);
}

function inDomain(host: string, name: string): boolean {
  const isBelowOnly = name.startsWith('.') || name.startsWith('*.');
  const domain = asciiName(isBelowOnly ? name.slice(name.indexOf('.') + 1) : name);
  return host.endsWith(`.${domain}`) || (!isBelowOnly && host === domain);
}

/** A domain in ASCII, as in URLs. */
function asciiName(name: string): string {
  return /\P{ASCII}/u.test(name) ? domainToASCII(name) || name : name;
}

function inBlock(host: string, address: string, prefix: number): boolean {
  const base = canonicalHost(address);
  const isMapped = isIPv4(base) && !isIPv4(address);
  const bits = isMapped ? prefix - 96 : prefix;
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  if (bits < 0 || bits > (isIPv4(base) ? 32 : 128) || isIP(base) !== isIP(host)) return false;
  const block = new BlockList();
  block.addSubnet(base, bits, family);
  return block.check(host, family);
}

/** The parts of `host:port` and `[address]:port`; the port is empty if there is none. */
function splitPort(entry: string): [name: string, port: string] {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(entry) ?? [];
  if (port !== undefined) return [bracketed ?? plain ?? '', port];
  return [entry.replace(/^\[(.*)\]$/, '$1'), ''];
}

/** One spelling for each address: IPv6 in its shortest form, a mapped one (`::ffff:10.0.0.1`) as IPv4. */
function canonicalHost(host: string): string {
  // URLs have no zones (`fe80::1%eth0`).
  if (isIP(host) !== 6 || host.includes('%')) return host;
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}
