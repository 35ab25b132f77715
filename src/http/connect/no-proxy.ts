import { BlockList, isIP, isIPv4 } from 'node:net';
import { domainToASCII } from 'node:url';
import { portOf } from '../url.js';

/**
 * Whether a URL is reached without a proxy, by the rules of Go's golang.org/x/net/http/httpproxy, which docker, podman and crane follow:
 * this machine always is; then the entries of NO_PROXY, separated by commas: `*` (everything), an address, a block of addresses
 * (`10.0.0.0/8`), `foo` (it and what is below it), `.foo` or `*.foo` (only what is below it); all but blocks may end in `:port`.
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

/** A host of a URL is in ASCII; an entry may be written as people write it. */
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

/** `host:port` and `[address]:port` in their two parts; the port is empty where there is none. */
function splitPort(entry: string): [name: string, port: string] {
  const [, bracketed, plain, port] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(entry) ?? [];
  if (port !== undefined) return [bracketed ?? plain ?? '', port];
  return [entry.replace(/^\[(.*)\]$/, '$1'), ''];
}

/** One text for each address: the shortest form of IPv6, and the IPv4 address of one that is mapped (`::ffff:10.0.0.1`). */
function canonicalHost(host: string): string {
  // A zone (`fe80::1%eth0`) has no place in a URL.
  if (isIP(host) !== 6 || host.includes('%')) return host;
  const short = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}
