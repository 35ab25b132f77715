import type { Check } from './check.js';
import { Absent, NotTried, Refusal } from './refusal.js';
import { EITHER_IMAGE } from './write-checks.js';

/** What one thing in a registry has to do with another. */
export const RELATION_CHECKS: readonly Check[] = [
  {
    name: 'mount',
    title: 'mount from another repository',
    needs: ['blobs'],
    // Some registries mount only what an image names.
    after: EITHER_IMAGE,
    async prove(site) {
      const { other } = site;
      if (other === undefined) throw new NotTried('--tags-only makes no second repository');
      const { bytes: _, ...layer } = site.images.layer;
      const answer = await site.mount(other, layer.digest);
      if (answer.status === 202) throw new Refusal(`${answer.words}: it opens an upload instead`);
      if (!answer.isDone) throw new Refusal(answer.words);
      await site.appears(answer, () => other.getBlob(layer));
      return '';
    },
  },
  {
    name: 'referrers',
    title: 'referrers',
    needs: ['oci-image'],
    async prove(site) {
      const { referrer, oci } = site.images;
      const answer = await site.put(referrer, site.tag('referrer'), 1);
      await site.appears(answer, async () => {
        const found = await site.probe.referrers(oci.amd64.digest);
        if ('words' in found) throw new Refusal(`the list of referrers: ${found.words}`);
        if (!found.includes(referrer.digest))
          throw new Absent('the list of referrers is without it');
      });
      return '';
    },
  },
];
