import { ManifestToolError } from '../../errors.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { parseReference, type Reference } from '../../oci/reference.js';
import type { SourceRequest } from './request.js';

const PLACEHOLDERS = /VARIANT|ARCH|OS/g;

/**
 * Makes one source for each platform by replacing `OS`, `ARCH` and `VARIANT` in a template; a
 * missing variant is replaced by nothing. A template without placeholders is one reference for all
 * platforms; if it names an index, each platform selects its entry of it.
 * @throws {ManifestToolError} USAGE if the result is not a reference.
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
    return { reference: parseFilled(text, template, platform), platform, onlyPlatform };
  });
}

function parseFilled(text: string, template: string, platform: Platform): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    // `parseReference` throws nothing else.
    const { code, why, hint } = error as ManifestToolError;
    throw new ManifestToolError(
      code,
      `reading template ${JSON.stringify(template)}`,
      `with ${formatPlatform(platform)} it is ${JSON.stringify(text)}: ${why}`,
      {
        cause: error,
        hint: /[{}$%]/.test(template) ? 'the placeholders are OS, ARCH and VARIANT' : hint,
      },
    );
  }
}
