import type { Selection } from '../../core/edit/index-edits.js';
import type { EditRequest } from '../../core/edit/edit-index.js';
import { parseDigest } from '../../oci/digest.js';
import { parseReference } from '../../oci/reference.js';
import { usageError, type Options } from '../args/values.js';
import { platformsFrom } from './platforms.js';
import { publishingOptions } from './publishing.js';

/**
 * The index to edit, and under which conditions.
 * @throws {ManifestToolError} USAGE for a digest, which has no tag that could move.
 */
export function editRequest(
  args: { readonly reference: string } & Parameters<typeof publishingOptions>[0],
): EditRequest {
  const target = parseReference(args.reference);
  if (target.digest !== undefined) {
    throw usageError(
      `${JSON.stringify(args.reference)} is a digest, and only a tag can be edited`,
      'refer to the index by tag',
    );
  }
  return { target, ...publishingOptions(args) };
}

/** The entries that --platform and --digest select. */
export function selectedEntries(args: Options<'platform' | 'digest'>): Required<Selection> {
  return {
    platforms: platformsFrom(args),
    digests: args.digest.map((text) =>
      parseDigest(text, `reading --digest ${JSON.stringify(text)}`),
    ),
  };
}
