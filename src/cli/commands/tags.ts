import { listTags } from '../../core/read/list-tags.js';
import { formatName, parseReference } from '../../oci/reference.js';
import { escapeText } from '../../text.js';
import { defined } from '../args/values.js';
import type { Run } from '../command.js';
import { withClient } from '../options/connection.js';
import { jsonText } from '../output/json.js';

/** `tags REPOSITORY`. */
export const run: Run<'tags'> = async ({ args, io, reporter }) => {
  const repository = parseReference(args.repository);
  const request = defined({ match: args.match });
  await withClient(args, { io, reporter }, [repository], async (client) => {
    const tags = await reporter.during(() => listTags(client, repository, request));
    io.stdout.write(
      args.json
        ? jsonText({ name: formatName(repository), tags })
        : tags.map((tag) => `${escapeText(tag)}\n`).join(''),
    );
  });
};
