import type { CopyTagsRequest } from '../../core/publish/copy-tags.js';
import {
  formatName,
  formatReference,
  isTag,
  isTagOf,
  parseReference,
  TAG_RULE,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import { defined, usageError, type Options } from '../args/values.js';
import { targetsFrom } from './targets.js';

/** The arguments that say what to copy, and where to. */
type CopyArguments = Options<
  'all-tags' | 'match' | 'tags' | 'tag' | 'expect' | 'dotenv' | 'no-clobber'
> & { readonly source: string; readonly targets: readonly string[] };

/** A reference with several tags: `REPOSITORY:TAG,TAG…`. */
const SEVERAL_TAGS = /^(.+:[^:,/@]+)((?:,[^:,/@]*)+)$/;

/**
 * The tags that a copy of several tags is about, and its targets; undefined for a copy of a single
 * reference.
 * @throws {ManifestToolError} USAGE for options that only a single reference can have.
 */
export function tagsToCopy(
  args: CopyArguments,
): Pick<CopyTagsRequest, 'source' | 'tags' | 'match' | 'targets'> | undefined {
  const selection = sourceTags(args);
  if (selection === undefined) return undefined;
  if (args.expect !== undefined) {
    throw usageError(
      '--expect accepts only one tag, but several are copied',
      'copy the tag with a separate command',
    );
  }
  if (args.dotenv !== undefined) {
    throw usageError(
      '--dotenv accepts only one tag, but several are copied',
      'use --metadata-file or --json, which include all tags',
    );
  }
  return { ...selection, targets: repositoriesOf(args) };
}

function sourceTags({
  source: text,
  allTags,
  match,
}: CopyArguments): Pick<CopyTagsRequest, 'source' | 'tags' | 'match'> | undefined {
  const [, first = '', others = ''] = SEVERAL_TAGS.exec(text) ?? [];
  if (allTags) {
    const source = parseReference(first === '' ? text : first);
    if (source.tag === undefined && source.digest === undefined)
      return { source, ...defined({ match }) };
    throw usageError(
      `--all-tags copies all tags of a repository, but ${JSON.stringify(text)} has a ${source.tag === undefined ? 'digest' : 'tag'}`,
      `give ${formatName(source)}, or omit --all-tags`,
    );
  }
  if (match !== undefined)
    throw usageError('--match needs --all-tags', 'pass both, or omit --match');
  if (first === '') return undefined;
  const named = parseReference(first);
  const tags = [named.tag!, ...others.slice(1).split(',')];
  const wrong = tags.find((tag) => !isTagOf(named, tag));
  if (wrong !== undefined) {
    throw usageError(
      `${JSON.stringify(wrong)} in ${JSON.stringify(text)} is not a valid tag`,
      TAG_RULE,
    );
  }
  const repeated = tags.find((tag, i) => tags.indexOf(tag) !== i);
  if (repeated !== undefined)
    throw usageError(`${JSON.stringify(text)} lists the tag ${repeated} twice`, 'list it once');
  return { source: withoutSuffix(named), tags };
}

function withoutSuffix(reference: Reference): Reference {
  const { tag: _tag, digest: _digest, ...repository } = reference;
  return repository;
}

/**
 * The targets, each of which receives every tag under its own name.
 * @throws {ManifestToolError} USAGE for a tag at a target.
 */
function repositoriesOf(args: CopyArguments): readonly Reference[] {
  const option = args.tags.length > 0 ? '--tags' : '--tag';
  if (args.tags.length > 0 || args.tag.some(isTag)) {
    throw usageError(
      `${option} has a tag, but several tags are copied, each under its own name`,
      'copy the tag that needs another name with a separate command',
    );
  }
  const given = targetsFrom({
    targets: args.targets.map((text) => parseReference(text)),
    tag: args.tag,
  });
  const targets = [given, ...(given.alsoTo ?? [])];
  const named = targets.find(
    ({ target, tags = [] }) => suffixOf(target) !== undefined || tags.length > 0,
  );
  if (named === undefined) return targets.map(({ target }) => target);
  const { target, tags = [] } = named;
  const full = suffixOf(target) === undefined ? withSuffix(target, tags[0]!) : target;
  throw usageError(
    `the target ${formatReference(full)} has a ${full.digest === undefined ? 'tag' : 'digest'}, but several tags are copied, each under its own name`,
    `use the repository alone: ${formatName(full)}`,
  );
}

function suffixOf({ tag, digest }: Reference): string | undefined {
  return digest ?? tag;
}
