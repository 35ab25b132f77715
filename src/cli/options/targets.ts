import {
  formatReference,
  isTag,
  parseReference,
  repositoryKey,
  TAG_RULE,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import type { Publication, Target } from '../../core/publish/request.js';
import { usageError, type Options } from '../args/values.js';

interface GivenTargets {
  /** One at least. */
  readonly targets: readonly Reference[];
  /** Additional tags of each of them, from a spec. */
  readonly specTags?: readonly string[];
  /** The value of --tags. */
  readonly tags?: readonly string[];
  /** The value of --tag: additional tags of each target, and references in full. */
  readonly tag: readonly string[];
}

/**
 * The targets of a publish. References to one repository are one target, with several tags.
 * @throws {ManifestToolError} USAGE for a target that is given twice.
 */
export function targetsFrom({
  targets,
  specTags = [],
  tags = [],
  tag,
}: GivenTargets): Pick<Publication, 'target' | 'tags' | 'alsoTo'> {
  const additional = tag.map((text) => ({ text, ...tagOrReference(text) }));
  refuseRepeated([
    ...targets.map((reference) => ({ text: formatReference(reference), reference })),
    ...additional.map(({ text, tag: name, reference }) => ({
      text,
      reference: reference ?? withSuffix(targets[0]!, name!),
      isTag: true,
    })),
  ]);
  const byRepository: TargetsByRepository = new Map();
  for (const target of targets) addTarget(byRepository, target);
  for (const { reference } of additional) if (reference) addTarget(byRepository, reference);
  const all = [...specTags, ...checkTags(tags), ...additional.flatMap((each) => each.tag ?? [])];
  for (const target of targets) byRepository.get(repositoryKey(target))!.tags.push(...all);
  const [first, ...others] = byRepository.values();
  return { ...first!, ...(others.length === 0 ? {} : { alsoTo: others }) };
}

/**
 * The target of a command that can also take it from the first --tag, as buildx does, and the other
 * values of --tag.
 * @throws {ManifestToolError} USAGE if there is none, or it is not a reference in full.
 */
export function targetOf({ target, tag }: Options<'target' | 'tag'>): {
  readonly targets: readonly Reference[];
  readonly tag: readonly string[];
} {
  if (target !== undefined) return { targets: [parseReference(target)], tag };
  const [first, ...others] = tag;
  if (first === undefined) {
    throw usageError(
      'create needs --target or --tag',
      'pass --target REF, or one or more -t REF; all arguments are sources',
    );
  }
  const { reference } = tagOrReference(first);
  if (reference !== undefined) return { targets: [reference], tag: others };
  throw usageError(
    `--tag ${JSON.stringify(first)} is a tag without a repository, and there is no --target`,
    `pass --target REF, or write the first --tag in full: example.com/app:${first}`,
  );
}

function checkTags(tags: readonly string[]): readonly string[] {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong === undefined) return tags;
  throw usageError(`--tags ${JSON.stringify(wrong)} is not a valid tag`, TAG_RULE);
}

/** The value of one --tag: a tag for every target, or another reference. */
function tagOrReference(text: string): { tag?: string; reference?: Reference } {
  if (isTag(text)) return { tag: text };
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw usageError(`--tag ${JSON.stringify(text)} has a digest`, 'name a tag');
  }
  return { reference };
}

function refuseRepeated(
  given: readonly { text: string; reference: Reference; isTag?: boolean }[],
): void {
  const seen = new Map<string, { text: string; isTag: boolean }>();
  for (const { text, reference, isTag: isOption = false } of given) {
    const key = `${repositoryKey(reference)} ${reference.tag ?? ''} ${reference.digest ?? ''}`;
    const before = seen.get(key);
    if (before?.isTag === isOption) {
      const [first, second] = [before.text, text].map((each) => JSON.stringify(each));
      const option = isOption ? '--tag ' : 'target ';
      throw usageError(
        first === second
          ? `${option}${second} is given twice`
          : `${option}${first} and ${option}${second} are the same`,
        'pass it once',
      );
    }
    if (before === undefined) seen.set(key, { text, isTag: isOption });
  }
}

type TargetsByRepository = Map<string, Target & { readonly tags: string[] }>;

function addTarget(targets: TargetsByRepository, target: Reference): void {
  const key = repositoryKey(target);
  const known = targets.get(key);
  if (known === undefined) targets.set(key, { target, tags: [] });
  else if (target.tag !== undefined) known.tags.push(target.tag);
  else {
    throw usageError(
      `${formatReference(target)} repeats a target without adding a tag`,
      'add a tag, or omit it',
    );
  }
}
