import { ManifestToolError } from '../../errors.js';
import { companionsIn, withoutAttestations } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { digestOf } from '../../oci/digest.js';
import { parseDocument } from '../../oci/documents.js';
import { IndexText } from '../../oci/json/index-text.js';
import type { Platform } from '../../oci/platform.js';
import { selectEntry, servesPlatform } from '../../oci/select-entry.js';
import type { ProgressEvents } from '../events.js';
import { readConfig } from '../read/config.js';
import { otherPlatform } from '../read/select.js';

/** Which entries of an index are published; all of them without any member. */
export interface EntryFilter {
  /** The image for each of these platforms, and what belongs to it. */
  readonly platforms?: readonly Platform[];
  /** Leaves out attestations; the default is false. */
  readonly dropAttestations?: boolean;
}

/**
 * An index with only the entries of a filter, and everything else byte for byte; the index itself
 * if the filter keeps all of them, and an image if it is for one of the platforms.
 * @param what what is being done, for errors: `copying example.com/app:1.0`
 * @throws {ManifestToolError} NOT_FOUND if there is no image for a platform, or nothing is left.
 */
export async function filteredRoot(
  what: string,
  root: FetchedManifest,
  reader: ImageReader,
  filter: EntryFilter,
  events: ProgressEvents,
): Promise<FetchedManifest> {
  const { platforms = [] } = filter;
  if (root.document.kind === 'manifest') {
    if (platforms.length === 0) return root;
    const config = await readConfig(reader, root.document, `${reader.name}@${root.digest}`);
    const own = config?.platform;
    if (own !== undefined && platforms.some((platform) => servesPlatform(own, platform)))
      return root;
    throw otherPlatform(what, own, platforms);
  }
  const { manifests } = root.document;
  const kept = keptEntries(what, manifests, filter, events);
  if (kept.size === manifests.length) return root;
  if (kept.size === 0) {
    throw new ManifestToolError('NOT_FOUND', what, 'it has no entries except attestations', {
      hint: 'keep its attestations',
    });
  }
  const text = new IndexText(Buffer.from(root.bytes).toString(), root.mediaType);
  const bytes = Buffer.from(text.withoutEntries((i) => !kept.has(manifests[i]!)).text);
  const digest = digestOf(bytes);
  events.note?.(
    `${what}: ${kept.size} of ${manifests.length} entries are kept, so the digest changes from ${root.digest} to ${digest}; signatures of the index do not apply to it`,
  );
  return { ...parseDocument(bytes, root.mediaType), digest, size: bytes.length, bytes };
}

function keptEntries(
  what: string,
  manifests: readonly Descriptor[],
  { platforms = [], dropAttestations = false }: EntryFilter,
  events: ProgressEvents,
): Set<Descriptor> {
  const companions = companionsIn(manifests);
  let kept = manifests;
  if (platforms.length > 0) {
    const images = platforms.map((platform) => selectEntry(what, platform, manifests, events));
    kept = [...images, ...companions.of(images.map(({ digest }) => digest))];
  }
  if (!dropAttestations) return new Set(kept);
  const left = new Set(withoutAttestations(manifests));
  return new Set(kept.filter((entry) => left.has(entry)));
}
