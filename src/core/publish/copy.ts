import { formatReference, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readNamed } from '../read/read-named.js';
import { filteredRoot, type EntryFilter } from './filter.js';
import { ImageTree } from './image-tree.js';
import { blobsOf } from './plan.js';
import { publishContent, type PushResult } from './publisher.js';
import { ReferrerCollector } from './referrers.js';
import type { Publication } from './request.js';

/** What to copy, and where to. */
export interface CopyRequest extends Publication, EntryFilter {
  /** An image or an index. Without a tag and a digest, the tag is `latest`. */
  readonly source: Reference;
  /**
   * Also copies what refers to it or to a part of it, such as signatures and SBOMs, and what cosign
   * keeps under the tags of their digests; the default is false.
   */
  readonly referrers?: boolean;
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
    const what = `copying ${formatReference(source)}`;
    const reading = { onManifest, wait, signal: client.signal };
    const tree = new ImageTree(reader, what, reading);
    // In a layout, a name may refer to an image for each platform.
    const [platform, ...others] = request.platforms ?? [];
    const selected = others.length === 0 ? platform : undefined;
    const named = await wait.until(() => readNamed(reader, source, selected, warnings.events));
    onManifest(named, reader);
    const root = await filteredRoot(what, named, reader, tree, request, warnings.events);
    const parts = await tree.parts(root);
    const subjects = parts.map(({ manifest: { digest } }) => ({ digest, source: reader }));
    const referrers =
      request.referrers === true
        ? await new ReferrerCollector(what, reading).collect(subjects)
        : [];
    // An index without blobs of its own has no step, unless referrers need it to be written first.
    const isUnderTagsOnly = blobsOf(root).length === 0 && referrers.length === 0;
    const images = [...(isUnderTagsOnly ? parts.slice(0, -1) : parts), ...referrers];
    return { root, images };
  });
}
