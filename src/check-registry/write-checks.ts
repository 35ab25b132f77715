import type { Check, CheckName, Results } from './check.js';
import type { ImagesOfKind } from './images.js';
import { Absent } from './refusal.js';
import type { Site } from './site.js';

export const EITHER_IMAGE: readonly CheckName[] = ['docker-image', 'oci-image'];

/** Images of a kind that the registry takes. */
export function acceptedImages(site: Site, results: Results): ImagesOfKind {
  return results.get('docker-image')?.result === 'yes' ? site.images.docker : site.images.oci;
}

/** Ways of writing. */
export const WRITE_CHECKS: readonly Check[] = [
  {
    name: 'push-by-digest',
    title: 'push by digest',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async prove(site, results) {
      await site.publish(acceptedImages(site, results)['by-digest'], undefined, 0);
      return '';
    },
  },
  {
    name: 'tag-moves',
    title: 'tag that moves',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async prove(site, results) {
      const { first, second } = acceptedImages(site, results);
      await site.publish(first, site.tag('moves'), 0);
      await site.publish(second, site.tag('moves'), 0);
      return '';
    },
  },
  {
    name: 'several-tags',
    title: 'several tags in one PUT',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async prove(site, results) {
      const { several } = acceptedImages(site, results);
      const tags = ['one-of-two', 'two-of-two'].map((name) => site.tag(name));
      const answer = await site.put(several, undefined, 0, tags);
      const named = answer.header('oci-tag').flatMap((line) => line.split(','));
      const isTold = tags.every((tag) => named.some((each) => each.trim() === tag));
      const look = async (): Promise<void> => {
        const made = await Promise.all(tags.map((tag) => site.probe.tagDigest(tag)));
        const count = made.filter((digest) => digest === several.digest).length;
        if (count < tags.length) throw new Absent(`${count} of ${tags.length} tags are made`);
      };
      // A registry that says nothing of tags does not know of them, and none will appear.
      await site.appears(answer, look, isTold ? undefined : 0);
      return isTold ? 'told in OCI-Tag' : 'not told in OCI-Tag';
    },
  },
];
