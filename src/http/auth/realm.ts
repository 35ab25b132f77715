import { BlockList, isIP } from 'node:net';
import { ManifestToolError } from '../../errors.js';
import { isLoopbackHost, parseUrl } from '../url.js';

/**
 * Address ranges of private networks: a realm there may target what only this machine can reach.
 */
const INTERNAL = {
  ipv4: blockList('ipv4', [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ]),
  // Separate lists: one for both families would match every IPv4 address by ::ffff:0:0/96.
  ipv6: blockList('ipv6', [
    ['::', 127],
    ['fc00::', 7],
    ['fe80::', 10],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
  ]),
};

function blockList(
  family: 'ipv4' | 'ipv6',
  nets: readonly (readonly [string, number])[],
): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family);
  return list;
}

/**
 * The URL to request tokens from. The registry chooses it, and the user's password goes there, so
 * it is checked (CVE-2020-15157): https unless the registry itself uses plain HTTP, no credentials
 * in it, and no internal address, unless the registry has the same one or both are on this machine.
 * @throws {ManifestToolError} DENIED if the URL is refused.
 */
export function checkedRealm(realm: string | undefined, registry: URL): URL {
  const refuse = (why: string): ManifestToolError =>
    new ManifestToolError('DENIED', `authentication at ${registry.host}`, why, {
      hint: 'no credential was sent there; if the registry is yours, correct the realm in its configuration',
    });
  if (realm === undefined || realm === '')
    throw refuse('the registry demands a token, but its challenge has no realm');
  const url = parseUrl(realm, registry);
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw refuse("the realm in the registry's challenge is not an http or https URL");
  if (url.username !== '' || url.password !== '')
    throw refuse("the realm in the registry's challenge contains credentials");
  if (url.protocol === 'http:' && registry.protocol === 'https:')
    throw refuse(
      `the realm in the registry's challenge (${url.host}) is plain http, but the registry is https`,
    );
  if (isInternal(url.hostname) && url.hostname !== registry.hostname && !areLoopback(url, registry))
    throw refuse(`the realm in the registry's challenge (${url.host}) is an internal address`);
  return url;
}

function isInternal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  const name = hostname.replace(/\.$/, '');
  if (family === 0) return name === 'localhost' || name.endsWith('.localhost');
  return family === 6 ? INTERNAL.ipv6.check(address, 'ipv6') : INTERNAL.ipv4.check(address, 'ipv4');
}

function areLoopback(realm: URL, registry: URL): boolean {
  return isLoopbackHost(realm.hostname) && isLoopbackHost(registry.hostname);
}
