import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import { formatPlatform } from '../../oci/platform.js';
import { listSome } from '../../text.js';
import type { ExaminationContext } from '../read/examine-executables.js';
import { executablesNotes } from '../read/executables.js';
import type { ResolvedImage } from './resolved-image.js';

/** How many defects an error lists. */
const MAX_LISTED = 20;

/** Images that are published, as far as their programs matter. */
export type PublishedImage = Pick<ResolvedImage, 'entry' | 'manifest' | 'source'>;

/**
 * Refuses images that start a program of another architecture than that of their platform, before
 * anything is published. Other programs of another architecture are noted.
 * @throws {ManifestToolError} REFUSED with each defect; otherwise as `examineExecutables`.
 */
export async function refuseOtherArchitectures(
  images: readonly PublishedImage[],
  context: ExaminationContext,
): Promise<void> {
  const { examineExecutables } = await import('../read/examine-executables.js');
  const examined = images.filter(({ entry }) => !isAttestation(entry));
  const examinations = await examineExecutables(
    examined.map(({ entry: { digest, platform }, manifest, source: reader }) => ({
      digest,
      platform,
      manifest,
      reader,
    })),
    context,
  );
  const defects = examinations.flatMap((examination, i) => {
    const { executables } = examination;
    const platform = executables?.platform ?? examined[i]!.entry.platform;
    const name = platform ? formatPlatform(platform) : 'the image';
    return examination.defects.map(({ where, what }) => `${name} (${where}) ${what}`);
  });
  if (defects.length > 0) {
    const why = listSome([...new Set(defects)], MAX_LISTED);
    throw new ManifestToolError('REFUSED', context.what, why, { reason: 'other-architecture' });
  }
  const notes = examinations.flatMap(({ executables }) =>
    executables === undefined ? [] : executablesNotes(executables),
  );
  for (const note of new Set(notes)) context.events.note?.(note);
}
