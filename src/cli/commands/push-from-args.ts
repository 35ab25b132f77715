import type { IndexRequest } from '../../core/publish/request.js';
import { sourcesFromTemplate } from '../../core/publish/template.js';
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
  const { args } = context;
  const request: IndexRequest = {
    ...targetsFrom({ ...args, targets: [parseReference(args.target)] }),
    type: args.type ?? 'docker',
    sources: sourcesFromTemplate(args.template, platformsFrom(args.platforms)),
    ...indexContent(args),
    ...requiredPlatforms(args),
    ...publishingOptions(args),
  };
  const job = pushIndexJob(request);
  await runJobs([job], context);
};

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
        `--platforms names ${formatPlatform(platform)} twice`,
        'name it once; variants and os versions tell platforms apart',
      );
    }
    seen.add(key);
  }
  return platforms;
}
