import type { Digest } from '../../oci/digest.js';
import type { Platform } from '../../oci/platform.js';
import type { Reference } from '../../oci/reference.js';
import type { SelectionEvents } from '../../oci/select-entry.js';
import type { Client } from '../client.js';
import { selectDescriptor } from './select-manifest.js';

/** What a reference points to. */
export interface ImageDigest {
  /** Of the manifest. */
  readonly digest: Digest;
  /** Of the manifest. */
  readonly mediaType: string;
  /** Of the manifest, in bytes. */
  readonly size: number;
}

/**
 * Finds the digest of what a reference points to, or of the entry of its index for a platform, in
 * one request, and one for each index inside it. A single image must be for the platform, which takes
 * its config as well.
 * @throws {ManifestToolError} NOT_FOUND if there is none; what the readers throw.
 */
export async function findDigest(
  client: Client,
  reference: Reference,
  platform?: Platform,
  events: SelectionEvents = {},
): Promise<ImageDigest> {
  const { digest, mediaType, size } = await selectDescriptor(client, reference, platform, events);
  return { digest, mediaType, size };
}
