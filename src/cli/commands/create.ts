import { parseReference } from '../../oci/reference.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../options/publishing.js';
import { publish } from './shared/publish.js';
import type { Reporter } from '../progress/reporter.js';
import { targetsFrom } from '../options/targets.js';
import { value } from '../options/connection.js';

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
