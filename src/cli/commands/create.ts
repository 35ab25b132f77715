import type { IndexRequest } from '../../core/publish/request.js';
import { parseReference } from '../../oci/reference.js';
import type { Run } from '../command.js';
import { sourcePlatforms } from '../options/platforms.js';
import { indexContent, publishingOptions } from '../options/publishing.js';
import { targetOf, targetsFrom } from '../options/targets.js';
import { pushIndexJob, runJobs } from './publishing.js';

/** `create --target REF SOURCE…`, or `create -t REF… SOURCE…`. */
export const run: Run<'create'> = async (context) => {
  const { args } = context;
  const request: IndexRequest = {
    ...targetsFrom({ ...args, ...targetOf(args) }),
    type: args.type ?? 'auto',
    keepUnchanged: true,
    sources: args.sources.map((text) => ({ reference: parseReference(text) })),
    ...sourcePlatforms(args),
    ...indexContent(args),
    ...publishingOptions(args),
  };
  const job = pushIndexJob(request);
  await runJobs([job], context);
};
