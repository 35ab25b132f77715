import { isAttestation } from '../../oci/attestation.js';
import type { Digest } from '../../oci/digest.js';
import { isArtifact } from '../../oci/image-config.js';
import { present } from '../../oci/json/fields.js';
import { isNoPlatform, type Platform } from '../../oci/platform.js';
import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { findEntries, type FoundEntry } from './entries.js';

/** An entry of an index, or a single image. */
export interface QueriedEntry {
  /** Of the manifest. */
  readonly digest: Digest;
  /** As the index has it. */
  readonly mediaType: string;
  /** Of the manifest, in bytes. */
  readonly size: number;
  /** Of the entry, or else of its image; undefined if neither has one. */
  readonly platform?: Platform;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
}

/** The platforms and entries of an image or index. */
export interface QueryResult {
  /** Of the image or index. */
  readonly digest: Digest;
  /** Of the image or index. */
  readonly mediaType: string;
  /** Of the image or index, in bytes. */
  readonly size: number;
  /** What it is. */
  readonly kind: 'index' | 'image' | 'artifact';
  /** In the order of the index; without attestations and artifacts. */
  readonly platforms: readonly Platform[];
  /**
   * All entries in the order of the index, each index inside it followed by its own; of a single
   * image, itself.
   */
  readonly entries: readonly QueriedEntry[];
}

/**
 * Finds the platforms and entries of an image or index. An index whose entries all have a platform
 * takes one request. Warns of indexes inside it that are not followed: more than 4 levels deep, or
 * with more than 20,000 entries in all.
 * @throws {ManifestToolError} NOT_FOUND if it or a part of it does not exist; what the readers
 * throw.
 */
export async function queryImage(
  client: Client,
  reference: Reference,
  events: Pick<ProgressEvents, 'warning'> = {},
): Promise<QueryResult> {
  const store = await client.open(reference, 'pull');
  const manifest = await store.getManifest(tagOrDigestOf(reference));
  const entries = await findEntries(client, store, formatReference(reference), manifest, events);
  const { digest, mediaType, size, document } = manifest;
  return {
    digest,
    mediaType,
    size,
    kind: document.kind === 'index' ? 'index' : isArtifact(document) ? 'artifact' : 'image',
    platforms: entries.flatMap(({ platform, isCompanion }) =>
      platform === undefined || isCompanion || isNoPlatform(platform) ? [] : [platform],
    ),
    entries: entries.map(queried),
  };
}

function queried({ descriptor, platform }: FoundEntry): QueriedEntry {
  const { digest, mediaType, size } = descriptor;
  return {
    digest,
    mediaType,
    size,
    ...present('platform', platform),
    isAttestation: isAttestation(descriptor),
  };
}
