import { formatReference, parseReference } from '../../oci/reference.js';
import { requestOf, type RequestOf } from '../../core/publish/request-of.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import type { Reporter } from '../progress/reporter.js';
import { clientFor } from '../options/connection.js';
import { formatSpec } from '../../spec/format.js';

/** `spec from REF`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const reference = parseReference(parsed.positionals[0]!);
  const client = await clientFor(parsed, io, reporter);
  try {
    const description = await reporter.during(() => requestOf(client, reference));
    const { request, type, published } = description;
    const name = formatReference(reference);
    const differences = differencesOf(description);
    for (const difference of differences) reporter.warning(`${name}: ${difference}`);
    const comments = [
      `What ${name} is, ${published.digest}${differences.length === 0 ? '.' : ', but for this:'}`,
      ...differences.map((difference) => `- ${difference}`),
      'To publish it:',
      `  manifest-tool push --type ${type} from-spec FILE`,
    ];
    io.stdout.write(formatSpec(request, comments));
  } finally {
    await client.close();
  }
}

/** In which way a publish of the spec would not give what is there, a line each; the last one says of the digest. */
function differencesOf({ published, rebuilt, losses }: RequestOf): readonly string[] {
  if (rebuilt === undefined) return losses;
  if (rebuilt.digest === published.digest) return losses;
  const reason =
    losses.length === 0 ? ['it is not in the form in which lists are written here'] : losses;
  return [...reason, `what the spec publishes has another digest, ${rebuilt.digest}`];
}
