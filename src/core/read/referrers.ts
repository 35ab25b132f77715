import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { ImageReader } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { Digest } from '../../oci/digest.js';
import { cosignTags, referrerDescriptor } from '../../oci/referrers.js';

/** What refers to a manifest. */
export interface ListedReferrer extends Descriptor {
  /** The tag under which cosign keeps it, if there is one: `sha256-HEX.sig`. */
  readonly tag?: string;
}

/**
 * What refers to a manifest: manifests whose `subject` it is (OCI distribution-spec, Listing
 * Referrers), and what cosign keeps under the tags of its digest.
 * @throws {ManifestToolError} if that cannot be determined.
 */
export async function listReferrers(
  reader: ImageReader,
  subject: Digest,
): Promise<ListedReferrer[]> {
  const [referrers, ...tagged] = await mapInOrder(
    [undefined, ...cosignTags(subject)],
    async (tag): Promise<readonly ListedReferrer[]> =>
      tag === undefined ? reader.referrers(subject) : underTag(reader, tag, subject),
  );
  const all = new Map<Digest, ListedReferrer>();
  for (const referrer of [...referrers!, ...tagged.flat()])
    all.set(referrer.digest, { ...referrer, ...all.get(referrer.digest), ...tagOf(referrer) });
  return [...all.values()];
}

async function underTag(
  reader: ImageReader,
  tag: string,
  subject: Digest,
): Promise<ListedReferrer[]> {
  try {
    const manifest = await reader.getManifest(tag);
    return manifest.digest === subject ? [] : [{ ...referrerDescriptor(manifest), tag }];
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function tagOf({ tag }: ListedReferrer): Pick<ListedReferrer, 'tag'> {
  return tag === undefined ? {} : { tag };
}
