import { copyImage } from '../../core/publish/copy.js';
import { parseReference } from '../../oci/reference.js';
import type { Run } from '../command.js';
import { platformsFrom } from '../options/platforms.js';
import { publishingOptions } from '../options/publishing.js';
import { targetsFrom } from '../options/targets.js';
import { pushJob, runJobs } from './publishing.js';

/** `copy SOURCE TARGET…`. */
export const run: Run<'copy'> = async (context) => {
  const { args } = context;
  const request = {
    source: parseReference(args.source),
    platforms: platformsFrom(args),
    dropAttestations: args.attestations === 'drop',
    referrers: args.referrers,
    ...targetsFrom({ ...args, targets: args.targets.map((text) => parseReference(text)) }),
    ...publishingOptions(args),
  };
  const job = pushJob(request, [request.source], (client, reporter) =>
    copyImage(client, request, reporter),
  );
  await runJobs([job], context);
};
