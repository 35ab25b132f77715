import { parseReference } from '../../oci/reference.js';
import { copyImage } from '../../core/publish/copy.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { publishingOptions } from '../options/publishing.js';
import { publishWith } from './shared/publish.js';
import type { Reporter } from '../progress/reporter.js';
import { targetsFrom } from '../options/targets.js';

/** `copy SOURCE TARGET…`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const [source, ...targets] = parsed.positionals as [string, ...string[]];
  const request = {
    source: parseReference(source),
    referrers: parsed.switches.has('referrers'),
    ...targetsFrom(parsed, targets.map(parseReference)),
    ...publishingOptions(parsed),
  };
  await publishWith(request, parsed, io, reporter, (client) =>
    copyImage(client, request, reporter),
  );
}
