import { ManifestToolError, reasonOf } from '../../errors.js';
import { formatName, formatReference, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';

/** Which tags are listed. */
export interface ListTagsRequest {
  /** Only those that match this pattern, with `*`, `?`, `[...]`, `{a,b}` and `!` as in a shell. */
  readonly match?: string;
}

/**
 * Lists the tags of a repository, or the names of the images in a layout or an archive, in lexical
 * order: that of the specification (OCI distribution-spec, Listing Tags), which some registries
 * ignore. One request a page.
 * @throws {ManifestToolError} USAGE if the reference has a tag or a digest, or the pattern is not
 * valid; NOT_FOUND if there is no such repository, layout or archive; what the readers throw.
 */
export async function listTags(
  client: Client,
  repository: Reference,
  { match }: ListTagsRequest = {},
): Promise<readonly string[]> {
  const name = formatName(repository);
  if (repository.tag !== undefined || repository.digest !== undefined) {
    const part = repository.tag === undefined ? 'a digest' : 'a tag';
    const what = `listing the tags of ${formatReference(repository)}`;
    const hint = `use the repository alone: ${name}`;
    throw new ManifestToolError('USAGE', what, `the reference has ${part}`, { hint });
  }
  const isMatch = match === undefined ? undefined : await matcher(match);
  const store = await client.open(repository, 'pull');
  const tags = await store.listTags();
  return (isMatch === undefined ? tags : tags.filter(isMatch)).toSorted();
}

/** @throws {ManifestToolError} USAGE for a pattern that is not valid. */
async function matcher(pattern: string): Promise<(tag: string) => boolean> {
  const { default: picomatch } = await import('picomatch');
  try {
    const isMatch = picomatch(pattern, { bash: true, dot: true, windows: false });
    return (tag) => isMatch(tag);
  } catch (error) {
    const what = `reading the pattern ${JSON.stringify(pattern)}`;
    const hint = 'write a pattern such as "1.*" or "v[0-9]*"';
    throw new ManifestToolError('USAGE', what, reasonOf(error), { cause: error, hint });
  }
}
