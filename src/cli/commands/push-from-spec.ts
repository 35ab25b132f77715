import type { ListRequest } from '../../plan/request.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../list-options.js';
import { publish } from '../publish.js';
import { publishMany } from '../publish-many.js';
import type { Reporter } from '../reporter.js';
import { readSpecFile, STANDARD_INPUT } from '../spec-file.js';
import { parseSpecs, type Spec } from '../spec.js';
import { targetsFrom } from '../targets.js';
import { usageError } from '../usage.js';

/** `push from-spec FILE…`; all specs are read before the first list is published. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const specs = await readSpecs(parsed, io, reporter);
  if (specs.length > 1 && parsed.values.has('tag')) {
    throw usageError(
      '--tag is for one list, and there are several',
      'write the tags into the specs',
    );
  }
  const listing = listingOptions(parsed);
  const common = {
    type: listType(parsed, 'docker'),
    ignoreMissing: parsed.switches.has('ignore-missing'),
    ...publishingOptions(parsed),
  };
  const requests = specs.map((spec): ListRequest => ({
    ...spec,
    ...targetsFrom(parsed, [spec.target], spec.tags),
    ...listing,
    annotations: new Map([...spec.annotations, ...listing.annotations]),
    ...common,
  }));
  const [only, ...more] = requests;
  if (only !== undefined && more.length === 0) await publish(only, parsed, io, reporter);
  else await publishMany(requests, parsed, io, reporter);
}

async function readSpecs(parsed: Parsed, io: Io, reporter: Reporter): Promise<Spec[]> {
  const files = parsed.positionals;
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw usageError('standard input is named twice', 'it can be read once');
  }
  const options = {
    warning: reporter.warning,
    ...(parsed.switches.has('env') ? { env: io.env } : {}),
  };
  const texts = await Promise.all(files.map((file) => readSpecFile(file, io)));
  return texts.flatMap((text, i) => parseSpecs(text, files[i]!, options));
}
