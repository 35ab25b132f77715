import { markdown, markdownName } from './markdown.js';
import { pages } from './page.js';
import { manName, roff } from './roff.js';

/** All files of the manual: path in the repository, and text. */
export function manual(): Map<string, string> {
  return new Map(
    pages().flatMap((page) => [
      [`docs/reference/commands/${markdownName(page.slug)}`, markdown(page)],
      [`man/${manName(page.slug)}.1`, roff(page)],
    ]),
  );
}
