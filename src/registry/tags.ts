import { ManifestToolError, reasonOf } from '../errors.js';
import { isWebPage } from '../http/web-page.js';
import { isJsonObject, parseJsonBytes } from '../oci/json/parse.js';
import type { Connection } from './connection.js';
import { readPages } from './pages.js';
import * as requests from './requests.js';

/**
 * The tags of a repository, each once, in the order of the registry (OCI distribution-spec, Listing
 * Tags). All pages are read, one request each.
 * @throws {ManifestToolError} NOT_FOUND if there is no such repository; CORRUPT if an answer is not
 * a list of tags; what {@link readPages} throws.
 */
export async function listTags(connection: Connection): Promise<readonly string[]> {
  const request = requests.getTags(connection);
  const tags = new Set<string>();
  for await (const response of readPages(connection, request)) {
    if (response.status !== 200 || isWebPage(response))
      throw connection.unexpected(request.what, response);
    for (const tag of tagsOf(request.what, response.body)) tags.add(tag);
  }
  return [...tags];
}

/** The tags of one page; registries answer with null in place of an empty list. */
function tagsOf(what: string, body: Uint8Array): readonly string[] {
  try {
    const json = parseJsonBytes(body);
    const tags = isJsonObject(json) ? json.get('tags') : undefined;
    if (tags === null) return [];
    if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags;
    throw new Error('`tags` must be a list of strings');
  } catch (error) {
    const why = `the registry returned an invalid list of tags: ${reasonOf(error)}`;
    const reason = 'answer-unexpected';
    throw new ManifestToolError('CORRUPT', what, why, { cause: error, reason });
  }
}
