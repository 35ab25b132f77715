import { companionsIn } from '../../oci/companions.js';
import type { ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import type { ImageManifest } from '../../oci/documents.js';
import {
  IndexWalker,
  LIMIT_REASONS,
  ManifestCache,
  type IndexGraph,
  type ReadEntry,
} from '../../oci/graph.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import { isNoPlatform, type Platform } from '../../oci/platform.js';
import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readConfig } from './config.js';

/** The platforms of an image or index. */
export interface QueryResult {
  /** Of the image or index. */
  readonly digest: string;
  /** Of the image or index. */
  readonly mediaType: string;
  /** Whether it is an index. */
  readonly isList: boolean;
  /** In the order of the index; without attestations and artifacts. */
  readonly platforms: readonly Platform[];
}

/**
 * Finds the platforms of an image or index. An index whose entries all have a platform takes one
 * request. Warns of indexes inside it that are not followed: more than 4 levels deep, or with more
 * than 20,000 entries in all.
 * @throws {ManifestToolError} NOT_FOUND if it or a part of it does not exist; what the readers
 * throw.
 */
export async function queryImage(
  client: Client,
  reference: Reference,
  events: Pick<ProgressEvents, 'warning'> = {},
): Promise<QueryResult> {
  const store = await client.open(reference, 'pull');
  const { digest, mediaType, document } = await store.getManifest(tagOrDigestOf(reference));
  const result = { digest, mediaType, isList: document.kind === 'index' };
  if (document.kind === 'manifest') {
    const platforms = await configPlatforms(store, document, digest);
    return { ...result, platforms: withoutNone(platforms) };
  }
  const walker = new IndexWalker<readonly Platform[]>({
    what: `reading ${formatReference(reference)}`,
    signal: client.signal,
    manifests: new ManifestCache((entry) => store.getManifest(entry.digest, entry)),
    visit: (entry, read, entries) =>
      companionsIn(entries).has(entry) ? Promise.resolve([]) : entryPlatforms(store, entry, read),
    beyondLimit: 'cut',
  });
  const graph = await walker.walk(document.manifests);
  if (graph.limit !== undefined) {
    const why = LIMIT_REASONS[graph.limit];
    events.warning?.(`${formatReference(reference)}: not all platforms are listed: ${why}`);
  }
  return { ...result, platforms: withoutNone(platformsOf(graph)) };
}

/** The platform of an entry, or that of its image if the entry has none. */
async function entryPlatforms(
  store: ImageReader,
  entry: Descriptor,
  read: ReadEntry,
): Promise<readonly Platform[]> {
  if (entry.platform !== undefined) return [entry.platform];
  if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) return [];
  const manifest = await read();
  if (manifest?.document.kind !== 'manifest') return [];
  return configPlatforms(store, manifest.document, manifest.digest);
}

/** The platform of an image; none of an artifact without one. */
async function configPlatforms(
  store: ImageReader,
  manifest: ImageManifest,
  digest: Digest,
): Promise<readonly Platform[]> {
  const config = await readConfig(store, manifest, `${store.name}@${digest}`);
  return config?.platform === undefined ? [] : [config.platform];
}

function platformsOf(graph: IndexGraph<readonly Platform[]>): Platform[] {
  const all = graph.fold<readonly Platform[]>(({ value }, inner) => [...value, ...inner.flat()]);
  return all.flat();
}

function withoutNone(platforms: readonly Platform[]): Platform[] {
  return platforms.filter((platform) => !isNoPlatform(platform));
}
