import type { IndexRequest } from '../../core/publish/request.js';
import { sourcesFromTemplate } from '../../core/publish/template.js';
import { refuseWarnings } from '../../core/publish/warnings.js';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.js';
import { platformKey } from '../../oci/select-entry.js';
import { parseReference } from '../../oci/reference.js';
import { usageError } from '../args/values.js';
import type { Run } from '../command.js';
import { requiredPlatforms } from '../options/platforms.js';
import { indexContent, publishingOptions } from '../options/publishing.js';
import { targetsFrom } from '../options/targets.js';
import { pushIndexJob, runJobs } from './publishing.js';

/** `push from-args --platforms P,… --template T --target REF`. */
export const run: Run<'push from-args'> = async (context) => {
  const { args, reporter } = context;
  const request: IndexRequest = {
    ...targetsFrom({ ...args, targets: [parseReference(args.target)] }),
    type: args.type ?? 'docker',
    sources: sourcesFromTemplate(args.template, platformsFrom(args.platforms)),
    ...indexContent(args),
    ...requiredPlatforms(args),
    ...publishingOptions(args),
  };
  const warnings = lowerCaseWarnings(args.template);
  for (const text of warnings) reporter.warning(text);
  if (args.strict) refuseWarnings(`reading --template ${JSON.stringify(args.template)}`, warnings);
  const job = pushIndexJob(request, warnings);
  await runJobs([job], context);
};

/** Warns of placeholders in lower case: they are legal parts of a reference, and not replaced. */
function lowerCaseWarnings(template: string): string[] {
  const words = [...template.matchAll(/(?<![a-z])(?:os|arch|variant)(?![a-z])/g)].map(String);
  if (!words.includes('arch') || /OS|ARCH|VARIANT/.test(template)) return [];
  return [
    `the template ${JSON.stringify(template)} has placeholders in lower case, but only OS, ARCH and VARIANT in upper case are replaced`,
  ];
}

/** @throws {ManifestToolError} USAGE for a platform that is given twice. */
function platformsFrom(texts: readonly string[]): Platform[] {
  const platforms = texts.map((text) =>
    parsePlatform(text, `reading --platforms ${JSON.stringify(text)}`),
  );
  const seen = new Set<string>();
  for (const platform of platforms) {
    const key = platformKey(platform);
    if (seen.has(key)) {
      throw usageError(
        `--platforms lists ${formatPlatform(platform)} twice`,
        'list it once, or add a variant or OS version to distinguish the two',
      );
    }
    seen.add(key);
  }
  return platforms;
}
