import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { now } from '../../clock.js';

/** How long the addresses of a host are kept, in milliseconds. */
const KEPT_MS = 10_000;

const FAMILIES = new Map<unknown, number>([
  [4, 4],
  ['IPv4', 4],
  [6, 6],
  ['IPv6', 6],
]);

/**
 * A lookup that resolves a host once for all connections that are opened side by side: the system
 * resolves only a few names at a time.
 */
export function sharedLookup(): LookupFunction {
  const kept = new Map<
    string,
    { readonly addresses: Promise<LookupAddress[]>; readonly until: number }
  >();

  const addressesOf = (hostname: string, family: number): Promise<LookupAddress[]> => {
    const key = `${family} ${hostname}`;
    const known = kept.get(key);
    if (known !== undefined && now() < known.until) return known.addresses;
    const addresses = new Promise<LookupAddress[]>((resolve, reject) => {
      process
        .getBuiltinModule('node:dns')
        .lookup(hostname, { all: true, family }, (error, found) => {
          if (error === null) resolve(found);
          else reject(error);
        });
    });
    kept.set(key, { addresses, until: now() + KEPT_MS });
    addresses.catch(() => kept.delete(key));
    return addresses;
  };

  const answer = async (
    ...[hostname, { all = false, family }, callback]: Parameters<LookupFunction>
  ) => {
    let found: readonly LookupAddress[];
    try {
      found = await addressesOf(hostname, FAMILIES.get(family) ?? 0);
    } catch (error) {
      callback(error as NodeJS.ErrnoException, '', 0);
      return;
    }
    if (all) callback(null, [...found]);
    else callback(null, found[0]!.address, found[0]!.family);
  };
  return (...request) => void answer(...request);
}
