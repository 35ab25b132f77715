import type { Check, CheckName, Results } from './check.js';
import type { ImagesOfType } from './images.js';
import { Absent, NotTried, Refusal } from './refusal.js';
import type { TestRepository } from './test-repository.js';

export const EITHER_IMAGE: readonly CheckName[] = ['docker-image', 'oci-image'];

/** Images of a type that the registry accepts. */
export function acceptedImages(repository: TestRepository, results: Results): ImagesOfType {
  const { docker, oci } = repository.images;
  return results.get('docker-image')?.result === 'yes' ? docker : oci;
}

/** Ways to write an image or a tag, and relations between what is written. */
export const WRITE_CHECKS: readonly Check[] = [
  {
    name: 'push-by-digest',
    title: 'push by digest',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async run(repository, results) {
      await repository.publish(acceptedImages(repository, results)['by-digest'], undefined, 0);
      return '';
    },
  },
  {
    name: 'tag-moves',
    title: 'tag that moves',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async run(repository, results) {
      const { first, second } = acceptedImages(repository, results);
      await repository.publish(first, repository.tag('moves'), 0);
      await repository.publish(second, repository.tag('moves'), 0);
      return '';
    },
  },
  {
    name: 'several-tags',
    title: 'several tags in one PUT',
    needs: [],
    needsOneOf: EITHER_IMAGE,
    async run(repository, results) {
      const { several } = acceptedImages(repository, results);
      const tags = ['one-of-two', 'two-of-two'].map((name) => repository.tag(name));
      const answer = await repository.put(several, undefined, 0, tags);
      const named = answer.header('oci-tag').flatMap((line) => line.split(','));
      const isConfirmed = tags.every((tag) => named.some((each) => each.trim() === tag));
      const check = async (): Promise<void> => {
        const made = await Promise.all(tags.map((tag) => repository.raw.digestOf(tag)));
        const count = made.filter((digest) => digest === several.digest).length;
        if (count < tags.length) throw new Absent(`${count} of ${tags.length} tags are made`);
      };
      // A registry that does not confirm the tags does not know the parameter, so none will appear.
      await repository.waitFor(answer, check, isConfirmed ? undefined : 0);
      return isConfirmed ? 'told in OCI-Tag' : 'not told in OCI-Tag';
    },
  },
  {
    name: 'mount',
    title: 'mount from another repository',
    needs: ['blobs'],
    // Some registries mount only blobs that an image names.
    after: EITHER_IMAGE,
    async run(repository) {
      const { second } = repository;
      if (second === undefined) throw new NotTried('it needs a second repository');
      const { bytes: _, ...layer } = repository.images.layer;
      const answer = await repository.mount(second, layer.digest);
      if (answer.status === 202) throw new Refusal(`${answer.words}: it opens an upload instead`);
      if (!answer.isDone) throw new Refusal(answer.words);
      await repository.waitFor(answer, () => second.getBlob(layer));
      return '';
    },
  },
  {
    name: 'referrers',
    title: 'referrers',
    needs: ['oci-image'],
    async run(repository) {
      const { referrer, oci } = repository.images;
      const answer = await repository.put(referrer, repository.tag('referrer'), 1);
      await repository.waitFor(answer, async () => {
        const found = await repository.raw.referrers(oci.amd64.digest);
        if ('words' in found) throw new Refusal(`the list of referrers: ${found.words}`);
        if (!found.includes(referrer.digest))
          throw new Absent('the list of referrers is without it');
      });
      return '';
    },
  },
];
