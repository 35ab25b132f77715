import { parseDigest } from '../../oci/digest.js';
import type { Annotations } from '../../oci/descriptor.js';
import { parsePlatform } from '../../oci/platform.js';
import type { PublishingOptions } from '../../core/publish/request.js';
import type { EntryAnnotations, IndexRequest } from '../../core/publish/request.js';
import { defined, usageError, type Options } from '../args/values.js';

/** Under which conditions tags move; a command may lack two of the options. */
export function publishingOptions(
  args: Options<'expect' | 'wait' | 'dry-run'> & Partial<Options<'no-clobber' | 'strict'>>,
): PublishingOptions {
  const { expect, wait, dryRun, noClobber = false, strict = false } = args;
  const digest =
    expect === undefined
      ? undefined
      : parseDigest(expect, `reading --expect ${JSON.stringify(expect)}`);
  return { noClobber, strict, dryRun, ...defined({ waitMs: wait, expect: digest }) };
}

/** The part of the request that says what goes into a new index beside its sources. */
type IndexContent = Pick<
  IndexRequest,
  'entryAnnotations' | 'dropAttestations' | 'ignoreMissing'
> & { readonly annotations: Annotations };

/** Annotations and attestations of a new index; a command may lack --annotations. */
export function indexContent(
  args: Options<'annotation' | 'attestations' | 'ignore-missing'> & Partial<Options<'annotations'>>,
): IndexContent {
  const annotations = new Map(annotationsFrom(args.annotations ?? []));
  const entryAnnotations: EntryAnnotations[] = [];
  for (const text of args.annotation) {
    refuseLevel(text, OTHER_LEVELS, 'the levels are index: and manifest-descriptor[PLATFORM]:');
    const [, level = 'index', name, body = ''] =
      /^(?:(index|manifest-descriptor)(?:\[([^\]]*)\])?:)?([\s\S]*)$/.exec(text) ?? [];
    const pair = keyAndValue(text, body);
    if (level === 'index') annotations.set(...pair);
    else {
      const platform =
        name === undefined
          ? undefined
          : parsePlatform(name, `reading --annotation ${JSON.stringify(text)}`);
      entryAnnotations.push({ ...defined({ platform }), annotations: new Map([pair]) });
    }
  }
  return {
    annotations,
    entryAnnotations,
    dropAttestations: args.attestations === 'drop',
    ignoreMissing: args.ignoreMissing,
  };
}

/**
 * Annotations of --annotations, as manifest-tool v2 reads them: a comma ends one, the first `=`
 * ends its key.
 */
export function annotationsFrom(items: readonly string[]): Annotations {
  const annotations = new Map<string, string>();
  for (const item of items) {
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

/**
 * Annotations of --annotation for a command that selects entries by other options, so that a level
 * is an error.
 */
export function annotationsWithoutLevel({ annotation }: Options<'annotation'>): Annotations {
  const hint = 'select an entry with --platform or --digest; without them, the index is annotated';
  for (const text of annotation) refuseLevel(text, ALL_LEVELS, hint);
  return new Map(annotation.map((text) => keyAndValue(text, text)));
}

/** buildx' levels that are not supported: the manifests of images are not changed. */
const OTHER_LEVELS = /^(?:manifest|index-descriptor)(?:\[[^\]]*\])?:/;
const ALL_LEVELS = /^(?:index|manifest)(?:-descriptor)?(?:\[[^\]]*\])?:/;

function refuseLevel(text: string, refused: RegExp, hint: string): void {
  const level = refused.exec(text)?.[0];
  if (level === undefined) return;
  throw usageError(
    `--annotation ${JSON.stringify(text)}: the level ${level} is not supported`,
    hint,
  );
}

function keyAndValue(text: string, body: string): [string, string] {
  const equals = body.indexOf('=');
  if (equals > 0) return [body.slice(0, equals), body.slice(equals + 1)];
  throw usageError(
    `--annotation ${JSON.stringify(text)} is not of the form key=value`,
    'for example org.opencontainers.image.title=app',
  );
}
