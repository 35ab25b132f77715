import { parseReference } from '../../oci/reference.js';
import { addToIndex } from '../../core/edit/add.js';
import type { Parsed } from '../command.js';
import { edit } from './shared/edit.js';
import type { Io } from '../io.js';
import { dropsAttestations } from '../options/publishing.js';
import type { Reporter } from '../progress/reporter.js';

/** `add REF SOURCE…`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const sources = parsed.positionals.slice(1).map((text) => ({ reference: parseReference(text) }));
  const additions = {
    sources,
    ignoreMissing: parsed.switches.has('ignore-missing'),
    dropAttestations: dropsAttestations(parsed),
  };
  await edit(parsed, io, reporter, (client, request) =>
    addToIndex(client, { ...request, ...additions }, reporter),
  );
}
