import { parseReference } from '../../oci/reference.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../list-options.js';
import { publish } from '../publish.js';
import type { Reporter } from '../reporter.js';
import { targetsFrom } from '../targets.js';
import { value } from '../settings.js';

/** `create --target REF SOURCE…`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  await publish(
    {
      ...targetsFrom(parsed, [parseReference(value(parsed, 'target')!)]),
      type: listType(parsed, 'auto'),
      ...listingOptions(parsed),
      ignoreMissing: parsed.switches.has('ignore-missing'),
      sources: parsed.positionals.map((text) => ({ reference: parseReference(text) })),
      ...publishingOptions(parsed),
    },
    parsed,
    io,
    reporter,
  );
}
