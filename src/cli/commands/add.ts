import { addToIndex } from '../../core/edit/add.js';
import type { Run } from '../command.js';
import { editRequest } from '../options/editing.js';
import { requiredPlatforms, sourcePlatforms } from '../options/platforms.js';
import { sourcesFrom } from '../options/sources.js';
import { editJob, runJobs } from './publishing.js';

/** `add REF SOURCE…`. */
export const run: Run<'add'> = async (context) => {
  const { args } = context;
  const edit = editRequest(args);
  const { sources, warnings } = await sourcesFrom(args, edit.target, context);
  const request = {
    ...edit,
    sources,
    ...sourcePlatforms(args),
    ignoreMissing: args.ignoreMissing,
    dropAttestations: args.attestations === 'drop',
    ...requiredPlatforms(args),
    referrers: args.referrers,
  };
  const job = editJob(
    request,
    (client, reporter) => addToIndex(client, request, reporter),
    warnings,
  );
  await runJobs([job], context);
};
