import { ManifestToolError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import { formatName } from '../../oci/reference.js';
import type { PublishingOptions, Target } from './publication.js';
import type { TagState } from './plan.js';

/** Whether only some tags may move, so that what they name now has to be known for certain. */
export function isGuarded({ noClobber, expect }: PublishingOptions): boolean {
  return noClobber === true || expect !== undefined;
}

/**
 * Refuses to move tags that are not allowed to move. A tag that names the list already does not move.
 * @throws {ManifestToolError} REFUSED, with both digests.
 */
export function checkGuard(
  { noClobber, expect }: PublishingOptions,
  { target }: Target,
  list: Digest,
  tags: TagState,
): void {
  for (const [tag, held] of tags) {
    if (held === list) continue;
    const what = `publishing ${formatName(target)}:${tag}`;
    if (noClobber === true && held !== undefined) {
      throw new ManifestToolError(
        'REFUSED',
        what,
        `the tag names ${held}, and --no-clobber moves no tag to ${list}`,
        { hint: 'publish under another tag, or leave --no-clobber out to move it' },
      );
    }
    if (expect !== undefined && held !== expect) {
      throw new ManifestToolError(
        'REFUSED',
        what,
        `the tag ${held === undefined ? 'does not exist' : `names ${held}`}, not ${expect} as expected`,
        {
          hint: 'somebody else has published; look at what is there before you try again',
        },
      );
    }
  }
}
