import { parseDigest } from '../oci/digest.js';
import type { Annotations } from '../oci/documents.js';
import { isTag } from '../oci/reference.js';
import type { ListRequest } from '../plan/request.js';
import { suggestion } from '../text.js';
import type { Parsed } from './command.js';
import { items, value } from './settings.js';
import { usageError } from './usage.js';

const TYPES: readonly ListRequest['type'][] = ['docker', 'oci', 'auto'];

/** The value of --type; commands differ in what it is where it is not given. */
export function listType(parsed: Parsed, fallback: ListRequest['type']): ListRequest['type'] {
  const given = value(parsed, 'type') ?? fallback;
  const type = TYPES.find((each) => each === given);
  if (type !== undefined) return type;
  throw usageError(
    `--type ${JSON.stringify(given)} is none of docker, oci and auto${suggestion(given, TYPES)}`,
  );
}

/** The tags of --tags. */
export function tagList(parsed: Parsed): string[] {
  const tags = items(parsed, 'tags');
  for (const tag of tags) {
    if (!isTag(tag)) {
      throw usageError(
        `--tags ${JSON.stringify(tag)} is no tag`,
        'a tag is of letters, digits, "_", "." and "-", at most 128, and does not begin with "." or "-"',
      );
    }
  }
  return tags;
}

/** The annotations of --annotations, as manifest-tool reads them: a comma ends one, the first `=` ends its key. */
export function annotationMap(parsed: Parsed): Annotations {
  const annotations = new Map<string, string>();
  for (const item of items(parsed, 'annotations')) {
    const equals = item.indexOf('=');
    if (equals <= 0) {
      throw usageError(
        `--annotations ${JSON.stringify(item)} is not of the form key=value`,
        'a comma ends an annotation; write values with commas in a YAML spec',
      );
    }
    annotations.set(item.slice(0, equals), item.slice(equals + 1));
  }
  return annotations;
}

/** What --no-clobber, --expect and --dry-run say of a publish. */
export function publishingOptions(
  parsed: Parsed,
): Pick<ListRequest, 'noClobber' | 'expect' | 'dryRun'> {
  const expected = value(parsed, 'expect');
  return {
    noClobber: parsed.switches.has('no-clobber'),
    dryRun: parsed.switches.has('dry-run'),
    ...(expected === undefined
      ? {}
      : { expect: parseDigest(expected, `reading --expect ${JSON.stringify(expected)}`) }),
  };
}

/** The annotations of --annotation: one each, and all behind its first `=` is the value. */
export function singleAnnotations(parsed: Parsed): Annotations {
  const given = parsed.values.get('annotation') ?? [];
  return new Map(
    given.map((text): [string, string] => {
      const equals = text.indexOf('=');
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw usageError(`--annotation ${JSON.stringify(text)} is not of the form key=value`);
    }),
  );
}
