import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { ImageTree } from './image-tree.js';
import { blobsOf } from './plan.js';
import { publishContent, type PushResult } from './publisher.js';
import { ReferrerCollector } from './referrers.js';
import type { Publication } from './request.js';

/** What to copy, and where to. */
export interface CopyRequest extends Publication {
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
 * byte for byte. Referrers are found through the referrers API or its tag schema (OCI
 * distribution-spec, Listing Referrers).
 * @throws {ManifestToolError} as {@link pushIndex}; NOT_FOUND if the source or a part of it does
 * not exist.
 */
export function copyImage(
  client: Client,
  request: CopyRequest,
  events: ProgressEvents = {},
): Promise<PushResult> {
  const { source } = request;
  return publishContent(client, request, events, async (onManifest, wait) => {
    events.progress?.(`reading ${formatReference(source)}`);
    const reader = await client.open(source, 'pull');
    const what = `copying ${formatReference(source)}`;
    const reading = { onManifest, wait, signal: client.signal };
    const tree = new ImageTree(reader, what, reading);
    const root = await tree.read(tagOrDigestOf(source));
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
