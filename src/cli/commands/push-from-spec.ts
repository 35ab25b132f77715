import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../list-options.js';
import { publish } from '../publish.js';
import type { Reporter } from '../reporter.js';
import { readSpecFile } from '../spec-file.js';
import { parseSpec } from '../spec.js';

/** `push from-spec FILE`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const type = listType(parsed, 'docker');
  const file = parsed.positionals[0]!;
  const spec = parseSpec(await readSpecFile(file), file, reporter.warning);
  const listing = listingOptions(parsed);
  await publish(
    {
      ...spec,
      ...listing,
      annotations: new Map([...spec.annotations, ...listing.annotations]),
      type,
      ignoreMissing: parsed.switches.has('ignore-missing'),
      ...publishingOptions(parsed),
    },
    parsed,
    io,
    reporter,
  );
}
