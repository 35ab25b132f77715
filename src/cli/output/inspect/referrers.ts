import type { ListedReferrer } from '../../../core/read/referrers.js';
import type { Annotations } from '../../../oci/descriptor.js';
import { escapeText } from '../../../text.js';
import type { InspectColours } from '../colours.js';
import { cut } from '../columns.js';

/** Width of a line without a terminal. */
const ANY_WIDTH = 1024;

/** `inspect --referrers` for people: each referrer with its type, size and annotations. */
export function renderReferrers(
  referrers: readonly ListedReferrer[],
  c: InspectColours,
  width = ANY_WIDTH,
): string {
  const lines = [
    `Referrers: ${c.count(String(referrers.length))}`,
    ...referrers.flatMap(({ artifactType, mediaType, digest, size, annotations, tag }) => {
      const type = cut(escapeText(artifactType ?? mediaType), width - 10);
      return [
        ` * ${c.digest(cut(digest, width - 3))}`,
        `    Type: ${c.name(type)}`,
        ...(tag === undefined ? [] : [`    Tag:  ${c.name(cut(tag, width - 10))}`]),
        `    Size: ${c.size(String(size))}`,
        ...annotationLines(annotations).map((line) => `      ${cut(line, width - 6)}`),
      ];
    }),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** One escaped line `key=value` for each annotation. */
export function annotationLines(annotations: Annotations | undefined): string[] {
  return [...(annotations ?? [])].map(([key, value]) => escapeText(`${key}=${value}`));
}
