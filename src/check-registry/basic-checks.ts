import type { Check } from './check.js';
import { NotTried, Refusal, refusalOf } from './refusal.js';
import type { TestRepository } from './test-repository.js';

/**
 * Prerequisites of all other checks: the registry answers, authenticates, and accepts blobs and
 * images.
 */
export const BASIC_CHECKS: readonly Check[] = [
  {
    name: 'version',
    title: 'version check',
    needs: [],
    async run({ raw }) {
      const answer = await raw.version();
      if (!answer.isDone) throw new Refusal(answer.words);
      return answer.header('docker-distribution-api-version')[0] ?? '';
    },
  },
  {
    name: 'blobs',
    title: 'upload of blobs',
    needs: [],
    // The first request is sent alone, so that a registry that cannot be reached is reported once.
    after: ['version'],
    async run(repository) {
      const { blobs, layer } = repository.images;
      await Promise.all(blobs.map((blob) => repository.putBlob(blob)));
      try {
        await repository.raw.getBlob(layer);
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
    run({ raw }) {
      const { scheme, identity } = raw.identity();
      if (scheme === undefined) throw new NotTried('the registry does not ask for it');
      return Promise.resolve(`${scheme}, ${identity}`);
    },
  },
  {
    name: 'docker-image',
    title: 'Docker image (v2.2)',
    needs: ['blobs'],
    run: (repository) => publishImages(repository, 'docker'),
  },
  {
    name: 'oci-image',
    title: 'OCI image',
    needs: ['blobs'],
    run: (repository) => publishImages(repository, 'oci'),
  },
];

async function publishImages(repository: TestRepository, type: 'docker' | 'oci'): Promise<string> {
  const { amd64, arm64 } = repository.images[type];
  await Promise.all([
    repository.publish(amd64, repository.tag(`${type}-amd64`), 0),
    repository.publish(arm64, repository.tag(`${type}-arm64`), 0),
  ]);
  return '';
}
