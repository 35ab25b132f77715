import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import { formatReference, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readNamed } from '../read/read-named.js';
import { filteredRoot, type EntryFilter } from './filter.js';
import { ImageTree, type TreeReading } from './image-tree.js';
import { blobsOf, type Content } from './plan.js';
import { publishContent, type PushResult } from './publisher.js';
import { ReferrerCollector } from './referrers.js';
import type { Publication } from './request.js';

/** What is copied of an image or an index. */
export interface CopySelection extends EntryFilter {
  /**
   * Also copies what refers to it or to a part of it, such as signatures and SBOMs, and what cosign
   * keeps under the tags of their digests; the default is false.
   */
  readonly referrers?: boolean;
}

/** What to copy, and where to. */
export interface CopyRequest extends Publication, CopySelection {
  /** An image or an index. Without a tag and a digest, the tag is `latest`. */
  readonly source: Reference;
}

/**
 * Copies an image or an index with everything that it needs (images, nested indexes, attestations),
 * byte for byte; with a filter, only the entries of an index that it keeps. Referrers are found
 * through the referrers API or its tag schema (OCI distribution-spec, Listing Referrers).
 * @throws {ManifestToolError} as {@link pushIndex}; NOT_FOUND if the source or a part of it does
 * not exist.
 */
export function copyImage(
  client: Client,
  request: CopyRequest,
  events: ProgressEvents = {},
): Promise<PushResult> {
  const { source } = request;
  return publishContent(client, request, events, async (onManifest, wait, warnings) => {
    events.progress?.(`reading ${formatReference(source)}`);
    const reader = await client.open(source, 'pull');
    // In a layout, a name may refer to an image for each platform.
    const [platform, ...others] = request.platforms ?? [];
    const selected = others.length === 0 ? platform : undefined;
    const named = await wait.until(() => readNamed(reader, source, selected, warnings.events));
    onManifest(named, reader);
    const reading = { onManifest, wait, signal: client.signal };
    return contentOf(named, source, reader, request, reading, warnings.events);
  });
}

/**
 * The content of a copy: a manifest that was read, as far as it is selected, with all that it needs.
 * @param source its reference, for messages
 * @throws {ManifestToolError} as {@link copyImage}.
 */
export async function contentOf(
  named: FetchedManifest,
  source: Reference,
  reader: ImageReader,
  selection: CopySelection,
  reading: TreeReading,
  events: ProgressEvents,
): Promise<Content> {
  const what = `copying ${formatReference(source)}`;
  const tree = new ImageTree(reader, what, reading);
  const root = await filteredRoot(what, named, reader, tree, selection, events);
  const parts = await tree.parts(root);
  const subjects = parts.map(({ manifest: { digest } }) => ({ digest, source: reader }));
  const referrers =
    selection.referrers === true
      ? await new ReferrerCollector(what, reading).collect(subjects)
      : [];
  // An index without blobs of its own has no step, unless referrers need it to be written first.
  const isUnderTagsOnly = blobsOf(root).length === 0 && referrers.length === 0;
  const images = [...(isUnderTagsOnly ? parts.slice(0, -1) : parts), ...referrers];
  return { root, images };
}
