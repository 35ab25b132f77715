import { companionsIn } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { descriptorOf, type Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { ImageManifest } from '../../oci/documents.js';
import { IndexWalker, LIMIT_REASONS, ManifestCache, type ReadEntry } from '../../oci/graph.js';
import { present } from '../../oci/json/fields.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import type { Platform } from '../../oci/platform.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readConfig } from './read-config.js';

/** An entry of an index, or a single image, with its platform. */
export interface FoundEntry {
  /** As the index has it; of a single image, its own type, digest and size. */
  readonly descriptor: Descriptor;
  /** Of the entry, or else of its image; undefined if neither has one. */
  readonly platform?: Platform;
  /** Whether it belongs to another entry, as attestations do. */
  readonly isCompanion: boolean;
  /** Whether it is an index whose entries are listed after it. */
  readonly isFollowed: boolean;
}

/** What reads manifests and configs. */
export type ManifestReader = Pick<ImageReader, 'name' | 'getManifest' | 'getBlob'>;

/**
 * Finds the entries of an index, each index inside it followed by its own entries; of a single
 * image, itself. Only entries without a platform are read. Warns of indexes that are not followed:
 * more than 4 levels deep, or with more than 20,000 entries in all; `name` is that of the index, for
 * messages.
 * @throws {ManifestToolError} NOT_FOUND if something that is read does not exist; what the reader
 * throws.
 */
export async function findEntries(
  client: Pick<Client, 'signal'>,
  store: ManifestReader,
  name: string,
  { mediaType, digest, size, document }: FetchedManifest,
  events: Pick<ProgressEvents, 'warning'> = {},
): Promise<readonly FoundEntry[]> {
  if (document.kind === 'manifest') {
    const platform = await configPlatform(store, document, digest);
    const descriptor = descriptorOf({ mediaType, digest, size });
    return [
      { descriptor, ...present('platform', platform), isCompanion: false, isFollowed: false },
    ];
  }
  const walker = new IndexWalker<Omit<FoundEntry, 'isFollowed'>>({
    what: `reading ${name}`,
    signal: client.signal,
    manifests: new ManifestCache((entry) => store.getManifest(entry.digest, entry)),
    visit: async (descriptor, read, entries) => {
      const isCompanion = companionsIn(entries).has(descriptor);
      const platform = isCompanion
        ? descriptor.platform
        : await entryPlatform(store, descriptor, read);
      return { descriptor, ...present('platform', platform), isCompanion };
    },
    beyondLimit: 'cut',
  });
  const graph = await walker.walk(document.manifests);
  if (graph.limit !== undefined) {
    const why = LIMIT_REASONS[graph.limit];
    events.warning?.(`${name}: not all platforms are listed: ${why}`);
  }
  const folded = graph.fold<FoundEntry[]>(({ value, manifest }, inner, isCut) => {
    const isFollowed = manifest?.document.kind === 'index' && !isCut;
    return [{ ...value, isFollowed }, ...inner.flat()];
  });
  return folded.flat();
}

/** The platform of an entry, or that of its image if the entry has none. */
async function entryPlatform(
  store: ManifestReader,
  entry: Descriptor,
  read: ReadEntry,
): Promise<Platform | undefined> {
  if (entry.platform !== undefined) return entry.platform;
  if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return undefined;
  const manifest = await read();
  if (manifest?.document.kind !== 'manifest') return undefined;
  return configPlatform(store, manifest.document, manifest.digest);
}

/** The platform of an image; none of an artifact without one. */
async function configPlatform(
  store: ManifestReader,
  manifest: ImageManifest,
  digest: Digest,
): Promise<Platform | undefined> {
  const config = await readConfig(store, manifest, `${store.name}@${digest}`);
  return config?.platform;
}
