import { ManifestToolError } from '../../errors.js';
import { imageEntries } from '../../oci/companions.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { formatPlatform } from '../../oci/platform.js';
import { formatReference, withDefaultTag } from '../../oci/reference.js';
import { listEntries, missingPlatforms } from '../../oci/select-entry.js';
import { listSome } from '../../text.js';
import type { IndexRequest } from './request.js';
import type { ResolvedImage } from './resolved-image.js';

/** How many sources an error lists. */
const MAX_LISTED = 20;

/**
 * Refuses an index without the required platforms, before anything of it is written.
 * @param what what is being done, for errors
 * @param held entries that the index has besides the images of the sources
 * @throws {ManifestToolError} REFUSED that names what is missing, and the platforms that each source
 * has.
 */
export function refuseMissingPlatforms(
  what: string,
  { requiredPlatforms = [], sources }: Pick<IndexRequest, 'requiredPlatforms' | 'sources'>,
  images: readonly ResolvedImage[],
  held: readonly Descriptor[] = [],
): void {
  const entries = imageEntries([...held, ...images.map(({ entry }) => entry)]);
  const platforms = entries.flatMap(({ platform }) => platform ?? []);
  const missing = missingPlatforms(platforms, requiredPlatforms);
  if (missing.length === 0) return;
  const names = sources.map(({ reference }) => formatReference(withDefaultTag(reference)));
  const given = [...new Set(names)].map((name) => {
    const own = images.filter((image) => (image.index ?? image.name) === name);
    return `${name} has ${listEntries(imageEntries(own.map(({ entry }) => entry)))}`;
  });
  const all = [
    ...(held.length === 0 ? [] : [`the index has ${listEntries(imageEntries(held))}`]),
    ...given,
  ];
  const count = missing.length === 1 ? 'a required platform is' : 'required platforms are';
  const why = `${count} missing: ${missing.map(formatPlatform).join(', ')}; ${listSome(all, MAX_LISTED)}`;
  throw new ManifestToolError('REFUSED', what, why, { reason: 'required-platforms' });
}
