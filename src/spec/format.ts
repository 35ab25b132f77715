import { Document, Scalar, visit } from 'yaml';
import type { RequestedPlatform, Spec } from '../core/publish/request.js';
import { formatReference } from '../oci/reference.js';
import { escapeText } from '../text.js';

/**
 * A spec as YAML, under comments of a line each: what {@link parseSpecs} reads from it is what went in, whatever the texts. Nothing in it
 * acts on a terminal.
 */
export function formatSpec(spec: Spec, comments: readonly string[] = []): string {
  const document = new Document(specMembers(spec));
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && needsQuotes(node.value))
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const yaml = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity });
  const lines = [
    ...comments.map((comment) => `# ${comment}`.trimEnd()),
    ...yaml.trimEnd().split('\n'),
  ];
  // In double quotes, where all such characters stand, what this makes of them is how YAML writes them too.
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}

/** What would act on a terminal, end a line, or be a merge key. */
function needsQuotes(text: string): boolean {
  return text === '<<' || escapeText(text) !== text;
}

function specMembers({ target, tags, annotations, sources }: Spec): Map<string, unknown> {
  return new Map<string, unknown>([
    ['image', formatReference(target)],
    ...member('tags', tags),
    ...member('annotations', annotations),
    [
      'manifests',
      sources.map(
        ({ reference, platform }) =>
          new Map<string, unknown>([
            ['image', formatReference(reference)],
            ...member('platform', platformMembers(platform ?? {})),
          ]),
      ),
    ],
  ]);
}

function platformMembers(platform: RequestedPlatform): Map<string, unknown> {
  const { os, architecture, variant, osVersion, osFeatures = [] } = platform;
  return new Map<string, unknown>([
    ...member('os', os),
    ...member('architecture', architecture),
    ...member('variant', variant),
    ...member('osversion', osVersion),
    ...member('osfeatures', osFeatures),
  ]);
}

/** The member of a mapping, or nothing where it would be empty. */
function member(
  name: string,
  value: string | readonly string[] | ReadonlyMap<string, unknown> | undefined,
): [string, unknown][] {
  if (value === undefined) return [];
  const size = value instanceof Map ? value.size : (value as string | readonly string[]).length;
  return size === 0 ? [] : [[name, value]];
}
