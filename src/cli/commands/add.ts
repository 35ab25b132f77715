import { addToIndex } from '../../core/edit/add.js';
import { parseReference } from '../../oci/reference.js';
import type { Run } from '../command.js';
import { editRequest } from '../options/editing.js';
import { sourcePlatforms } from '../options/platforms.js';
import { editJob, runJobs } from './publishing.js';

/** `add REF SOURCE…`. */
export const run: Run<'add'> = async (context) => {
  const { args } = context;
  const request = {
    ...editRequest(args),
    sources: args.sources.map((text) => ({ reference: parseReference(text) })),
    ...sourcePlatforms(args),
    ignoreMissing: args.ignoreMissing,
    dropAttestations: args.attestations === 'drop',
    referrers: args.referrers,
  };
  const job = editJob(request, (client, reporter) => addToIndex(client, request, reporter));
  await runJobs([job], context);
};
