import type { Check } from './check.js';
import { Absent, Refusal } from './refusal.js';
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
      const { untagged } = acceptedImages(repository, results);
      const tag = repository.tag('delete-tag');
      await repository.publish(untagged, tag, 0);
      const answer = await repository.remove(tag);
      if (!answer.isDone) throw new Refusal(answer.words);
      await repository.waitFor(answer, async () => {
        if ((await repository.raw.digestOf(tag)) !== undefined)
          throw new Absent('it is still there');
      });
      const isKept = (await repository.raw.digestOf(untagged.digest)) !== undefined;
      return isKept ? '' : 'what it named is deleted with it';
    },
  },
  {
    name: 'delete-manifest',
    title: 'deletion of a manifest',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    after: ['delete-tag'],
    async run(repository, results) {
      const { deleted } = acceptedImages(repository, results);
      const tag = repository.tag('delete-manifest');
      await repository.publish(deleted, tag, 0);
      let answer = await repository.remove(deleted.digest);
      // Some registries delete no manifest that has a tag.
      const isAfterTag = !answer.isDone && (await repository.remove(tag)).isDone;
      if (isAfterTag) answer = await repository.remove(deleted.digest);
      if (!answer.isDone) throw new Refusal(answer.words);
      await repository.waitFor(answer, async () => {
        if ((await repository.raw.digestOf(deleted.digest)) !== undefined)
          throw new Absent('it is still there');
      });
      return isAfterTag ? 'after its tag' : '';
    },
  },
];
