import { ManifestToolError } from '../../errors.js';
import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { Digest } from '../../oci/digest.js';
import type { Annotations, Descriptor, ImageIndex } from '../../oci/documents.js';
import type { IndexText } from '../../oci/json/index-text.js';
import { sortedByBytes } from '../../oci/json/go-marshal.js';
import { DOCKER_MANIFEST_LIST } from '../../oci/media-types.js';
import {
  checkPlatform,
  formatPlatform,
  platformKey,
  servesPlatform,
  type Platform,
} from '../../oci/platform.js';
import type { IndexEdit } from './loop.js';
import type { ResolvedImage } from '../publish/resolved.js';

/** Which entries of a list are meant: those for these platforms, and those with these digests. */
export interface Selection {
  /** Each means one image. */
  readonly platforms?: readonly Platform[];
  /** Of entries of any kind, attestations too. */
  readonly digests?: readonly Digest[];
}

/** Whether no entry is named, so that the list itself is meant. */
export function isEmptySelection({ platforms = [], digests = [] }: Selection): boolean {
  return platforms.length + digests.length === 0;
}

/**
 * Brings images into a list: each in the place of the one for its platform, or behind the last image; attestations go and come with their
 * images.
 */
export function addEdit(images: readonly ResolvedImage[]): IndexEdit {
  /** What stood for a platform when the edit was first made: it is replaced; what others put there since is theirs. */
  const replaced = new Map<string, Digest | undefined>();
  return ({ manifests }, text) => {
    const list = new EditedIndex(manifests, text, replaced);
    for (const { entry } of images) {
      if (isAttestation(entry)) list.addAttestation(entry);
      else list.addImage(entry);
    }
    return list.text;
  };
}

/** Takes entries out of a list, and the attestations of images that go. */
export function removeEdit(digests: ReadonlySet<string>): IndexEdit {
  return ({ manifests }, text) => {
    const isGone = (entry: Descriptor): boolean =>
      digests.has(entry.digest) ||
      (isAttestation(entry) && digests.has(attestedDigest(entry) ?? ''));
    return text.withoutEntries((i) => isGone(manifests[i]!));
  };
}

/** What `annotate` changes: what is not named stays as it is. */
export interface EntryChanges {
  /** Fields that take the place of those of the entry. */
  readonly platform?: Partial<Platform>;
  /** Annotations that come to those that are there, or take their place. */
  readonly annotations?: Annotations;
}

/** Changes platform fields and annotations of the entries with these digests. */
export function annotateEntriesEdit(
  digests: ReadonlySet<string>,
  changes: EntryChanges,
): IndexEdit {
  return ({ manifests }, text) =>
    manifests.reduce((edited, entry, i) => {
      if (!digests.has(entry.digest)) return edited;
      const changed = changedEntry(entry, changes);
      if (changed.platform !== undefined)
        checkPlatform(changed.platform, `annotating ${entry.digest}`);
      return isSame(entry, changed) ? edited : edited.withEntryAt(i, changed);
    }, text);
}

/** Sets annotations of the list itself. */
export function annotateIndexEdit(annotations: Annotations): IndexEdit {
  return (index, text) => {
    const held = index.annotations ?? new Map<string, string>();
    if ([...annotations].every(([key, value]) => held.get(key) === value)) return text;
    return text.withAnnotations(new Map([...held, ...annotations]));
  };
}

function changedEntry(
  entry: Descriptor,
  { platform = {}, annotations = new Map() }: EntryChanges,
): Descriptor {
  const base = entry.platform ?? { os: '', architecture: '' };
  const all = new Map([...(entry.annotations ?? []), ...annotations]);
  return {
    ...entry,
    ...(Object.keys(platform).length === 0 ? {} : { platform: { ...base, ...platform } }),
    ...(all.size === 0 ? {} : { annotations: all }),
  };
}

function isSame(a: Descriptor, b: Descriptor): boolean {
  const key = ({ platform, annotations }: Descriptor): string =>
    JSON.stringify([
      platform && platformKey(platform),
      [...sortedByBytes(annotations ?? new Map<string, string>())],
    ]);
  return key(a) === key(b);
}

/**
 * The digests of the entries that are meant.
 * @throws {ManifestToolError} NOT_FOUND for what is not in the list; USAGE where a platform could mean several entries.
 */
export function selectEntries(
  what: string,
  { manifests }: ImageIndex,
  { platforms = [], digests = [] }: Selection,
): Set<Digest> {
  const images = manifests.filter((entry) => !isAttestation(entry));
  const shown = images
    .map(({ platform, digest }) => (platform ? formatPlatform(platform) : digest))
    .join(', ');
  const byPlatform = platforms.map((platform) => {
    const found = images.filter(
      (entry) => entry.platform && servesPlatform(entry.platform, platform),
    );
    const exact = found.filter((entry) => entry.platform!.variant === platform.variant);
    const meant = exact.length === 1 ? exact : found;
    if (meant.length === 1) return meant[0]!.digest;
    const name = formatPlatform(platform);
    if (meant.length === 0)
      throw new ManifestToolError(
        'NOT_FOUND',
        what,
        `it has no entry for ${name}; it has ${shown}`,
        { hint: HINT },
      );
    const several = meant.map((entry) => formatPlatform(entry.platform!)).join(', ');
    throw new ManifestToolError('USAGE', what, `${name} could mean ${several}`, {
      hint: 'name the variant, the os version or the digest',
    });
  });
  for (const digest of digests) {
    if (manifests.some((entry) => entry.digest === digest)) continue;
    throw new ManifestToolError('NOT_FOUND', what, `it has no entry ${digest}; it has ${shown}`, {
      hint: HINT,
    });
  }
  return new Set([...byPlatform, ...digests]);
}

const HINT = 'inspect --format table shows what is in it';

/** Docker lists have no annotations. */
export function checkAnnotations(what: string, mediaType: string, annotations: Annotations): void {
  if (mediaType !== DOCKER_MANIFEST_LIST || annotations.size === 0) return;
  throw new ManifestToolError('USAGE', what, 'a Docker manifest list has no annotations', {
    hint: 'publish it as an OCI index first: create --type oci',
  });
}

/** The entries of a list and its text, edited together. */
class EditedIndex {
  private readonly entries: Descriptor[];

  constructor(
    entries: readonly Descriptor[],
    public text: IndexText,
    private readonly replaced: Map<string, Digest | undefined>,
  ) {
    this.entries = [...entries];
  }

  addImage(entry: Descriptor): void {
    const key = entry.platform && platformKey(entry.platform);
    const position = this.entries.findIndex(
      (each) => !isAttestation(each) && each.platform && platformKey(each.platform) === key,
    );
    const held = this.entries[position];
    const known = key ?? entry.digest;
    if (!this.replaced.has(known)) this.replaced.set(known, held?.digest);
    else if (held !== undefined && held.digest !== this.replaced.get(known)) return;
    if (held === undefined) {
      this.insert(this.endOfImages(), entry);
      return;
    }
    if (held.digest === entry.digest) return;
    this.text = this.text.withEntryAt(position, entry);
    this.entries[position] = entry;
    this.drop((each) => isAttestation(each) && attestedDigest(each) === held.digest);
  }

  addAttestation(entry: Descriptor): void {
    if (this.entries.some(({ digest }) => digest === entry.digest)) return;
    this.insert(this.entries.length, entry);
  }

  /** Behind the last image, where all attestations stand behind all images, and otherwise at the end. */
  private endOfImages(): number {
    const first = this.entries.findIndex(isAttestation);
    return first >= 0 && this.entries.slice(first).every(isAttestation)
      ? first
      : this.entries.length;
  }

  private insert(position: number, entry: Descriptor): void {
    this.text = this.text.withEntryBefore(position, entry);
    this.entries.splice(position, 0, entry);
  }

  private drop(isGone: (entry: Descriptor) => boolean): void {
    this.text = this.text.withoutEntries((i) => isGone(this.entries[i]!));
    this.entries.splice(0, this.entries.length, ...this.entries.filter((entry) => !isGone(entry)));
  }
}
