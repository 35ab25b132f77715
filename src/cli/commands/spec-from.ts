import { requestOf, type RequestOf } from '../../core/publish/request-of.js';
import { formatReference, parseReference } from '../../oci/reference.js';
import { formatSpec } from '../../spec/format.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';

/** `spec from REF`. */
export const run: Run<'spec from'> = async ({ args, io, reporter }) => {
  const reference = parseReference(args.reference);
  await withClient(args, { io, reporter }, async (client) => {
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
  });
};

/**
 * How the result of publishing the spec would differ from what is published, one line each; the
 * digest comes last.
 */
function differencesOf({ published, rebuilt, losses }: RequestOf): readonly string[] {
  if (rebuilt === undefined) return losses;
  if (rebuilt.digest === published.digest) return losses;
  const reason =
    losses.length === 0 ? ['it is not in the form in which lists are written here'] : losses;
  return [...reason, `what the spec publishes has another digest, ${rebuilt.digest}`];
}
