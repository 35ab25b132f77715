import { Document, Scalar, visit } from 'yaml';
import type { RequestedPlatform, Spec } from '../core/publish/request.js';
import { formatReference } from '../oci/reference.js';
import { escapeText } from '../text.js';

/**
 * Formats a spec as YAML, after one line for each comment. {@link parseSpecs} reads the same spec
 * from it, whatever its strings are, and nothing in it acts on a terminal.
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
  // YAML reads \uXXXX in double-quoted strings; anything else that is escaped here is in a comment.
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}

/** Whether a string would act on a terminal, end a line, or be a merge key. */
function needsQuotes(text: string): boolean {
  return text === '<<' || escapeText(text) !== text;
}

function specMembers(spec: Spec): Map<string, unknown> {
  const { target, tags, type, artifactType, annotations, dropAttestations, sources } = spec;
  const attestations = dropAttestations === true ? 'drop' : 'keep';
  return new Map<string, unknown>([
    ['image', formatReference(target)],
    ...member('type', type),
    ...member('artifactType', artifactType),
    ...member('tags', tags),
    ...member('annotations', annotations),
    ...member('attestations', dropAttestations === undefined ? undefined : attestations),
    [
      'manifests',
      sources.map(
        ({ reference, platform, annotations: own }) =>
          new Map<string, unknown>([
            ['image', formatReference(reference)],
            ...member('platform', platformMembers(platform ?? {})),
            ...member('annotations', own),
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

/** The member of a mapping; none if its value is empty. */
function member(
  name: string,
  value: string | readonly string[] | ReadonlyMap<string, unknown> | undefined,
): [string, unknown][] {
  if (value === undefined) return [];
  const size = value instanceof Map ? value.size : (value as string | readonly string[]).length;
  return size === 0 ? [] : [[name, value]];
}
