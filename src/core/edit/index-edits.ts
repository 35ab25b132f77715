import { ManifestToolError } from '../../errors.js';
import {
  changedAnnotations,
  setsAnnotation,
  type AnnotationChanges,
} from '../../oci/annotations.js';
import { attestedDigest, imageEntries, isAttestation } from '../../oci/attestation.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { ImageIndex } from '../../oci/documents.js';
import type { IndexText } from '../../oci/json/index-text.js';
import { present } from '../../oci/json/fields.js';
import { sortedByBytes } from '../../oci/json/go-marshal.js';
import { DOCKER_MANIFEST_LIST } from '../../oci/media-types.js';
import {
  checkPlatform,
  formatPlatform,
  properPlatform,
  type Platform,
} from '../../oci/platform.js';
import {
  entryKey,
  listEntries,
  matchingEntries,
  platformKey,
  selectEntry,
} from '../../oci/select-entry.js';
import type { ResolvedImage } from '../publish/resolved.js';
import type { IndexEdit } from './edit-index.js';

/** Entries of an index: those for these platforms, and those with these digests. */
export interface Selection {
  /** Each selects the images for this platform. */
  readonly platforms?: readonly Platform[];
  /** Of entries of any kind, including attestations. */
  readonly digests?: readonly Digest[];
}

/** Whether no entry is named. */
export function isEmptySelection({ platforms = [], digests = [] }: Selection): boolean {
  return platforms.length + digests.length === 0;
}

/**
 * Adds images: each replaces the image for its platform, or follows the last image. The
 * attestations of a replaced image are removed with it.
 */
export function addEntries(images: readonly ResolvedImage[]): IndexEdit {
  /**
   * The digest for each platform when the edit was first applied. Only that is replaced; an image
   * that others have added since is kept.
   */
  const replaced = new Map<string, Digest | undefined>();
  return ({ manifests }, text) => {
    const edited = new EditedIndex(manifests, text, replaced);
    for (const { entry } of images) {
      if (isAttestation(entry)) edited.addAttestation(entry);
      else edited.addImage(entry);
    }
    return edited.text;
  };
}

/** Removes the entries with these digests, and the attestations of removed images. */
export function removeEntries(digests: ReadonlySet<string>): IndexEdit {
  return ({ manifests }, text) => {
    const isRemoved = (entry: Descriptor): boolean =>
      digests.has(entry.digest) ||
      (isAttestation(entry) && digests.has(attestedDigest(entry) ?? ''));
    return text.withoutEntries((i) => isRemoved(manifests[i]!));
  };
}

/** Changes of an entry. Fields and annotations that are not named are kept. */
export interface EntryChanges {
  /** Fields to set. */
  readonly platform?: Partial<Platform>;
  /** Annotations to set or remove. */
  readonly annotations?: AnnotationChanges;
}

/** Changes the entries with these digests. */
export function annotateEntries(digests: ReadonlySet<string>, changes: EntryChanges): IndexEdit {
  return ({ manifests }, text) =>
    manifests.reduce((edited, entry, i) => {
      if (!digests.has(entry.digest)) return edited;
      const changed = changedEntry(entry, changes);
      if (changed.platform !== undefined)
        checkPlatform(changed.platform, `annotating ${entry.digest}`);
      return isSame(entry, changed) ? edited : edited.withEntryAt(i, changed);
    }, text);
}

/** Changes annotations of the index itself. */
export function annotateRoot(changes: AnnotationChanges): IndexEdit {
  return ({ annotations }, text) =>
    [...changes].every(([key, value]) => annotations?.get(key) === value)
      ? text
      : text.withAnnotations(changedAnnotations(annotations, changes));
}

function changedEntry(
  { annotations: held, ...entry }: Descriptor,
  { platform = {}, annotations = new Map() }: EntryChanges,
): Descriptor {
  const base = entry.platform ?? { os: '', architecture: '' };
  const all = changedAnnotations(held, annotations);
  return {
    ...entry,
    ...(Object.keys(platform).length === 0
      ? {}
      : { platform: properPlatform({ ...base, ...platform }) }),
    ...(all.size === 0 ? {} : { annotations: all }),
  };
}

function isSame(a: Descriptor, b: Descriptor): boolean {
  const key = ({ platform, annotations }: Descriptor): string =>
    JSON.stringify([
      platform && [
        platform.os,
        platform.architecture,
        platform.variant,
        platform.osVersion,
        platform.osFeatures,
      ],
      [...sortedByBytes(annotations ?? new Map<string, string>())],
    ]);
  return key(a) === key(b);
}

/**
 * The digests of the selected entries. Warns if several are for one platform.
 * @throws {ManifestToolError} NOT_FOUND if an entry does not exist; USAGE if the requested platform
 * has no variant, and only images with different ones serve it.
 */
export function selectEntries(
  what: string,
  { manifests }: ImageIndex,
  { platforms = [], digests = [] }: Selection,
  warning: (text: string) => void = () => {},
): Set<Digest> {
  const byPlatform = platforms.flatMap((platform) => {
    const matching = digestsFor(what, platform, manifests);
    if (matching.length > 1) {
      const named = formatPlatform(platform);
      warning(`${what}: ${matching.length} entries are for ${named}: ${matching.join(', ')}`);
    }
    return matching;
  });
  for (const digest of digests) {
    if (manifests.some((entry) => entry.digest === digest)) continue;
    const why = `it has no entry ${digest}; it has ${listEntries(imageEntries(manifests))}`;
    throw new ManifestToolError('NOT_FOUND', what, why, { reason: 'entry-not-found' });
  }
  return new Set([...byPlatform, ...digests]);
}

/** The digests of the images for a platform. An edit never guesses a variant. */
function digestsFor(what: string, platform: Platform, manifests: readonly Descriptor[]): Digest[] {
  const matching = matchingEntries(platform, manifests);
  if (matching.length === 0) selectEntry(what, platform, manifests);
  const variants = new Set(
    matching.map((entry) => {
      const { os, architecture, variant } = entry.platform!;
      return platformKey({ os, architecture, ...present('variant', variant) });
    }),
  );
  if (variants.size > 1) {
    const why = `several entries are for ${formatPlatform(platform)}: ${listEntries(matching)}`;
    throw new ManifestToolError('USAGE', what, why, {
      hint: 'name the variant or the os version as well, or the digest',
    });
  }
  return [...new Set(matching.map(({ digest }) => digest))];
}

/**
 * Refuses to give several images of one platform the same platform fields.
 * @throws {ManifestToolError} USAGE that lists their digests.
 */
export function checkOneEach(
  what: string,
  { manifests }: ImageIndex,
  { platforms = [] }: Selection,
): void {
  for (const platform of platforms) {
    const digests = digestsFor(what, platform, manifests);
    if (digests.length < 2) continue;
    const why = `several entries are for ${formatPlatform(platform)}: ${digests.join(', ')}`;
    throw new ManifestToolError('USAGE', what, why, { reason: 'several-entries' });
  }
}

/** @throws {ManifestToolError} USAGE: Docker manifest lists have no annotations. */
export function checkAnnotations(
  what: string,
  mediaType: string,
  changes: AnnotationChanges | undefined,
): void {
  if (mediaType !== DOCKER_MANIFEST_LIST || !setsAnnotation(changes)) return;
  throw new ManifestToolError('USAGE', what, 'a Docker manifest list has no annotations', {
    reason: 'docker-list-annotations',
  });
}

/** The entries of an index and its JSON text, edited together. */
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
    const key = entry.platform && entryKey(entry);
    const position = this.entries.findIndex(
      (each) =>
        !isAttestation(each) &&
        // An entry without platform is told apart by what it names.
        (key === undefined
          ? each.platform === undefined && each.digest === entry.digest
          : each.platform !== undefined && entryKey(each) === key),
    );
    const held = this.entries[position];
    const slot = key ?? entry.digest;
    if (!this.replaced.has(slot)) this.replaced.set(slot, held?.digest);
    else if (held !== undefined && held.digest !== this.replaced.get(slot)) return;
    if (held === undefined) {
      this.insert(this.endOfImages(), entry);
      return;
    }
    if (held.digest === entry.digest) return;
    this.text = this.text.withEntryAt(position, entry);
    this.entries[position] = entry;
    this.remove((each) => isAttestation(each) && attestedDigest(each) === held.digest);
  }

  addAttestation(entry: Descriptor): void {
    if (this.entries.some(({ digest }) => digest === entry.digest)) return;
    this.insert(this.entries.length, entry);
  }

  /**
   * The position after the last image, if all attestations follow all images; otherwise the end.
   */
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

  private remove(isRemoved: (entry: Descriptor) => boolean): void {
    this.text = this.text.withoutEntries((i) => isRemoved(this.entries[i]!));
    this.entries.splice(
      0,
      this.entries.length,
      ...this.entries.filter((entry) => !isRemoved(entry)),
    );
  }
}
