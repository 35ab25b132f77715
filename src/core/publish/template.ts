import { formatPlatform, type Platform } from '../../oci/platform.js';
import { ManifestToolError } from '../../errors.js';
import { parseReference } from '../../oci/reference.js';
import type { SourceRequest } from './request.js';

const PLACEHOLDERS = /VARIANT|ARCH|OS/g;

/**
 * One source for each platform: `OS`, `ARCH` and `VARIANT` are replaced wherever they stand in the template, the variant with nothing
 * where the platform has none. A template without any is one image for all, or a list of which each platform takes its own entry.
 * @throws {ManifestToolError} USAGE where what comes out is no reference.
 */
export function sourcesFromTemplate(
  template: string,
  platforms: readonly Platform[],
): SourceRequest[] {
  const onlyPlatform = template.search(PLACEHOLDERS) < 0;
  return platforms.map((platform) => {
    const values = {
      OS: platform.os,
      ARCH: platform.architecture,
      VARIANT: platform.variant ?? '',
    };
    const text = template.replaceAll(PLACEHOLDERS, (name) => values[name as keyof typeof values]);
    return { reference: parseTemplated(text, template, platform), platform, onlyPlatform };
  });
}

function parseTemplated(text: string, template: string, platform: Platform) {
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    throw new ManifestToolError(
      error.code,
      `reading --template ${JSON.stringify(template)}`,
      `with ${formatPlatform(platform)} it is ${JSON.stringify(text)}: ${error.why}`,
      { cause: error, hint: error.hint },
    );
  }
}
