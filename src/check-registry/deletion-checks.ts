import type { ManifestContent } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import {
  lostWithTag,
  refusedDeletion,
  type Deleter,
  type LostWithTag,
} from '../registry/tag-deletion.js';
import type { Check } from './check.js';
import { Absent, NotTried, Refusal } from './refusal.js';
import type { TestRepository } from './test-repository.js';
import { acceptedImages, EITHER_IMAGE } from './write-checks.js';

/**
 * Deletion. It comes last: a token server may answer a request for a scope that it does not grant
 * with fewer scopes than before, and some registries delete the manifest together with its tag.
 */
export const DELETION_CHECKS: readonly Check[] = [
  {
    name: 'delete-tag',
    title: 'deletion of a tag',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async run(repository, results) {
      const { untagged, kept } = acceptedImages(repository, results);
      const [tag, sibling] = ['delete-tag', 'delete-tag-2'].map((name) => repository.tag(name));
      await repository.publish(untagged, tag, 0);
      await repository.publish(untagged, sibling, 0);
      await repository.publish(kept, repository.tag('delete-none'), 0);
      const others = await repository.otherTags(untagged.digest);
      const refused = await refusalOfDeletion(repository, tag!);
      if (refused !== undefined) throw new Refusal(refused);
      await checkAreKept(repository, untagged, others);
      const lost = await lostWithTag(
        { digestOf: (each) => repository.raw.digestOf(each) },
        untagged.digest,
        sibling,
      );
      return lost === undefined ? '' : LOST[lost];
    },
  },
  {
    name: 'delete-manifest',
    title: 'deletion of a manifest',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    after: ['delete-tag'],
    async run(repository, results) {
      if (!repository.isDeletionSafe) throw new NotTried('deletions take other tags along');
      const { deleted, kept } = acceptedImages(repository, results);
      const tag = repository.tag('delete-manifest');
      await repository.publish(deleted, tag, 0);
      await repository.publish(kept, repository.tag('delete-none'), 0);
      const others = await repository.otherTags(deleted.digest);
      let refused = await refusalOfDeletion(repository, deleted.digest);
      // Some registries delete no manifest that has a tag.
      const isAfterTag =
        refused !== undefined && (await refusalOfDeletion(repository, tag)) === undefined;
      if (isAfterTag) refused = await refusalOfDeletion(repository, deleted.digest);
      if (refused !== undefined) throw new Refusal(refused);
      await checkAreKept(repository, deleted, others);
      return isAfterTag ? 'after its tag' : '';
    },
  },
];

/**
 * Finds out whether a deletion has taken along tags that it was not for. Nothing more is deleted
 * then: in a repository that others use, their tags are next.
 * @param others the tags of this run that do not point to what was deleted
 * @throws {Refusal} if it has.
 */
async function checkAreKept(
  repository: TestRepository,
  { digest }: ManifestContent,
  others: readonly string[],
): Promise<void> {
  if ((await repository.otherTags(digest)).length === others.length) return;
  repository.isDeletionSafe = false;
  throw new Refusal('done, but tags of other images are deleted with it');
}

/**
 * Deletes a tag or a manifest.
 * @returns the registry's answer if it refuses; undefined if it is gone.
 * @throws {Refusal} if the registry agrees, and it is still there.
 */
async function refusalOfDeletion(
  repository: TestRepository,
  reference: string,
): Promise<string | undefined> {
  const digestOf = (each: string): Promise<Digest | undefined> => repository.raw.digestOf(each);
  const deleter: Deleter = {
    remove: (each) => repository.remove(each),
    digestOf,
    waitUntilGone: (each, answer) =>
      repository.waitFor(answer, async () => {
        if ((await digestOf(each)) !== undefined) throw new Absent('it is still there');
      }),
  };
  return (await refusedDeletion(deleter, reference))?.words;
}

const LOST: Readonly<Record<LostWithTag, string>> = {
  manifest: 'what it named is deleted with it',
  tags: 'the other tags of what it named are deleted with it',
};
