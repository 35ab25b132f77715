import { removeFromIndex } from '../../core/edit/remove.js';
import { isEmptySelection } from '../../core/edit/index-edits.js';
import { usageError } from '../args/values.js';
import type { Run } from '../command.js';
import { editRequest, selectedEntries } from '../options/editing.js';
import { editJob, runJobs } from './publishing.js';

/** `remove REF --platform P… or --digest D…`. */
export const run: Run<'remove'> = async (context) => {
  const { args } = context;
  const entries = selectedEntries(args);
  if (isEmptySelection(entries)) {
    throw usageError(
      'remove needs --platform or --digest',
      'usage: manifest-tool remove REF --platform P, or --digest DIGEST',
    );
  }
  const request = { ...editRequest(args), entries };
  const job = editJob(request, (client, reporter) => removeFromIndex(client, request, reporter));
  await runJobs([job], context);
};
