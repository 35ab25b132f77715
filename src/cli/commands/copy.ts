import { mapConcurrent } from '../../concurrency.js';
import { copyImage } from '../../core/publish/copy.js';
import type { CopyTagsRequest, TagCopy } from '../../core/publish/copy-tags.js';
import { sharedCode, summarizeFailures } from '../../core/publish/failures.js';
import { ManifestToolError } from '../../errors.js';
import { formatName, formatReference, parseReference } from '../../oci/reference.js';
import { countOf } from '../../text.js';
import type { Context, Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { platformsFrom } from '../options/platforms.js';
import { publishingOptions } from '../options/publishing.js';
import { tagsToCopy } from '../options/source-tags.js';
import { targetsFrom } from '../options/targets.js';
import { ResultFiles, type PublishedContent } from '../output/files.js';
import { jsonText } from '../output/json.js';
import { pushJob, runJobs, verify } from './publishing.js';

/** `copy SOURCE TARGET…`, of one reference or of several tags. */
export const run: Run<'copy'> = async (context) => {
  const { args } = context;
  const options = {
    platforms: platformsFrom(args),
    dropAttestations: args.attestations === 'drop',
    referrers: args.referrers,
    ...publishingOptions(args),
  };
  const several = tagsToCopy(args);
  if (several !== undefined) return copySeveral({ ...several, ...options }, context);
  const request = {
    source: parseReference(args.source),
    ...targetsFrom({ ...args, targets: args.targets.map((text) => parseReference(text)) }),
    ...options,
  };
  const job = pushJob(request, [request.source], (client, reporter) =>
    copyImage(client, request, reporter),
  );
  await runJobs([job], context);
};

/**
 * Copies several tags, and prints a line for each.
 * @throws {ManifestToolError} the error of a single tag; a summary of the failures, with their exit
 * code if they share one.
 */
async function copySeveral(
  request: CopyTagsRequest,
  { args, io, reporter }: Context<'copy'>,
): Promise<void> {
  const [{ copyTags }, output] = await Promise.all([
    import('../../core/publish/copy-tags.js'),
    import('../output/tag-copies.js'),
  ]);
  const { source, targets } = request;
  const files = await ResultFiles.open(args, io.signal);
  try {
    await withClient(args, { io, reporter }, [...targets, source], async (client) => {
      const { copies, defects } = await reporter.during(async () => {
        const copied = await copyTags(client, request, reporter);
        const isVerified = args.verify !== undefined && !args.dryRun;
        const deep = args.verify?.includes('deep') === true;
        return {
          copies: copied,
          defects: isVerified
            ? await verifyCopies(copied, (each) => verify(client, each, { deep }, reporter))
            : [],
        };
      });
      if (!args.dryRun) await files.write(publishedOf(copies), false);
      io.stdout.write(
        args.json
          ? jsonText(output.tagCopiesDocument(copies, args.dryRun))
          : output.tagCopiesText(copies, args.dryRun),
      );
      reporter.note(output.tagCopiesSummary(copies, args.dryRun));
      const errors = [...output.errorsOf(copies), ...defects];
      const [only, ...others] = errors;
      if (copies.length === 1 && only !== undefined && others.length === 0) throw only;
      for (const each of copies)
        if ('refusal' in each && each.refusal !== undefined) await reporter.failed(each.refusal);
      for (const defect of defects) await reporter.failed(defect);
      const what = `copying ${countOf(copies.length, 'tag')}`;
      const summary = summarizeFailures(errors, copies.length, { what, codeOf: sharedCode });
      if (summary !== undefined) throw summary;
    });
  } finally {
    await files.close();
  }
}

/** What each tag points to, once, and the targets where it does. */
function publishedOf(copies: readonly TagCopy[]): PublishedContent[] {
  return copies.flatMap((copy) =>
    'error' in copy
      ? []
      : [
          {
            result: { target: formatReference(copy.target) },
            root: copy.root,
            targets: [copy.target],
          },
        ],
  );
}

/** Verifies each manifest once at each target; returns the defects. */
async function verifyCopies(
  copies: readonly TagCopy[],
  verifyEach: (published: {
    readonly targets: readonly [TagCopy['target']];
    readonly result: PublishedContent['root'];
  }) => Promise<void>,
): Promise<ManifestToolError[]> {
  const distinct = new Map(
    copies.flatMap((copy) =>
      'error' in copy ? [] : [[`${formatName(copy.target)} ${copy.root.digest}`, copy] as const],
    ),
  );
  const defects: ManifestToolError[] = [];
  await mapConcurrent([...distinct.values()], async ({ target, root }) => {
    try {
      await verifyEach({ targets: [target], result: root });
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code === 'INTERRUPTED') throw error;
      defects.push(error);
    }
  });
  return defects;
}
