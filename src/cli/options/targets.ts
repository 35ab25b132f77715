import path from 'node:path';
import {
  formatName,
  formatReference,
  isTag,
  parseReference,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import type { Publication } from '../../core/publish/request.js';
import type { Parsed } from '../command.js';
import { tagList } from './publishing.js';
import { usageError } from '../args/usage.js';

/**
 * Where something is published: the targets that a command names, each with the tags of --tags and --tag, and those that --tag names in
 * full. What is in one repository is one target.
 * @throws {ManifestToolError} USAGE where one is named twice.
 */
export function targetsFrom(
  parsed: Parsed,
  named: readonly Reference[],
  ownTags: readonly string[] = [],
): Pick<Publication, 'target' | 'tags' | 'alsoTo'> {
  const further = (parsed.values.get('tag') ?? []).map((text) => ({ text, ...readTag(text) }));
  refuseTwice([
    ...named.map((reference) => ({ text: formatReference(reference), reference })),
    ...further.map(({ text, tag, reference }) => ({
      text,
      reference: reference ?? withSuffix(named[0]!, tag!),
      isTag: true,
    })),
  ]);
  const targets: Targets = new Map();
  for (const target of named) addTarget(targets, target);
  for (const { reference } of further) if (reference) addTarget(targets, reference);
  const tags = [...ownTags, ...tagList(parsed), ...further.flatMap(({ tag }) => tag ?? [])];
  for (const target of named) targets.get(keyOf(target))!.tags.push(...tags);
  const [first, ...others] = targets.values();
  return { ...first!, ...(others.length === 0 ? {} : { alsoTo: others }) };
}

/** What --tag says: a tag for the targets of the command, or another reference. */
function readTag(text: string): { tag?: string; reference?: Reference } {
  if (isTag(text)) return { tag: text };
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw usageError(`--tag ${JSON.stringify(text)} names a digest`, 'name a tag');
  }
  return { reference };
}

function refuseTwice(
  given: readonly { text: string; reference: Reference; isTag?: boolean }[],
): void {
  const seen = new Map<string, { text: string; isTag: boolean }>();
  for (const { text, reference, isTag: isOption = false } of given) {
    const key = `${keyOf(reference)} ${reference.tag ?? ''} ${reference.digest ?? ''}`;
    const before = seen.get(key);
    if (before?.isTag === isOption) {
      const [first, second] = [before.text, text].map((each) => JSON.stringify(each));
      const option = isOption ? '--tag ' : 'target ';
      throw usageError(
        first === second
          ? `${option}${second} is given twice`
          : `${option}${first} and ${option}${second} are the same`,
        'give it once',
      );
    }
    if (before === undefined) seen.set(key, { text, isTag: isOption });
  }
}

/** Targets by their repositories. */
type Targets = Map<string, { readonly target: Reference; readonly tags: string[] }>;

function addTarget(targets: Targets, target: Reference): void {
  const key = keyOf(target);
  const held = targets.get(key);
  if (held === undefined) targets.set(key, { target, tags: [] });
  else if (target.tag !== undefined) held.tags.push(target.tag);
  else if (target.digest === undefined) {
    throw usageError(
      `${formatReference(target)} names no tag, and the same is a target already`,
      'name a tag',
    );
  } else {
    throw usageError(
      `${formatName(target)} is a target already, and a digest is no tag`,
      'leave it out, or name a tag',
    );
  }
}

/** One repository, or one directory however it is written. */
function keyOf(reference: Reference): string {
  return reference.kind === 'layout'
    ? `oci-layout://${path.resolve(reference.path)}`
    : formatName(reference);
}
