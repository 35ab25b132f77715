import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { isAttestation } from '../../oci/attestation.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { isDocumentType } from '../../oci/media-types.js';
import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import {
  differenceOf,
  valueChanges,
  type ComparedContent,
  type Difference,
  type DiffSide,
  type ValueChange,
} from './difference.js';
import { findEntries, type FoundEntry } from './entries.js';
import { readConfig, type FetchedConfig } from './read-config.js';

/** What is compared. */
export interface DiffRequest {
  /** Whether the configs of changed images are compared as well; the default is false. */
  readonly config?: boolean;
}

/** How two images or indexes differ. */
export interface ImageDiff extends Difference {
  /** Whether both have the same digest. */
  readonly isEqual: boolean;
  /** The first. */
  readonly from: DiffSide;
  /** The second. */
  readonly to: DiffSide;
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
    from: sideOf(from.manifest),
    to: sideOf(to.manifest),
  };
  if (roots.isEqual) return { ...roots, added: [], removed: [], changed: [], annotations: {} };
  const compared = async ({ store, manifest }: Root, reference: Reference) => {
    const name = formatReference(reference);
    const entries = await findEntries(client, store, name, manifest, events);
    return comparedContent(manifest, entries, (entry) => contentSize(store, entry));
  };
  const [own, other] = await Promise.all([compared(from, before), compared(to, after)]);
  const difference = await differenceOf(own, other, async (old, now) =>
    config ? configChanges(from.store, old, to.store, now) : undefined,
  );
  return { ...roots, ...difference };
}

interface Root {
  readonly store: ImageReader;
  readonly manifest: FetchedManifest;
}

async function readRoot(client: Client, reference: Reference): Promise<Root> {
  const store = await client.open(reference, 'pull');
  return { store, manifest: await store.getManifest(tagOrDigestOf(reference)) };
}

/** What names a side of a difference. */
export function sideOf({ digest, mediaType }: DiffSide): DiffSide {
  return { digest, mediaType };
}

/**
 * An image or index with what {@link findEntries} found of it; of an index that is followed, only
 * its entries are compared.
 */
export function comparedContent(
  { document: { annotations } }: Pick<FetchedManifest, 'document'>,
  entries: readonly FoundEntry[],
  sizeOf: ComparedContent['sizeOf'],
): ComparedContent {
  const compared = entries.filter(({ isFollowed }) => !isFollowed).map(withPlatform);
  return { annotations, entries: compared, sizeOf };
}

function withPlatform({ descriptor, platform }: FoundEntry): Descriptor {
  return platform === undefined ? descriptor : { ...descriptor, platform };
}

/**
 * The size of everything that an entry names directly, each digest once.
 * @throws {ManifestToolError} what the reader throws.
 */
export async function contentSize(
  store: Pick<ImageReader, 'getManifest'>,
  entry: Descriptor,
): Promise<number> {
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
  return valueChanges(membersOf(from), membersOf(to));
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
