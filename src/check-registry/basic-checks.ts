import type { Check } from './check.js';
import { NotTried, Refusal, refusalOf } from './refusal.js';
import type { Site } from './site.js';

/** What everything else stands on: a registry that answers, knows us, and takes blobs and images. */
export const BASIC_CHECKS: readonly Check[] = [
  {
    name: 'version',
    title: 'version check',
    needs: [],
    async prove({ probe }) {
      const answer = await probe.version();
      if (!answer.isDone) throw new Refusal(answer.words);
      return answer.header('docker-distribution-api-version')[0] ?? '';
    },
  },
  {
    name: 'blobs',
    title: 'upload of blobs',
    needs: [],
    // The first request by itself: what is wrong with the way to the registry is told once.
    after: ['version'],
    async prove(site) {
      const { blobs, layer } = site.images;
      await Promise.all(blobs.map((blob) => site.putBlob(blob)));
      try {
        await site.probe.getBlob(layer);
      } catch (error) {
        throw refusalOf(error, 'taken, but ');
      }
      return '';
    },
  },
  {
    name: 'authentication',
    title: 'authentication',
    needs: [],
    after: ['blobs'],
    prove({ probe }) {
      const { scheme, identity } = probe.identity();
      if (scheme === undefined) throw new NotTried('the registry does not ask for it');
      return Promise.resolve(`${scheme}, ${identity}`);
    },
  },
  {
    name: 'docker-image',
    title: 'Docker image (v2.2)',
    needs: ['blobs'],
    prove: (site) => publishImages(site, 'docker'),
  },
  {
    name: 'oci-image',
    title: 'OCI image',
    needs: ['blobs'],
    prove: (site) => publishImages(site, 'oci'),
  },
];

async function publishImages(site: Site, kind: 'docker' | 'oci'): Promise<string> {
  const { amd64, arm64 } = site.images[kind];
  await Promise.all([
    site.publish(amd64, site.tag(`${kind}-amd64`), 0),
    site.publish(arm64, site.tag(`${kind}-arm64`), 0),
  ]);
  return '';
}
