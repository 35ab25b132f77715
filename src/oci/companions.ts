import { isAttestation } from './attestation.js';
import type { Descriptor } from './descriptor.js';
import { isNoPlatform } from './platform.js';

/**
 * The annotation that names the image from which an image was built (OCI image-spec,
 * annotations.md): an image does not belong to its base.
 */
const BASE_DIGEST = 'org.opencontainers.image.base.digest';

/**
 * Which entries of an index belong to other entries. An entry whose annotation has the digest of
 * another entry belongs to it: BuildKit's attestations (`vnd.docker.reference.digest`), SOCI indexes
 * (`com.amazon.soci.image-manifest-digest`) and others. An image never belongs to an artifact: SOCI
 * also annotates the image with the digest of its index.
 */
export class Companions {
  /** The digests to which an entry belongs, directly. */
  private readonly owners = new Map<Descriptor, Set<string>>();
  /** What belongs to a digest directly. */
  private readonly owned = new Map<string, Descriptor[]>();

  private readonly positions: ReadonlyMap<Descriptor, number>;

  constructor(entries: readonly Descriptor[]) {
    this.positions = new Map(entries.map((entry, position) => [entry, position]));
    const byDigest = new Map<string, { readonly entry: Descriptor; readonly position: number }>();
    entries.forEach((entry, position) => {
      const known = byDigest.get(entry.digest);
      if (known === undefined || (!isImage(known.entry) && isImage(entry)))
        byDigest.set(entry.digest, { entry, position });
    });
    entries.forEach((entry, position) => {
      for (const digest of namedBy(entry)) {
        const named = byDigest.get(digest);
        if (named === undefined || digest === entry.digest) continue;
        const other = named.entry;
        const isMutual = namedBy(other).includes(entry.digest);
        const isOwner =
          isImage(entry) === isImage(other)
            ? isMutual && position < named.position
            : isImage(entry);
        if (isOwner) this.add(other, entry.digest);
        else this.add(entry, digest);
      }
    });
  }

  /** Whether an entry belongs to another one, or attests something that the index may lack. */
  has(entry: Descriptor): boolean {
    return this.isOwned(entry) || isAttestation(entry);
  }

  /** Whether an entry belongs to another entry of the index. */
  isOwned(entry: Descriptor): boolean {
    return this.owners.has(entry);
  }

  /** The entries that belong to these digests, and those that belong to them in turn, in order. */
  of(digests: Iterable<string>): Descriptor[] {
    return this.following(new Set(digests), () => true);
  }

  /**
   * The entries that belong to these digests and to nothing else, and those that belong only to them
   * in turn, in order.
   */
  onlyOf(digests: Iterable<string>): Descriptor[] {
    const gone = new Set(digests);
    return this.following(gone, (entry) =>
      [...(this.owners.get(entry) ?? [])].every((owner) => gone.has(owner)),
    );
  }

  private add(entry: Descriptor, owner: string): void {
    const owners = this.owners.get(entry);
    if (owners?.has(owner) === true) return;
    if (owners === undefined) this.owners.set(entry, new Set([owner]));
    else owners.add(owner);
    const owned = this.owned.get(owner);
    if (owned === undefined) this.owned.set(owner, [entry]);
    else owned.push(entry);
  }

  /** Follows ownership from digests, and adds what it finds to them. */
  private following(
    digests: Set<string>,
    isFollowed: (entry: Descriptor) => boolean,
  ): Descriptor[] {
    const found = new Set<Descriptor>();
    // A set that grows while it is iterated: each digest is visited once.
    for (const digest of digests) {
      for (const entry of this.owned.get(digest) ?? []) {
        if (!isFollowed(entry)) continue;
        found.add(entry);
        digests.add(entry.digest);
      }
    }
    const { positions } = this;
    return [...found].toSorted((a, b) => positions.get(a)! - positions.get(b)!);
  }
}

const known = new WeakMap<readonly Descriptor[], Companions>();

/** The companions among the entries of an index, found once for each index. */
export function companionsIn(entries: readonly Descriptor[]): Companions {
  const companions = known.get(entries) ?? new Companions(entries);
  known.set(entries, companions);
  return companions;
}

/** The entries of an index that belong to no other entry, and are no attestations. */
export function imageEntries(entries: readonly Descriptor[]): Descriptor[] {
  const companions = companionsIn(entries);
  return entries.filter((entry) => !companions.has(entry));
}

/** The entries of an index without attestations, and without what belongs to attestations alone. */
export function withoutAttestations(entries: readonly Descriptor[]): Descriptor[] {
  const attestations = entries.filter(isAttestation);
  const digests = attestations.map(({ digest }) => digest);
  const dropped = new Set([...attestations, ...companionsIn(entries).onlyOf(digests)]);
  return entries.filter((entry) => !dropped.has(entry));
}

/** The entries of an index that belong to the one with this digest. */
export function companionsOf(digest: string, entries: readonly Descriptor[]): Descriptor[] {
  return companionsIn(entries).of([digest]);
}

/** Whether an entry is one that a container runtime could select. */
function isImage(entry: Descriptor): boolean {
  const { platform, artifactType } = entry;
  const isSelectable = platform !== undefined && !isNoPlatform(platform);
  return isSelectable && !artifactType && !isAttestation(entry);
}

function namedBy({ annotations }: Descriptor): string[] {
  return [...(annotations ?? [])].flatMap(([key, value]) => (key === BASE_DIGEST ? [] : [value]));
}
