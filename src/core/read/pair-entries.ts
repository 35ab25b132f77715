import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { formatPlatform } from '../../oci/platform.js';
import { entryKey } from '../../oci/select-entry.js';

/** How the entries of two indexes differ. */
interface Pairs {
  readonly added: Descriptor[];
  readonly removed: Descriptor[];
  readonly pairs: (readonly [from: Descriptor, to: Descriptor])[];
}

/**
 * The entries that differ, paired by what they are for: first those that are the same in all, which
 * are left out, then those with the same digest, then those for the same platform, in their order.
 */
export function pairEntries(before: readonly Descriptor[], after: readonly Descriptor[]): Pairs {
  const partners = new Map<Descriptor, Descriptor>();
  const left = new Set(after);
  const [uses, usesAfter] = [keysOf(before), keysOf(after)];
  const match = (keyBefore: (entry: Descriptor) => string, keyAfter = keyBefore): void => {
    const waiting = new Map<string, Descriptor[]>();
    for (const entry of left) {
      const key = keyAfter(entry);
      const others = waiting.get(key);
      if (others === undefined) waiting.set(key, [entry]);
      else others.push(entry);
    }
    for (const entry of before) {
      if (partners.has(entry)) continue;
      const partner = waiting.get(keyBefore(entry))?.shift();
      if (partner === undefined) continue;
      partners.set(entry, partner);
      left.delete(partner);
    }
  };
  match(wholeKey);
  match(({ digest }) => digest);
  match(
    (entry) => uses.get(entry)!,
    (entry) => usesAfter.get(entry)!,
  );
  return {
    added: after.filter((entry) => left.has(entry)),
    removed: before.filter((entry) => !partners.has(entry)),
    pairs: before.flatMap((entry) => {
      const partner = partners.get(entry);
      const differs = partner !== undefined && wholeKey(partner) !== wholeKey(entry);
      return differs ? [[entry, partner] as const] : [];
    }),
  };
}

/** Equal for entries with the same digest, platform and annotations. */
function wholeKey({ digest, platform, annotations = new Map() }: Descriptor): string {
  const shown = platform && formatPlatform(platform);
  return JSON.stringify([
    digest,
    shown,
    [...annotations].map(([key, value]) => `${key}=${value}`).toSorted(),
  ]);
}

/** What each entry is for: a platform, or attesting the entry for a platform. */
function keysOf(entries: readonly Descriptor[]): ReadonlyMap<Descriptor, string> {
  const byDigest = new Map<string, Descriptor>(entries.map((entry) => [entry.digest, entry]));
  return new Map(
    entries.map((entry) => {
      const attested = isAttestation(entry) ? byDigest.get(attestedDigest(entry) ?? '') : undefined;
      if (attested !== undefined) return [entry, `attestation ${entryKey(attested)}`];
      return [entry, isAttestation(entry) ? entry.digest : entryKey(entry)];
    }),
  );
}
