import { formatReference, tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { PlanEvents } from '../events.js';
import { ImageTree } from './image-tree.js';
import type { Publication } from './publication.js';
import { publishContent, type PushResult } from './publisher.js';
import type { Client } from '../client.js';

/** What is copied, and where to. */
export interface CopyRequest extends Publication {
  /** An image or a list; without tag and digest `latest` is meant. */
  readonly source: Reference;
  /** Takes along what refers to the image or to a part of it: signatures, bills of materials; the default is false. */
  readonly referrers?: boolean;
}

/**
 * Promotes an image or a list, with all that it needs (images, lists inside, attestations), without changing a byte of it. Referrers are
 * found by the referrers API or its tag schema (OCI distribution-spec, Listing Referrers).
 * @throws {ManifestToolError} as {@link pushIndex} does; NOT_FOUND where the source or a part of it is not there.
 */
export function copyImage(
  client: Client,
  request: CopyRequest,
  events: PlanEvents = {},
): Promise<PushResult> {
  const { source } = request;
  return publishContent(client, request, events, async (onManifest, wait) => {
    events.progress?.(`reading ${formatReference(source)}`);
    const reader = await client.open(source, 'pull');
    const tree = new ImageTree(reader, source, { onManifest, wait, signal: client.signal });
    const top = await tree.read(tagOrDigestOf(source));
    const parts = await tree.parts(top);
    const referrers = request.referrers === true ? await tree.referrers(parts) : [];
    // An image, whose blobs have to be there first, is written by its digest as well; so is what others refer to. A list is not.
    const isUnderTagsOnly = top.document.kind === 'index' && referrers.length === 0;
    const images = [...(isUnderTagsOnly ? parts.slice(0, -1) : parts), ...referrers];
    return { list: top, images };
  });
}
