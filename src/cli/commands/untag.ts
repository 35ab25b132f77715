import { untag, type Untagged } from '../../core/edit/untag.js';
import { sharedCode, summarizeFailures } from '../../core/publish/failures.js';
import { formatReference, parseReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { inColumns } from '../output/columns.js';
import { jsonText } from '../output/json.js';
import { failedTargets } from '../output/result.js';

/** `untag REF…`. */
export const run: Run<'untag'> = async ({ args, io, reporter }) => {
  const references = args.references.map((text) => parseReference(text));
  const { dryRun } = args;
  await withClient(args, { io, reporter }, references, async (client) => {
    const untagged = await reporter.during(() => untag(client, { references, dryRun }, reporter));
    const errors = untagged.flatMap((each) => ('error' in each ? [each.error] : []));
    const [error] = errors;
    if (untagged.length === 1 && error !== undefined) throw error;
    io.stdout.write(args.json ? jsonText(document(untagged, dryRun)) : table(untagged, dryRun));
    const what = `deleting ${countOf(untagged.length, 'tag')}`;
    const summary = summarizeFailures(errors, untagged.length, {
      what,
      codeOf: sharedCode,
      reason: 'several-not-deleted',
    });
    if (summary !== undefined) throw summary;
  });
};

function document(untagged: readonly Untagged[], dryRun: boolean): object {
  return {
    dryRun,
    deleted: untagged.flatMap((each) =>
      'error' in each ? [] : [{ reference: formatReference(each.reference), digest: each.digest }],
    ),
    failed: untagged.flatMap((each) =>
      failedTargets(each.reference, 'error' in each ? each.error : undefined),
    ),
  };
}

/** One line for each tag: what it pointed to, its reference and the outcome. */
function table(untagged: readonly Untagged[], dryRun: boolean): string {
  const done = dryRun ? 'would be deleted' : 'deleted';
  const rows = untagged.map((each) =>
    'error' in each
      ? ['-', formatReference(each.reference), 'failed']
      : [each.digest, formatReference(each.reference), done],
  );
  return inColumns(rows);
}
