import type { IndexRequest, Spec } from '../../core/publish/request.js';
import { refuseWarnings } from '../../core/publish/warnings.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { listingOptions, listType, publishingOptions } from '../options/publishing.js';
import { publish } from './shared/publish.js';
import { publishMany } from './shared/publish-many.js';
import type { Reporter } from '../progress/reporter.js';
import { readSpecFile } from '../options/spec-file.js';
import { specFiles, specVariables } from '../options/spec-files.js';
import { parseSpecs } from '../../spec/spec.js';
import { targetsFrom } from '../options/targets.js';
import { tuneEngine } from '../tune-engine.js';
import { usageError } from '../args/usage.js';

/** A spec of more characters makes so much garbage when it is read that it is worth to tune the engine before. */
const LARGE_SPEC = 64 * 1024;

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
  const requests = specs.map((spec): IndexRequest => ({
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
  const files = specFiles(parsed);
  const warnings: string[] = [];
  const warning = (text: string): void => {
    warnings.push(text);
    reporter.warning(text);
  };
  const options = { warning, env: specVariables(parsed, io) };
  const texts = await Promise.all(files.map((file) => readSpecFile(file, io)));
  if (texts.some(({ length }) => length > LARGE_SPEC)) tuneEngine();
  const specs = texts.flatMap((text, i) => parseSpecs(text, files[i]!, options));
  if (parsed.switches.has('strict')) refuseWarnings(`reading ${files.join(', ')}`, warnings);
  return specs;
}
