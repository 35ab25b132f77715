import { parseReference } from '../../oci/reference.js';
import { copyImage } from '../../plan/copy.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { publishingOptions, tagList } from '../list-options.js';
import { publishWith } from '../publish.js';
import type { Reporter } from '../reporter.js';

/** `copy SOURCE TARGET`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const [source, target] = parsed.positionals as [string, string];
  const from = parseReference(source);
  const publication = {
    target: parseReference(target),
    tags: tagList(parsed),
    ...publishingOptions(parsed),
  };
  await publishWith(publication, parsed, io, reporter, (stores) =>
    copyImage(stores, from, publication, reporter),
  );
}
