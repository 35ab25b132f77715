import { mapInOrder } from '../../concurrency.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { present } from '../../oci/json/fields.js';
import type { Platform } from '../../oci/platform.js';
import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import { selectEntry, type SelectionEvents } from '../../oci/select-entry.js';
import { readConfig } from './read-config.js';

/**
 * Reads the manifest that a reference names. If the name refers to several manifests, as it may in
 * a layout or an archive, `platform` selects one of them.
 * @throws {ManifestToolError} NOT_FOUND if there is none; USAGE if there are several and no
 * platform.
 */
export async function readNamed(
  store: ImageReader,
  reference: Reference,
  platform?: Platform,
  events?: SelectionEvents,
): Promise<FetchedManifest> {
  const nameOrDigest = tagOrDigestOf(reference);
  if (platform === undefined || reference.digest !== undefined)
    return store.getManifest(nameOrDigest);
  const named = (await store.manifestsNamed?.(nameOrDigest)) ?? [];
  if (named.length < 2) return store.getManifest(nameOrDigest);
  const name = formatReference(reference);
  const manifests = await mapInOrder(named, (entry) => descriptorsOf(store, entry, name));
  const entry = selectEntry(`reading ${name}`, platform, manifests.flat(), events);
  return store.getManifest(entry.digest, entry);
}

/** What a manifest offers: itself with the platform of its config, or the entries of an index. */
async function descriptorsOf(
  store: ImageReader,
  entry: Descriptor,
  name: string,
): Promise<readonly Descriptor[]> {
  const { document } = await store.getManifest(entry.digest, entry);
  if (document.kind === 'index') return document.manifests;
  const config = await readConfig(store, document, `${name}@${entry.digest}`);
  return [{ ...entry, ...present('platform', config?.platform) }];
}
