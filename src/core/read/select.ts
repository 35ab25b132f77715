import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor, ImageManifest } from '../../oci/documents.js';
import { formatPlatform, servesPlatform, type Platform } from '../../oci/platform.js';
import { formatReference, type Reference } from '../../oci/reference.js';
import { selectEntry } from '../../oci/select-entry.js';
import { readConfig, type FetchedConfig } from './config.js';
import type { Client } from '../client.js';
import { readNamed } from './named.js';

/** The manifest that a user means. */
export interface Selected {
  readonly store: ImageReader;
  readonly manifest: FetchedManifest;
  /** Where it was picked out of a list: how the list has it. */
  readonly entry?: Descriptor;
  /** Its attestations in that list. */
  readonly attestations: readonly Descriptor[];
  /** Its configuration, where it had to be read to find it. */
  readonly config?: FetchedConfig;
}

/**
 * Reads the manifest that a reference names, or the one in its list for a platform. A single image has to be for that platform.
 * @throws {ManifestToolError} NOT_FOUND where there is none, with what there is; USAGE where several entries serve the platform.
 */
export async function selectManifest(
  client: Client,
  reference: Reference,
  platform?: Platform,
): Promise<Selected> {
  const store = await client.open(reference, 'pull');
  const manifest = await readNamed(store, reference, platform);
  if (platform === undefined) return { store, manifest, attestations: [] };
  const { document } = manifest;
  const name = formatReference(reference);
  if (document.kind === 'index') {
    const [entry, ...attestations] = selectEntry(platform, document, name, 'reading');
    return {
      store,
      manifest: await store.getManifest(entry.digest, entry),
      entry,
      attestations,
    };
  }
  const config = await readConfig(store, document, name);
  if (!servesPlatform(config.platform, platform)) {
    const what = `reading ${name} for ${formatPlatform(platform)}`;
    const own = formatPlatform(config.platform);
    throw new ManifestToolError('NOT_FOUND', what, `it is one image, for ${own}, and no list`, {
      hint: 'leave --platform out to have that image',
    });
  }
  return { store, manifest, attestations: [], config };
}

/**
 * The one image of what was selected: itself, or the only image of a list.
 * @throws {ManifestToolError} USAGE where a list has several, with their platforms.
 */
export async function onlyImage(
  selected: Selected,
  reference: Reference,
): Promise<Selected & { readonly document: ImageManifest }> {
  const { store, manifest } = selected;
  if (manifest.document.kind === 'manifest') return { ...selected, document: manifest.document };
  const { manifests } = manifest.document;
  const images = manifests.filter((entry) => !isAttestation(entry));
  const [entry] = images;
  const what = `reading the configuration of ${formatReference(reference)}`;
  if (entry === undefined) {
    throw new ManifestToolError('NOT_FOUND', what, 'it is a list without images', {
      hint: 'inspect --format raw shows what is in it',
    });
  }
  if (images.length === 1) {
    const image = await store.getManifest(entry.digest, entry);
    if (image.document.kind === 'manifest') {
      return { store, manifest: image, entry, attestations: [], document: image.document };
    }
  }
  const names = images.map(({ platform, digest }) =>
    platform ? formatPlatform(platform) : digest,
  );
  throw new ManifestToolError('USAGE', what, `it is a list, of ${names.join(', ')}`, {
    hint: 'give --platform, or the digest of an image',
  });
}
