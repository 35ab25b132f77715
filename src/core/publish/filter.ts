import { ManifestToolError } from '../../errors.js';
import { companionsIn, withoutAttestations } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { digestOf } from '../../oci/digest.js';
import { parseDocument } from '../../oci/documents.js';
import { IndexText, type EditedEntry } from '../../oci/json/index-text.js';
import { unfoldedEntries } from '../../oci/nested-index.js';
import type { Platform } from '../../oci/platform.js';
import { selectEntry, servesPlatform } from '../../oci/select-entry.js';
import type { ProgressEvents } from '../events.js';
import { readConfig } from '../read/read-config.js';
import { otherPlatform } from '../read/select-manifest.js';
import type { ImageTree } from './image-tree.js';

/** Which entries of an index are published; all of them without any member. */
export interface EntryFilter {
  /** The image for each of these platforms, and what belongs to it. */
  readonly platforms?: readonly Platform[];
  /** Leaves out attestations; the default is false. */
  readonly dropAttestations?: boolean;
}

/**
 * An index with only the entries of a filter, also in the indexes inside it, and everything else
 * byte for byte; the index itself if the filter keeps all of them, and an image if it is for one of
 * the platforms. Indexes inside it that change are added to `tree`.
 * @param what what is being done, for errors: `copying example.com/app:1.0`
 * @throws {ManifestToolError} NOT_FOUND if there is no image for a platform, or nothing is left;
 * as {@link ImageTree.nested}.
 */
export async function filteredRoot(
  what: string,
  root: FetchedManifest,
  reader: ImageReader,
  tree: ImageTree,
  filter: EntryFilter,
  events: ProgressEvents,
): Promise<FetchedManifest> {
  const { platforms = [], dropAttestations = false } = filter;
  if (platforms.length === 0 && !dropAttestations) return root;
  if (root.document.kind === 'manifest') {
    if (platforms.length === 0) return root;
    const config = await readConfig(reader, root.document, `${reader.name}@${root.digest}`);
    const own = config?.platform;
    if (own !== undefined && platforms.some((platform) => servesPlatform(own, platform)))
      return root;
    throw otherPlatform(what, own, platforms);
  }
  const graph = await tree.nested(root.document.manifests);
  const entries = unfoldedEntries(graph);
  const kept = keptEntries(what, entries, filter, events);
  const filtered = graph.fold<Descriptor | undefined>(({ descriptor, manifest }, inner) => {
    if (manifest === undefined) return kept.has(descriptor) ? descriptor : undefined;
    const index = filteredIndex(manifest, inner);
    if (index === undefined) return undefined;
    if (index === manifest) return descriptor;
    const { data: _, ...entry } = descriptor;
    const changed = { ...entry, digest: index.digest, size: index.size };
    tree.add(changed, index, manifest);
    return changed;
  });
  const index = filteredIndex(root, filtered);
  if (index === undefined) {
    throw new ManifestToolError('NOT_FOUND', what, 'it has no entries except attestations', {
      hint: 'keep its attestations',
    });
  }
  if (index === root) return root;
  const count = entries.filter((entry) => kept.has(entry)).length;
  events.note?.(
    `${what}: ${count} of ${entries.length} entries are kept, so the digest changes from ${root.digest} to ${index.digest}; signatures of the index do not apply to it`,
  );
  return index;
}

/**
 * An index with these entries, each in the place of its own; undefined if there are none.
 * @param filtered one for each entry: the same, the one that replaces it, or undefined
 */
function filteredIndex(
  index: FetchedManifest,
  filtered: readonly (Descriptor | undefined)[],
): FetchedManifest | undefined {
  const { document, mediaType } = index;
  const manifests = document.kind === 'index' ? document.manifests : [];
  if (filtered.every((entry, i) => entry === manifests[i])) return index;
  const entries = filtered.flatMap((entry, position): EditedEntry[] => {
    if (entry === undefined) return [];
    const held = manifests[position]!;
    return [entry === held ? { position } : { position, from: held, entry }];
  });
  if (entries.length === 0) return undefined;
  const text = new IndexText(Buffer.from(index.bytes).toString(), mediaType);
  const bytes = Buffer.from(text.withEntries(entries).text);
  const digest = digestOf(bytes);
  return { ...parseDocument(bytes, mediaType), digest, size: bytes.length, bytes };
}

function keptEntries(
  what: string,
  entries: readonly Descriptor[],
  { platforms = [], dropAttestations = false }: EntryFilter,
  events: ProgressEvents,
): Set<Descriptor> {
  let kept = entries;
  if (platforms.length > 0) {
    const images = platforms.map((platform) => selectEntry(what, platform, entries, events));
    kept = [...images, ...companionsIn(entries).of(images.map(({ digest }) => digest))];
  }
  if (!dropAttestations) return new Set(kept);
  const left = new Set(withoutAttestations(entries));
  return new Set(kept.filter((entry) => left.has(entry)));
}
