import { ManifestToolError } from '../../errors.js';
import { attestationsOf } from '../../oci/attestation.js';
import { imageEntries } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { descriptorOf, type Descriptor } from '../../oci/descriptor.js';
import type { ImageManifest } from '../../oci/documents.js';
import { ManifestCache } from '../../oci/graph.js';
import { present } from '../../oci/json/fields.js';
import { unfoldedEntries, walkNested } from '../../oci/nested-index.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { formatReference, type Reference } from '../../oci/reference.js';
import {
  listEntries,
  selectEntry,
  servesPlatform,
  type SelectionEvents,
} from '../../oci/select-entry.js';
import type { Client } from '../client.js';
import { readConfig, type FetchedConfig } from './read-config.js';
import { readNamed } from './read-named.js';

/** The manifest that a reference, and a platform if one is given, select. */
export interface Selected {
  readonly store: ImageReader;
  readonly manifest: FetchedManifest;
  /** How the index has it, if it was selected from one. */
  readonly entry?: Descriptor;
  /** Those that the index has for it. */
  readonly attestations: readonly Descriptor[];
  /** Its config, if it was read to select it. */
  readonly config?: FetchedConfig;
}

/**
 * Reads the manifest that a reference names, or the entry of its index for a platform, also of an
 * index inside it. A single image must be for that platform.
 * @throws {ManifestToolError} NOT_FOUND if there is none; FAILED for indexes nested beyond the limits
 * of {@link walkNested}; what the readers throw.
 */
export async function selectManifest(
  client: Client,
  reference: Reference,
  platform?: Platform,
  events: SelectionEvents = {},
): Promise<Selected> {
  const { store, root, entry, entries, config } = await select(client, reference, platform, events);
  if (entry === undefined)
    return { store, manifest: root, attestations: [], ...present('config', config) };
  return {
    store,
    manifest: await store.getManifest(entry.digest, entry),
    entry,
    attestations: attestationsOf(entry.digest, entries),
  };
}

/**
 * The descriptor of what {@link selectManifest} reads; an entry of an index is not read.
 * @throws {ManifestToolError} as {@link selectManifest} does.
 */
export async function selectDescriptor(
  client: Client,
  reference: Reference,
  platform?: Platform,
  events: SelectionEvents = {},
): Promise<Descriptor> {
  const { root, entry } = await select(client, reference, platform, events);
  return entry ?? descriptorOf(root);
}

/** The manifest that a reference names, and the entry of its index for a platform. */
interface Selection {
  readonly store: ImageReader;
  readonly root: FetchedManifest;
  readonly entry?: Descriptor;
  /** Among which it was selected: those of the index, and of indexes inside it. */
  readonly entries: readonly Descriptor[];
  readonly config?: FetchedConfig | undefined;
}

async function select(
  client: Client,
  reference: Reference,
  platform: Platform | undefined,
  events: SelectionEvents,
): Promise<Selection> {
  const store = await client.open(reference, 'pull');
  const root = await readNamed(store, reference, platform, events);
  if (platform === undefined) return { store, root, entries: [] };
  const { document } = root;
  const name = formatReference(reference);
  const what = `reading ${name}`;
  if (document.kind === 'index') {
    const graph = await walkNested(document.manifests, {
      what,
      signal: client.signal,
      beyondLimit: 'throw',
      manifests: new ManifestCache((entry) => store.getManifest(entry.digest, entry)),
    });
    const entries = unfoldedEntries(graph);
    return { store, root, entry: selectEntry(what, platform, entries, events), entries };
  }
  const config = await readConfig(store, document, name);
  if (config?.platform === undefined || !servesPlatform(config.platform, platform))
    throw otherPlatform(what, config?.platform, [platform]);
  return { store, root, entries: [], config };
}

/** The error for a single image that is for none of the platforms that were asked for. */
export function otherPlatform(
  what: string,
  own: Platform | undefined,
  wanted: readonly Platform[],
): ManifestToolError {
  const named = own === undefined ? 'without platform' : `for ${formatPlatform(own)}`;
  const why = `it is a single image, ${named}, not for ${wanted.map(formatPlatform).join(' or ')}`;
  return new ManifestToolError('NOT_FOUND', what, why, { reason: 'image-for-other-platform' });
}

/**
 * The only image of what was selected: the image itself, or that of an index with one image.
 * @throws {ManifestToolError} NOT_FOUND if an index has no image, USAGE if it has several.
 */
export async function onlyImage(
  selected: Selected,
  reference: Reference,
): Promise<Selected & { readonly document: ImageManifest }> {
  const { store, manifest } = selected;
  if (manifest.document.kind === 'manifest') return { ...selected, document: manifest.document };
  const images = imageEntries(manifest.document.manifests);
  const [entry] = images;
  const what = `reading the config of ${formatReference(reference)}`;
  if (entry === undefined) {
    throw new ManifestToolError('NOT_FOUND', what, 'it is an index without images', {
      reason: 'entry-not-found',
    });
  }
  if (images.length === 1) {
    const image = await store.getManifest(entry.digest, entry);
    if (image.document.kind === 'manifest') {
      return { store, manifest: image, entry, attestations: [], document: image.document };
    }
  }
  const why = `it is an index, of ${listEntries(images)}`;
  throw new ManifestToolError('USAGE', what, why, { reason: 'image-not-selected' });
}
