import { parseDigest } from '../../oci/digest.js';
import type { Annotations } from '../../oci/documents.js';
import { parsePlatform } from '../../oci/platform.js';
import { isTag, TAG_RULE } from '../../oci/reference.js';
import type { PublishingOptions } from '../../core/publish/request.js';
import type { EntryAnnotations, IndexRequest, RequestedType } from '../../core/publish/request.js';
import { choice } from '../args/choice.js';
import type { Parsed } from '../command.js';
import { duration, items, optional, value } from './connection.js';
import { usageError } from '../args/usage.js';

/** The value of --type; commands differ in what it is where it is not given. */
export function listType(parsed: Parsed, fallback: RequestedType): RequestedType {
  return choice(parsed, 'type') ?? fallback;
}

/** The tags of --tags. */
export function tagList(parsed: Parsed): string[] {
  const tags = items(parsed, 'tags');
  for (const tag of tags) {
    if (!isTag(tag)) {
      throw usageError(`--tags ${JSON.stringify(tag)} is no tag`, TAG_RULE);
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

/** What --no-clobber, --expect, --strict, --wait and --dry-run say of a publish. */
export function publishingOptions(parsed: Parsed): PublishingOptions {
  const expected = value(parsed, 'expect');
  return {
    noClobber: parsed.switches.has('no-clobber'),
    strict: parsed.switches.has('strict'),
    dryRun: parsed.switches.has('dry-run'),
    ...optional('waitMs', duration(parsed, 'wait')),
    ...optional(
      'expect',
      expected === undefined
        ? undefined
        : parseDigest(expected, `reading --expect ${JSON.stringify(expected)}`),
    ),
  };
}

/** The annotations and attestations of a list that is made: --annotations, --annotation and --attestations. */
export function listingOptions(parsed: Parsed): Pick<
  IndexRequest,
  'entryAnnotations' | 'dropAttestations'
> & {
  readonly annotations: Annotations;
} {
  const annotations = new Map(annotationMap(parsed));
  const entryAnnotations: EntryAnnotations[] = [];
  for (const text of parsed.values.get('annotation') ?? []) {
    refuseLevel(text, OTHER_LEVELS, 'the levels are index: and manifest-descriptor[PLATFORM]:');
    const [, level = 'index', name, body = ''] =
      /^(?:(index|manifest-descriptor)(?:\[([^\]]*)\])?:)?([\s\S]*)$/.exec(text) ?? [];
    const pair = keyAndValue(text, body);
    if (level === 'index') annotations.set(...pair);
    else {
      const platform =
        name === undefined
          ? {}
          : { platform: parsePlatform(name, `reading --annotation ${JSON.stringify(text)}`) };
      entryAnnotations.push({ ...platform, annotations: new Map([pair]) });
    }
  }
  return { annotations, entryAnnotations, dropAttestations: dropsAttestations(parsed) };
}

/** The value of --attestations. */
export function dropsAttestations(parsed: Parsed): boolean {
  return choice(parsed, 'attestations') === 'drop';
}

/** The annotations of --annotation where there is one kind: all behind the first `=` is the value. */
export function singleAnnotations(parsed: Parsed): Annotations {
  const given = parsed.values.get('annotation') ?? [];
  for (const text of given)
    refuseLevel(
      text,
      ALL_LEVELS,
      'name an entry with --platform or --digest, or none for the list',
    );
  return new Map(given.map((text) => keyAndValue(text, text)));
}

/** Levels of buildx at which nothing is annotated here: the manifests of images are not changed. */
const OTHER_LEVELS = /^(?:manifest|index-descriptor)(?:\[[^\]]*\])?:/;
const ALL_LEVELS = /^(?:index|manifest)(?:-descriptor)?(?:\[[^\]]*\])?:/;

function refuseLevel(text: string, refused: RegExp, hint: string): void {
  const level = refused.exec(text)?.[0];
  if (level === undefined) return;
  throw usageError(`--annotation ${JSON.stringify(text)}: ${level} is no level here`, hint);
}

function keyAndValue(text: string, body: string): [string, string] {
  const equals = body.indexOf('=');
  if (equals > 0) return [body.slice(0, equals), body.slice(equals + 1)];
  throw usageError(
    `--annotation ${JSON.stringify(text)} is not of the form key=value`,
    'for example org.opencontainers.image.title=app',
  );
}
