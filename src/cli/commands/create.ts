import type { IndexRequest } from '../../core/publish/request.js';
import type { Run } from '../command.js';
import { requiredPlatforms, sourcePlatforms } from '../options/platforms.js';
import { indexContent, publishingOptions } from '../options/publishing.js';
import { sourcesFrom } from '../options/sources.js';
import { targetOf, targetsFrom } from '../options/targets.js';
import { pushIndexJob, runJobs } from './publishing.js';

/** `create --target REF SOURCE…`, or `create -t REF… SOURCE…`. */
export const run: Run<'create'> = async (context) => {
  const { args } = context;
  const targets = targetsFrom({ ...args, ...targetOf(args) });
  const { sources, warnings } = await sourcesFrom(args, targets.target, context);
  const request: IndexRequest = {
    ...targets,
    type: args.type ?? 'auto',
    keepUnchanged: true,
    sources,
    ...sourcePlatforms(args),
    ...indexContent(args),
    ...requiredPlatforms(args),
    ...publishingOptions(args),
  };
  const job = pushIndexJob(request, warnings);
  await runJobs([job], context);
};
