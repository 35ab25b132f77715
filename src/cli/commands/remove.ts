import { removeFromIndex } from '../../core/edit/remove.js';
import type { Parsed } from '../command.js';
import { edit, selection } from './shared/edit.js';
import type { Io } from '../io.js';
import type { Reporter } from '../progress/reporter.js';
import { usageError } from '../args/usage.js';

/** `remove REF --platform P… or --digest D…`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const entries = selection(parsed);
  if (entries.platforms.length + entries.digests.length === 0) {
    throw usageError('remove needs --platform or --digest', 'see remove --help');
  }
  await edit(parsed, io, reporter, (client, request) =>
    removeFromIndex(client, { ...request, entries }, reporter),
  );
}
