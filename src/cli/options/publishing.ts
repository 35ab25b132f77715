import { parseDigest } from '../../oci/digest.js';
import type { AnnotationChanges } from '../../oci/annotations.js';
import type { Annotations } from '../../oci/descriptor.js';
import { isMediaType } from '../../oci/media-types.js';
import { formatPlatform, parsePlatform, type Platform } from '../../oci/platform.js';
import type {
  EntryAnnotations,
  IndexRequest,
  PublishingOptions,
} from '../../core/publish/request.js';
import { defined, usageError, type Options } from '../args/values.js';

/** Under which conditions tags move; a command may lack two of the options. */
export function publishingOptions(
  args: Options<'expect' | 'wait' | 'dry-run' | 'verify'> &
    Partial<Options<'no-clobber' | 'strict'>>,
): PublishingOptions {
  const { expect, wait, dryRun, noClobber = false, strict = false } = args;
  const digest =
    expect === undefined
      ? undefined
      : parseDigest(expect, `reading --expect ${JSON.stringify(expect)}`);
  const executables = args.verify?.includes('executables') === true;
  return { noClobber, strict, dryRun, executables, ...defined({ waitMs: wait, expect: digest }) };
}

/** The part of the request that says what goes into a new index beside its sources. */
type IndexContent = Pick<
  IndexRequest,
  'artifactType' | 'entryAnnotations' | 'dropAttestations' | 'ignoreMissing' | 'referrers'
> & { readonly annotations: AnnotationChanges };

/** Annotations, artifact type and attestations of a new index; a command may lack --annotations. */
export function indexContent(
  args: Options<'annotation' | 'artifact-type' | 'attestations' | 'ignore-missing' | 'referrers'> &
    Partial<Options<'annotations'>>,
): IndexContent {
  const annotations = new Map<string, string | undefined>(annotationsFrom(args.annotations ?? []));
  const entryAnnotations: EntryAnnotations[] = [];
  for (const text of args.annotation) {
    const { levels = [{ name: 'index' }], body } = splitLevels(text);
    const change = annotationChange(text, body);
    for (const { name, platform } of levels) {
      if (name === 'index') annotations.set(...change);
      else entryAnnotations.push({ ...defined({ platform }), annotations: new Map([change]) });
    }
  }
  const { artifactType, attestations, ignoreMissing, referrers } = args;
  if (artifactType !== undefined && !isMediaType(artifactType)) {
    throw usageError(
      `--artifact-type ${JSON.stringify(artifactType)} is not a media type`,
      'give a type such as application/vnd.example.app',
    );
  }
  const dropAttestations = attestations === undefined ? undefined : attestations === 'drop';
  return {
    annotations,
    entryAnnotations,
    ignoreMissing,
    referrers,
    ...defined({ artifactType, dropAttestations }),
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
 * Annotations of --annotation for a command that changes either the index or entries, which other
 * options select.
 * @throws {ManifestToolError} USAGE for another level than the one that the command changes.
 */
export function annotationsAt(
  level: Level['name'],
  { annotation }: Options<'annotation'>,
): AnnotationChanges {
  const changes = annotation.map((text) => {
    const { levels = [{ name: level }], body } = splitLevels(text);
    const other = levels.find(({ name, platform }) => name !== level || platform !== undefined);
    if (other === undefined) return annotationChange(text, body);
    const changed = level === 'index' ? 'the index' : 'the selected entries';
    const named = other.platform === undefined ? '' : `[${formatPlatform(other.platform)}]`;
    throw usageError(
      `--annotation ${JSON.stringify(text)}: annotate changes ${changed}, not ${other.name}${named}`,
      'select entries with --platform or --digest, or none for the index',
    );
  });
  return new Map(changes);
}

interface Level {
  readonly name: 'index' | 'manifest-descriptor';
  /** The entry; all images if it is left out. */
  readonly platform?: Platform;
}

/** `LEVEL[PLATFORM],…:` before an annotation, as buildx reads it. */
const LEVELS = /^[a-z-]+(?:\[[^\]]*\])?(?:,[a-z-]+(?:\[[^\]]*\])?)*:/;
const LEVEL = /([a-z-]+)(?:\[([^\]]*)\])?/g;

/**
 * The levels before an annotation, if there are any, and what follows them.
 * @throws {ManifestToolError} USAGE for an unknown level.
 */
function splitLevels(text: string): {
  readonly levels?: readonly Level[];
  readonly body: string;
} {
  const prefix = LEVELS.exec(text)?.[0];
  if (prefix === undefined) return { body: text };
  const levels = [...prefix.matchAll(LEVEL)].map(([, name = '', platform]): Level => {
    const what = `--annotation ${JSON.stringify(text)}`;
    if (name === 'manifest-descriptor') {
      if (platform === undefined) return { name };
      return { name, platform: parsePlatform(platform, `reading ${what}`) };
    }
    if (name !== 'index') {
      throw usageError(
        `${what}: ${JSON.stringify(name)} is not a level`,
        name === 'manifest' || name === 'index-descriptor'
          ? 'the levels are index and manifest-descriptor[PLATFORM]: images are published unchanged. For docker/metadata-action, set DOCKER_METADATA_ANNOTATIONS_LEVELS to index'
          : 'the levels are index and manifest-descriptor[PLATFORM]; write index:KEY=VALUE if the key has a colon',
      );
    }
    if (platform === undefined) return { name };
    throw usageError(
      `${what}: the level index has no platform`,
      `write manifest-descriptor[${platform}] for an entry`,
    );
  });
  return { levels, body: text.slice(prefix.length) };
}

/** The annotation that KEY=VALUE sets, or that KEY- removes; only the first `=` ends a key. */
function annotationChange(text: string, body: string): [string, string | undefined] {
  const equals = body.indexOf('=');
  if (equals > 0) return [body.slice(0, equals), body.slice(equals + 1)];
  if (equals < 0 && body.length > 1 && body.endsWith('-')) return [body.slice(0, -1), undefined];
  throw usageError(
    `--annotation ${JSON.stringify(text)} is not of the form KEY=VALUE or KEY-`,
    'for example org.opencontainers.image.title=app to set it, org.opencontainers.image.title- to remove it',
  );
}
