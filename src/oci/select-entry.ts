import { ManifestToolError } from '../errors.js';
import { attestedDigest, isAttestation } from './attestation.js';
import type { Descriptor, ImageIndex } from './documents.js';
import { formatPlatform, servesPlatform, type Platform } from './platform.js';

/**
 * The entry of a list for one platform, and the attestations of it; `verb` says in an error what they are wanted for.
 * @throws {ManifestToolError} NOT_FOUND where there is none, USAGE where there are several.
 */
export function selectEntry(
  platform: Platform,
  index: ImageIndex,
  name: string,
  verb = 'including',
): [image: Descriptor, ...attestations: Descriptor[]] {
  const images = index.manifests.filter((entry) => !isAttestation(entry));
  const serving = images.filter(
    (entry) => entry.platform && servesPlatform(entry.platform, platform),
  );
  const exact = serving.filter((entry) => entry.platform!.variant === platform.variant);
  const found = exact.length === 1 ? exact : serving;
  const what = `${verb} ${name} for ${formatPlatform(platform)}`;
  const shown = (entries: readonly Descriptor[]): string =>
    entries
      .map((entry) => (entry.platform ? formatPlatform(entry.platform) : entry.digest))
      .join(', ');
  if (found.length === 0) {
    throw new ManifestToolError(
      'NOT_FOUND',
      what,
      `the list has no such entry; it has ${shown(images) || 'none at all'}`,
      {
        hint:
          images.length === 0
            ? 'inspect --format raw shows what is in it'
            : 'name one of these, or bring the image that is missing into the list with add',
      },
    );
  }
  if (found.length > 1) {
    throw new ManifestToolError('USAGE', what, `the list has several: ${shown(found)}`, {
      hint: 'name the variant or the os version as well',
    });
  }
  const [image] = found as [Descriptor];
  const attestations = index.manifests.filter(
    (entry) => isAttestation(entry) && attestedDigest(entry) === image.digest,
  );
  return [image, ...attestations];
}
