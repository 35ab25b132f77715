import { ManifestToolError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { formatName } from '../../oci/reference.js';
import type { TagState } from './plan.js';
import type { PublishingOptions, Target } from './request.js';

/**
 * Whether a condition restricts which tags may move, so that what they point to has to be known.
 */
export function isGuarded({ noClobber, expect }: PublishingOptions): boolean {
  return noClobber === true || expect !== undefined;
}

/**
 * Refuses to move tags against the conditions. A tag that points to `root` already does not move.
 * @throws {ManifestToolError} REFUSED, with both digests.
 */
export function checkGuard(
  { noClobber, expect }: PublishingOptions,
  { target }: Target,
  root: Digest,
  tags: TagState,
): void {
  for (const [tag, held] of tags) {
    if (held === root) continue;
    const what = `publishing ${formatName(target)}:${tag}`;
    if (noClobber === true && held !== undefined) {
      const why = `the tag exists and points to ${held}, not to ${root}`;
      throw new ManifestToolError('REFUSED', what, why, { reason: 'tag-exists' });
    }
    if (expect !== undefined && held !== expect) {
      const now = held === undefined ? 'does not exist' : `points to ${held}`;
      const why = `the tag ${now}, but is expected to point to ${expect}`;
      throw new ManifestToolError('REFUSED', what, why, {
        hint: 'another publisher may have moved it: inspect the tag before you try again',
      });
    }
  }
}
