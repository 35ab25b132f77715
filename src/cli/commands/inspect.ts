import { parseReference } from '../../oci/reference.js';
import { inspectImage } from '../../plan/inspect.js';
import { coloursFor } from '../colours.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { renderHuman } from '../render-human.js';
import { renderRaw } from '../render-raw.js';
import type { Reporter } from '../reporter.js';
import { storesFor } from '../settings.js';
import { usageError } from '../usage.js';

/** `inspect REF`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const name = parsed.positionals[0]!;
  const isRaw = parsed.switches.has('raw');
  const expandConfig = parsed.switches.has('expand-config');
  if (expandConfig && !isRaw) throw usageError('--expand-config is only of use with --raw');
  const reference = parseReference(name);
  const stores = await storesFor(parsed, io, reporter);
  try {
    const inspected = await reporter.during(() => inspectImage(stores, reference));
    io.stdout.write(
      isRaw
        ? renderRaw(name, inspected, expandConfig)
        : renderHuman(name, inspected, coloursFor(io, parsed.switches.has('no-color'))),
    );
  } finally {
    await stores.close();
  }
}
