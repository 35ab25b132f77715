import type { Check } from './check.js';
import { Absent, Refusal } from './refusal.js';
import { acceptedImages, EITHER_IMAGE } from './write-checks.js';

/**
 * Deletion. It comes last: a token server may answer the request for a right that it does not give with fewer rights than before, and
 * some registries delete with a tag what it names.
 */
export const DELETION_CHECKS: readonly Check[] = [
  {
    name: 'delete-tag',
    title: 'deletion of a tag',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async prove(site, results) {
      const { untagged } = acceptedImages(site, results);
      const tag = site.tag('delete-tag');
      await site.publish(untagged, tag, 0);
      const answer = await site.remove(tag);
      if (!answer.isDone) throw new Refusal(answer.words);
      await site.appears(answer, async () => {
        if ((await site.probe.tagDigest(tag)) !== undefined) throw new Absent('it is still there');
      });
      const isKept = await site.probe.hasManifest(untagged.digest);
      return isKept ? '' : 'what it named is deleted with it';
    },
  },
  {
    name: 'delete-manifest',
    title: 'deletion of a manifest',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    after: ['delete-tag'],
    async prove(site, results) {
      const { deleted } = acceptedImages(site, results);
      const tag = site.tag('delete-manifest');
      await site.publish(deleted, tag, 0);
      let answer = await site.remove(deleted.digest);
      // Some registries delete nothing that a tag names.
      const isAfterTag = !answer.isDone && (await site.remove(tag)).isDone;
      if (isAfterTag) answer = await site.remove(deleted.digest);
      if (!answer.isDone) throw new Refusal(answer.words);
      await site.appears(answer, async () => {
        if (await site.probe.hasManifest(deleted.digest)) throw new Absent('it is still there');
      });
      return isAfterTag ? 'after its tag' : '';
    },
  },
];
