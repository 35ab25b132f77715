import { isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/documents.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import { isNoPlatform, type Platform } from '../../oci/platform.js';
import { tagOrDigestOf, type Reference } from '../../oci/reference.js';
import { mapConcurrent } from '../../concurrency.js';
import { readConfig } from './config.js';
import type { Client } from '../client.js';

/** How many lists in a list are read below each other. */
const MAX_DEPTH = 2;

/** What an image can run on. */
export interface QueryResult {
  /** Of the image or the list. */
  readonly digest: string;
  /** Of the image or the list. */
  readonly mediaType: string;
  /** Whether it is a list. */
  readonly isList: boolean;
  /** In the order of the list; none of what is no image. */
  readonly platforms: readonly Platform[];
}

/**
 * Finds the platforms of an image or a list: of a list one request, as long as all its entries say theirs.
 * @throws {ManifestToolError} NOT_FOUND where it is not there.
 */
export async function queryImage(client: Client, reference: Reference): Promise<QueryResult> {
  const store = await client.open(reference, 'pull');
  const manifest = await store.getManifest(tagOrDigestOf(reference));
  const { digest, mediaType, document } = manifest;
  const platforms = await platformsOf(store, manifest, 0);
  return {
    digest,
    mediaType,
    isList: document.kind === 'index',
    platforms: platforms.filter((platform) => !isNoPlatform(platform)),
  };
}

async function platformsOf(
  store: ImageReader,
  { document, digest }: FetchedManifest,
  depth: number,
): Promise<Platform[]> {
  if (document.kind === 'manifest') {
    return [(await readConfig(store, document, `${store.name}@${digest}`)).platform];
  }
  const images = document.manifests.filter((entry) => !isAttestation(entry));
  const found = await mapConcurrent(images, (entry) => entryPlatforms(store, entry, depth + 1));
  return found.flat();
}

async function entryPlatforms(
  store: ImageReader,
  entry: Descriptor,
  depth: number,
): Promise<Platform[]> {
  if (entry.platform !== undefined) return [entry.platform];
  const isReadable = isManifestType(entry.mediaType) || isIndexType(entry.mediaType);
  if (!isReadable || depth > MAX_DEPTH) return [];
  return platformsOf(store, await store.getManifest(entry.digest, entry), depth);
}
