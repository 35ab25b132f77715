import { mapConcurrent } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type { ImageStore } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { movedTag } from '../../oci/moved-tag.js';
import { formatName, formatReference, repositoryKey, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';

/** Which tags to delete. */
export interface UntagRequest {
  /** Each with a tag and without a digest. */
  readonly references: readonly Reference[];
  /** Whether a tag may point to this digest; if not, it is refused. The default is any digest. */
  readonly isExpected?: (digest: Digest, reference: Reference) => boolean;
  /** Deletes nothing; the result is what would be deleted. The default is false. */
  readonly dryRun?: boolean;
}

/** The outcome for one tag: what it pointed to before, or the error. */
export type Untagged =
  | { readonly reference: Reference; readonly digest: Digest }
  | { readonly reference: Reference; readonly error: ManifestToolError };

/**
 * Deletes tags, and never the manifests that they point to (OCI distribution-spec, Deleting Tags);
 * in a layout or an archive, removes the names. Before the first deletion in a repository, what its
 * registry does is found out with an image of its own. A tag cannot be deleted on a condition: one
 * that moves right after it is read is deleted all the same. A failure at one tag does not affect
 * the others.
 * @returns one outcome for each reference, in their order; of several, each failure is reported as
 * `targetFailed` when it happens.
 * @throws {ManifestToolError} USAGE for a reference without a tag or with a digest; INTERRUPTED.
 */
export async function untag(
  client: Client,
  request: UntagRequest,
  events: ProgressEvents = {},
): Promise<readonly Untagged[]> {
  const { references, isExpected, dryRun = false } = request;
  const tags = references.map((reference) => tagOf(reference));
  refuseRepeated(references);
  return mapConcurrent(references, async (reference, i): Promise<Untagged> => {
    const name = formatReference(reference);
    try {
      const store = await client.open(reference, 'push');
      events.progress?.(`${dryRun ? 'reading' : 'deleting'} ${name}`);
      const digest = dryRun
        ? await plannedDigest(store, tags[i]!, reference, request)
        : await store.deleteTag(tags[i]!, (held) => isExpected?.(held, reference) ?? true);
      return { reference, digest };
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code === 'INTERRUPTED') throw error;
      if (references.length > 1) events.targetFailed?.(name, error);
      return { reference, error };
    }
  });
}

/** What a tag points to, if it would be deleted. */
async function plannedDigest(
  store: ImageStore,
  tag: string,
  reference: Reference,
  { isExpected }: UntagRequest,
): Promise<Digest> {
  const { digest } = await store.getManifest(tag);
  if (isExpected?.(digest, reference) === false)
    throw movedTag(`deleting ${formatReference(reference)}`, digest);
  return digest;
}

/** @throws {ManifestToolError} USAGE for a reference that is not that of a tag. */
function tagOf(reference: Reference): string {
  const { tag, digest } = reference;
  if (tag !== undefined && digest === undefined) return tag;
  const why = digest === undefined ? 'the reference has no tag' : 'the reference has a digest';
  throw new ManifestToolError('USAGE', `deleting ${formatReference(reference)}`, why, {
    hint: `name the tag to delete: ${formatName(reference)}:TAG`,
  });
}

/** @throws {ManifestToolError} USAGE for a tag that is named twice. */
function refuseRepeated(references: readonly Reference[]): void {
  const seen = new Set<string>();
  for (const reference of references) {
    const key = `${repositoryKey(reference)} ${reference.tag}`;
    if (seen.has(key)) {
      const what = `deleting ${formatReference(reference)}`;
      throw new ManifestToolError('USAGE', what, 'it is listed twice', { hint: 'list it once' });
    }
    seen.add(key);
  }
}
