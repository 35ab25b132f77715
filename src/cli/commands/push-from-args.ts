import { formatPlatform, parsePlatform, platformKey, type Platform } from '../../oci/platform.js';
import { parseReference } from '../../oci/reference.js';
import { sourcesFromTemplate } from '../../core/publish/template.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../options/publishing.js';
import { publish } from './shared/publish.js';
import type { Reporter } from '../progress/reporter.js';
import { items, value } from '../options/connection.js';
import { targetsFrom } from '../options/targets.js';
import { usageError } from '../args/usage.js';

/** `push from-args --platforms P,… --template T --target REF`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const platforms = platformList(parsed);
  await publish(
    {
      ...targetsFrom(parsed, [parseReference(value(parsed, 'target')!)]),
      type: listType(parsed, 'docker'),
      ...listingOptions(parsed),
      ignoreMissing: parsed.switches.has('ignore-missing'),
      ...publishingOptions(parsed),
      sources: sourcesFromTemplate(value(parsed, 'template')!, platforms),
    },
    parsed,
    io,
    reporter,
  );
}

function platformList(parsed: Parsed): Platform[] {
  const platforms = items(parsed, 'platforms').map((text) =>
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
