import { requestOf, type RequestOf } from '../../core/publish/request-of.js';
import { formatReference, parseReference } from '../../oci/reference.js';
import { formatSpec } from '../../spec/format.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';

/** `spec from REF`. */
export const run: Run<'spec from'> = async ({ args, io, reporter }) => {
  const reference = parseReference(args.reference);
  await withClient(args, { io, reporter }, [reference], async (client) => {
    const description = await reporter.during(() => requestOf(client, reference));
    const { request, published, rebuilt } = description;
    const name = formatReference(reference);
    const differences = differencesOf(description);
    for (const difference of differences) reporter.warning(`${name}: ${difference}`);
    const isSame = rebuilt?.digest === published.digest;
    const comments = [
      `The content of ${name}, ${published.digest}${differences.length === 0 ? '.' : ', except:'}`,
      ...differences.map((difference) => `- ${difference}`),
      isSame ? 'To publish it with the same digest:' : 'To publish it:',
      '  manifest-tool push from-spec FILE',
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
  const reason = losses.length === 0 ? ['it is not written in the form that push writes'] : losses;
  return [...reason, `published from the spec, it has another digest: ${rebuilt.digest}`];
}
