import { pushList } from '../plan/push.js';
import type { ListRequest } from '../plan/request.js';
import type { Parsed } from './command.js';
import type { Io } from './io.js';
import type { Reporter } from './reporter.js';
import { storesFor } from './settings.js';

/** Publishes a list and prints its digest: what all commands have in common that publish one. */
export async function publish(
  request: ListRequest,
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<void> {
  const stores = await storesFor(parsed, io, reporter);
  try {
    const { list, tags, unchanged } = await reporter.during(() =>
      pushList(stores, request, reporter),
    );
    if (tags.length + unchanged.length === 0) {
      reporter.note(
        'the target has no tag: the list is published by its digest alone, and no tag has moved',
      );
    }
    io.stdout.write(`Digest: ${list.digest} ${list.size}\n`);
  } finally {
    await stores.close();
  }
}
