import { ManifestToolError } from '../../errors.js';
import {
  changedAnnotations,
  setsAnnotation,
  type AnnotationChanges,
} from '../../oci/annotations.js';
import { Companions, companionsIn, imageEntries } from '../../oci/companions.js';
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
import type { ResolvedImage } from '../publish/resolved-image.js';
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
 * Adds images: each replaces the image for its platform, or follows the last image. What belongs to
 * a replaced image is removed with it ({@link Companions}).
 */
export function addEntries(images: readonly ResolvedImage[]): IndexEdit {
  /**
   * The digest for each platform when the edit was first applied. Only that is replaced; an image
   * that others have added since is kept.
   */
  const replaced = new Map<string, Digest | undefined>();
  return ({ manifests }, text) => {
    const edited = new EditedIndex(
      manifests,
      images.map(({ entry }) => entry),
      replaced,
    );
    return edited.writtenTo(text);
  };
}

/** Entries of an index by {@link slotKey}: one manifest may be listed for several platforms. */
export type SelectedEntries = ReadonlySet<string>;

/** Tells entries apart, also those that name the same manifest. */
function slotKey(entry: Descriptor): string {
  return `${entry.digest} ${entryKey(entry)}`;
}

/** Removes the selected entries, and what belongs to them alone. */
export function removeEntries(selected: SelectedEntries): IndexEdit {
  return ({ manifests }, text) => {
    const removed = removedEntries(selected, manifests);
    return text.withoutEntries((i) => removed.has(manifests[i]!));
  };
}

/** The selected entries, and those that belong to them alone. */
export function removedEntries(
  selected: SelectedEntries,
  manifests: readonly Descriptor[],
): Set<Descriptor> {
  const named = manifests.filter((entry) => selected.has(slotKey(entry)));
  const gone = new Set(named.map(({ digest }) => digest));
  for (const entry of manifests) if (!selected.has(slotKey(entry))) gone.delete(entry.digest);
  return new Set([...named, ...companionsIn(manifests).onlyOf(gone)]);
}

/** Changes of an entry. Fields and annotations that are not named are kept. */
export interface EntryChanges {
  /** Fields to set. */
  readonly platform?: Partial<Platform>;
  /** Annotations to set or remove. */
  readonly annotations?: AnnotationChanges;
}

/** Changes the selected entries. */
export function annotateEntries(selected: SelectedEntries, changes: EntryChanges): IndexEdit {
  return ({ manifests }, text) =>
    text.withEntries(
      manifests.map((entry, position) => {
        if (!selected.has(slotKey(entry))) return { position };
        const changed = changedEntry(entry, changes);
        if (changed.platform !== undefined)
          checkPlatform(changed.platform, `annotating ${entry.digest}`);
        return isSame(entry, changed) ? { position } : { position, from: entry, entry: changed };
      }),
    );
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
 * The digests of the selected entries; a note says if several are for one platform.
 * @throws {ManifestToolError} NOT_FOUND if an entry does not exist; USAGE if the requested platform
 * has no variant, and only images with different ones serve it.
 */
export function selectEntries(
  what: string,
  { manifests }: ImageIndex,
  { platforms = [], digests = [] }: Selection,
  note: (text: string) => void = () => {},
): SelectedEntries {
  const byPlatform = platforms.flatMap((platform) => {
    const matching = entriesFor(what, platform, manifests);
    const named = digestsOf(matching);
    if (named.length > 1)
      note(
        `${what}: ${named.length} entries are for ${formatPlatform(platform)}: ${named.join(', ')}`,
      );
    return matching;
  });
  for (const digest of digests) {
    if (manifests.some((entry) => entry.digest === digest)) continue;
    const why = `it has no entry ${digest}; it has ${listEntries(imageEntries(manifests))}`;
    throw new ManifestToolError('NOT_FOUND', what, why, { reason: 'entry-not-found' });
  }
  const wanted = new Set(digests);
  const byDigest = manifests.filter(({ digest }) => wanted.has(digest));
  return new Set([...byPlatform, ...byDigest].map(slotKey));
}

/** The images for a platform. An edit never guesses a variant. */
function entriesFor(
  what: string,
  platform: Platform,
  manifests: readonly Descriptor[],
): Descriptor[] {
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
      hint: 'specify the variant or OS version as well, or the digest',
    });
  }
  return matching;
}

function digestsOf(entries: readonly Descriptor[]): Digest[] {
  return [...new Set(entries.map(({ digest }) => digest))];
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
    const digests = digestsOf(entriesFor(what, platform, manifests));
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

/** An entry of an {@link EditedIndex}. */
interface Slot {
  entry: Descriptor;
  /** In the index that is edited; undefined if it was added. */
  readonly position?: number;
  isChanged?: boolean;
  isRemoved?: boolean;
}

/** The entries of an index with others added to them. */
class EditedIndex {
  private readonly slots: Slot[];
  private readonly added: Slot[] = [];
  private readonly companions: Companions;
  private readonly images = new Map<string, Slot>();
  private readonly digests: Set<string>;
  /** The digests of images that others have replaced. */
  private readonly gone = new Set<string>();

  constructor(
    entries: readonly Descriptor[],
    added: readonly Descriptor[],
    private readonly replaced: Map<string, Digest | undefined>,
  ) {
    this.companions = new Companions([...entries, ...added]);
    this.digests = new Set(entries.map(({ digest }) => digest));
    this.slots = entries.map((entry, position) => ({ entry, position }));
    for (const slot of this.slots) this.record(slot);
    for (const entry of added) {
      if (this.companions.has(entry)) this.addCompanion(entry);
      else this.addImage(entry);
    }
    this.removeCompanions();
  }

  /**
   * The text of the index with these entries. New images follow the last image if all companions
   * follow all images; otherwise everything new is at the end.
   */
  writtenTo(text: IndexText): IndexText {
    const isCompanion = ({ entry }: Slot): boolean => this.companions.has(entry);
    const kept = this.slots.filter(({ isRemoved }) => isRemoved !== true);
    const added = this.added.filter(({ isRemoved }) => isRemoved !== true);
    const first = kept.findIndex(isCompanion);
    const isOrdered = kept.slice(first).every(isCompanion);
    const end = first >= 0 && isOrdered ? first : kept.length;
    const all =
      end === kept.length && first >= 0
        ? [...kept, ...added]
        : [
            ...kept.slice(0, end),
            ...added.filter((slot) => !isCompanion(slot)),
            ...kept.slice(end),
            ...added.filter(isCompanion),
          ];
    return text.withEntries(
      all.map(({ entry, position, isChanged }) => {
        if (position === undefined) return { entry };
        return isChanged === true ? { position, entry } : { position };
      }),
    );
  }

  private addImage(entry: Descriptor): void {
    const key = imageKey(entry);
    const held = this.images.get(key);
    if (!this.replaced.has(key)) this.replaced.set(key, held?.entry.digest);
    else if (held !== undefined && held.entry.digest !== this.replaced.get(key)) return;
    if (held === undefined) {
      this.append(entry);
      return;
    }
    if (held.entry.digest === entry.digest) return;
    this.gone.add(held.entry.digest);
    Object.assign(held, { entry, isChanged: true });
  }

  private addCompanion(entry: Descriptor): void {
    if (!this.digests.has(entry.digest)) this.append(entry);
  }

  /** Removes what belongs to replaced images alone, unless another platform still has the image. */
  private removeCompanions(): void {
    for (const { entry } of [...this.slots, ...this.added]) this.gone.delete(entry.digest);
    const removed = new Set(this.companions.onlyOf(this.gone));
    for (const slot of [...this.slots, ...this.added])
      if (removed.has(slot.entry)) slot.isRemoved = true;
  }

  private append(entry: Descriptor): void {
    const slot = { entry };
    this.added.push(slot);
    this.digests.add(entry.digest);
    this.record(slot);
  }

  private record(slot: Slot): void {
    const key = imageKey(slot.entry);
    if (!this.companions.has(slot.entry) && !this.images.has(key)) this.images.set(key, slot);
  }
}

/** Equal for entries of which one replaces the other; without a platform, only for the same one. */
function imageKey(entry: Descriptor): string {
  return entry.platform === undefined ? entry.digest : entryKey(entry);
}
