import { mapInOrder } from '../../concurrency.js';
import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isDocumentType } from '../../oci/media-types.js';
import { formatPlatform } from '../../oci/platform.js';
import { tagOrDigestOf, type Reference } from '../../oci/reference.js';
import { entryKey } from '../../oci/select-entry.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readConfig, type FetchedConfig } from './read-config.js';
import { findEntries, type FoundEntry } from './entries.js';
import { annotationChanges, type ValueChange } from './index-changes.js';

/** What is compared. */
export interface DiffRequest {
  /** Whether the configs of changed images are compared as well; the default is false. */
  readonly config?: boolean;
}

/** One of the two that are compared. */
export interface DiffSide {
  /** Of the image or index. */
  readonly digest: string;
  /** Of the image or index. */
  readonly mediaType: string;
}

/** An entry that only one of the two has. */
export interface DiffEntry {
  /** Of the manifest. */
  readonly digest: string;
  /** As `formatPlatform` writes it; undefined if there is none. */
  readonly platform: string | undefined;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /** Of the manifest with its config and layers, in bytes, as they are stored. */
  readonly size: number;
}

/** An entry that both have for one platform, with other content or other annotations. */
export interface DiffChange {
  /** As the first has it. */
  readonly from: DiffEntry;
  /** As the second has it. */
  readonly to: DiffEntry;
  /** Of the entry, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
  /**
   * Members of the config that differ, without history and layers: `os`, `config.User`,
   * `config.Env.PATH`, `config.Labels.KEY`. Strings as they are, other values as JSON. Undefined if
   * it was not asked for, or is not that of two images.
   */
  readonly config?: Readonly<Record<string, ValueChange>>;
}

/** How two images or indexes differ. */
export interface ImageDiff {
  /** Whether both have the same digest. */
  readonly isEqual: boolean;
  /** The first. */
  readonly from: DiffSide;
  /** The second. */
  readonly to: DiffSide;
  /** In the order of the second. */
  readonly added: readonly DiffEntry[];
  /** In the order of the first. */
  readonly removed: readonly DiffEntry[];
  /** In the order of the first. */
  readonly changed: readonly DiffChange[];
  /** Of the image or index itself, by key; only those that differ. */
  readonly annotations: Readonly<Record<string, ValueChange>>;
}

/**
 * Compares two images or indexes, wherever they are: platforms, digests, sizes and annotations, and
 * the configs if they are asked for. A single image is compared like an index of it; an attestation
 * belongs to the platform that it attests. Two with the same digest take one request each.
 * @throws {ManifestToolError} NOT_FOUND if one of them, or an entry that differs, does not exist;
 * what the readers throw.
 */
export async function diffImages(
  client: Client,
  before: Reference,
  after: Reference,
  { config = false }: DiffRequest = {},
  events: Pick<ProgressEvents, 'warning'> = {},
): Promise<ImageDiff> {
  const [from, to] = await Promise.all([readRoot(client, before), readRoot(client, after)]);
  const roots = {
    isEqual: from.manifest.digest === to.manifest.digest,
    from: side(from.manifest),
    to: side(to.manifest),
  };
  if (roots.isEqual) return { ...roots, added: [], removed: [], changed: [], annotations: {} };
  const [own, other] = await Promise.all([
    readImages(client, before, from, events),
    readImages(client, after, to, events),
  ]);
  const { added, removed, pairs } = paired(own, other);
  const sized = (root: Root) => (entry: Descriptor) => diffEntry(root.store, entry);
  const [addedEntries, removedEntries, changed] = await Promise.all([
    mapInOrder(added, sized(to)),
    mapInOrder(removed, sized(from)),
    mapInOrder(pairs, async ([old, now]) => {
      const [first, second] = await Promise.all([sized(from)(old), sized(to)(now)]);
      const configs =
        config && old.digest !== now.digest
          ? await configChanges(from.store, old, to.store, now)
          : undefined;
      return {
        from: first,
        to: second,
        annotations: Object.fromEntries(annotationChanges(old.annotations, now.annotations)),
        ...(configs && { config: configs }),
      };
    }),
  ]);
  return {
    ...roots,
    added: addedEntries,
    removed: removedEntries,
    changed,
    annotations: Object.fromEntries(
      annotationChanges(from.manifest.document.annotations, to.manifest.document.annotations),
    ),
  };
}

interface Root {
  readonly store: ImageReader;
  readonly manifest: FetchedManifest;
}

async function readRoot(client: Client, reference: Reference): Promise<Root> {
  const store = await client.open(reference, 'pull');
  return { store, manifest: await store.getManifest(tagOrDigestOf(reference)) };
}

function side({ digest, mediaType }: FetchedManifest): DiffSide {
  return { digest, mediaType };
}

/** The entries of one side with their platforms; in place of indexes that are followed, theirs. */
async function readImages(
  client: Client,
  reference: Reference,
  { store, manifest }: Root,
  events: Pick<ProgressEvents, 'warning'>,
): Promise<readonly Descriptor[]> {
  const entries = await findEntries(client, store, reference, manifest, events);
  return entries.filter(({ isFollowed }) => !isFollowed).map(withPlatform);
}

function withPlatform({ descriptor, platform }: FoundEntry): Descriptor {
  return platform === undefined ? descriptor : { ...descriptor, platform };
}

interface Pairs {
  readonly added: Descriptor[];
  readonly removed: Descriptor[];
  readonly pairs: (readonly [from: Descriptor, to: Descriptor])[];
}

/**
 * The entries that differ, paired by what they are for: first those that are the same in all, which
 * are left out, then those with the same digest, then those for the same platform, in their order.
 */
function paired(before: readonly Descriptor[], after: readonly Descriptor[]): Pairs {
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

async function diffEntry(store: ImageReader, entry: Descriptor): Promise<DiffEntry> {
  const { digest, platform } = entry;
  return {
    digest,
    platform: platform === undefined ? undefined : formatPlatform(platform),
    isAttestation: isAttestation(entry),
    size: await sizeOf(store, entry),
  };
}

/** The size of everything that an entry names directly, each digest once. */
async function sizeOf(store: ImageReader, entry: Descriptor): Promise<number> {
  if (!isDocumentType(entry.mediaType)) return entry.size;
  const { document } = await store.getManifest(entry.digest, entry);
  const named =
    document.kind === 'index' ? document.manifests : [document.config, ...(document.layers ?? [])];
  const sizes = new Map([entry, ...named].map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

async function configChanges(
  one: ImageReader,
  before: Descriptor,
  other: ImageReader,
  after: Descriptor,
): Promise<Readonly<Record<string, ValueChange>> | undefined> {
  const [from, to] = await Promise.all([configOf(one, before), configOf(other, after)]);
  if (from === undefined || to === undefined) return undefined;
  return Object.fromEntries(annotationChanges(membersOf(from), membersOf(to)));
}

async function configOf(store: ImageReader, entry: Descriptor): Promise<FetchedConfig | undefined> {
  if (isAttestation(entry) || !isDocumentType(entry.mediaType)) return undefined;
  const { document } = await store.getManifest(entry.digest, entry);
  if (document.kind === 'index') return undefined;
  return readConfig(store, document, `${store.name}@${entry.digest}`);
}

/** Members that differ with every build. */
const UNCOMPARED = new Set(['history', 'rootfs']);

/** The members of a config as text (OCI image-spec, config.md); each variable and label is one. */
function membersOf({ bytes }: FetchedConfig): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const [key, value] of Object.entries(parsed(bytes))) {
    if (UNCOMPARED.has(key) || (key === 'config' && isRecord(value))) continue;
    members.set(key, text(value));
  }
  const { config } = parsed(bytes);
  for (const [key, value] of Object.entries(isRecord(config) ? config : {})) {
    if (key === 'Env' && Array.isArray(value)) {
      for (const [name, content] of value.map(variable)) members.set(`config.Env.${name}`, content);
    } else if (key === 'Labels' && isRecord(value)) {
      for (const [label, content] of Object.entries(value))
        members.set(`config.Labels.${label}`, text(content));
    } else if (value !== null) {
      members.set(`config.${key}`, text(value));
    }
  }
  return members;
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function variable(entry: unknown): [name: string, value: string] {
  const [name = '', ...rest] = text(entry).split('=');
  return [name, rest.join('=')];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
