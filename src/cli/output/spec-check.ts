import { ManifestToolError } from '../../errors.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { formatReference } from '../../oci/reference.js';
import type { CheckedSpec } from '../../spec/check.js';
import type { Spec } from '../../core/publish/request.js';
import { countOf } from '../../text.js';
import { hintFor } from '../progress/hints.js';

/** The line of a spec that is right; `place` is `FILE`, or `FILE#DOCUMENT`. */
export function checkLine(place: string, { target, tags, sources }: Spec): string {
  const images = countOf(sources.length, 'image');
  const further = tags.length === 0 ? '' : `, tags ${tags.join(', ')}`;
  return `ok ${place} ${formatReference(target)} ${images}${further}`;
}

/** The same for programs. */
export function checkDocument({ file, document, outcome, warnings }: CheckedSpec): object {
  if (outcome instanceof ManifestToolError) {
    const { code, message } = outcome;
    const error = { code, message, hint: hintFor(outcome, 'spec check') };
    return { file, document, ok: false, warnings, error };
  }
  const { target, tags, annotations, sources } = outcome;
  return {
    file,
    document,
    ok: true,
    warnings,
    target: formatReference(target),
    tags,
    annotations: Object.fromEntries(annotations),
    images: sources.map(({ reference, platform }) => ({
      image: formatReference(reference),
      platform: platform !== undefined && isWhole(platform) ? formatPlatform(platform) : null,
    })),
  };
}

function isWhole(platform: Partial<Platform>): platform is Platform {
  return platform.os !== undefined && platform.architecture !== undefined;
}
