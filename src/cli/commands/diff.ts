import { diffImages } from '../../core/read/diff.js';
import { ManifestToolError } from '../../errors.js';
import { parseReference } from '../../oci/reference.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { isColoured, palette } from '../output/colours.js';
import { diffCounts, diffJson, diffText } from '../output/diff.js';

/** `diff A B`. */
export const run: Run<'diff'> = async ({ args, io, reporter }) => {
  const compared = { from: parseReference(args.from), to: parseReference(args.to) };
  const { from, to } = compared;
  await withClient(args, { io, reporter }, [from, to], async (client) => {
    const request = { config: args.config };
    const diff = await reporter.during(() => diffImages(client, from, to, request, reporter));
    const colours = palette(isColoured(io.stdout, io.env, args));
    io.stdout.write(args.json ? diffJson(compared, diff) : diffText(compared, diff, colours));
    if (diff.isEqual) return;
    const counts = diffCounts(diff);
    const why = `they are different (${counts === '' ? 'order or form' : counts})`;
    throw new ManifestToolError('REFUSED', `comparing ${args.from} with ${args.to}`, why, {
      hint: 'copy publishes the same image under another name',
    });
  });
};
