import { ManifestToolError } from '../errors.js';
import type { Digest } from './digest.js';

/** The error for a tag that is not deleted because it points to something else than expected. */
export function movedTag(what: string, digest: Digest): ManifestToolError {
  return new ManifestToolError('REFUSED', what, `the tag has moved: it now points to ${digest}`, {
    hint: 'another publisher may have moved it: inspect the tag before you try again',
  });
}
