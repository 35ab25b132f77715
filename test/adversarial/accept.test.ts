import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putManifest, sha256 } from '../support/http.js';
import { startRecordingProxy, type RecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';
import { DOCKER_LIST, OCI_INDEX, stored } from './support/fake-registry.js';

const REPOSITORY = 'docker/app';
let registry: Registry;
let proxy: RecordingProxy;
const digests = new Map<string, string>();

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startRecordingProxy(registry.host);
  await seedParityImages(registry.host, { repositories: [REPOSITORY] });
  const { manifests, tags } = PARITY_IMAGES[REPOSITORY]!;
  const children = ['linux-amd64', 'linux-s390x'].map((tag) => {
    const digest = tags[tag]!;
    const { mediaType, body } = manifests[digest]!;
    const [os, architecture] = tag.split('-');
    return { mediaType, digest, size: Buffer.byteLength(body), platform: { os, architecture } };
  });
  for (const [tag, mediaType] of [
    ['docker-list', DOCKER_LIST],
    ['oci-index', OCI_INDEX],
  ] as const) {
    const { bytes } = stored(mediaType, { schemaVersion: 2, mediaType, manifests: children });
    digests.set(tag, await putManifest(registry.host, REPOSITORY, tag, mediaType, bytes));
  }
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

const ACCEPTED = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

describe('test 15: a list is a list, by tag and by digest', () => {
  it.each([
    ['docker-list', DOCKER_LIST],
    ['oci-index', OCI_INDEX],
  ])('%s', async (tag, mediaType) => {
    const digest = digests.get(tag)!;
    for (const name of [
      `${proxy.host}/${REPOSITORY}:${tag}`,
      `${proxy.host}/${REPOSITORY}@${digest}`,
    ]) {
      proxy.requests.length = 0;
      const result = await runCli(['inspect', name]);
      expectCode(result, 0);
      expect(result.stdout).toContain(`Digest: ${digest}`);
      expect(result.stdout).toContain(`(Type: ${mediaType})`);
      expect(result.stdout).toContain('Contains 2 manifest references');
      const reads = proxy.requests.filter(({ url }) => url.includes('/manifests/'));
      expect(reads).toHaveLength(3);
      for (const { headers, method } of reads) {
        expect(method).toBe('GET');
        expect((headers.accept ?? '').split(/, */).toSorted()).toEqual(ACCEPTED.toSorted());
        expect(headers['accept-encoding']).toBe('identity');
      }
    }
  });

  it.each(['docker-list', 'oci-index'])(
    '%s as the source of a list gives its entries',
    async (tag) => {
      const source = `${proxy.host}/${REPOSITORY}:${tag}`;
      const result = await runCli([
        'push',
        'from-args',
        '--platforms',
        'linux/amd64,linux/s390x',
        '--template',
        source,
        '--target',
        `${proxy.host}/${REPOSITORY}:out-${tag}`,
      ]);
      expectCode(result, 0);
      const published = await getManifest(registry.host, REPOSITORY, `out-${tag}`);
      expect(result.stdout).toBe(`Digest: ${sha256(published.body)} ${published.size}\n`);
      const { manifests } = JSON.parse(published.body) as { manifests: { digest: string }[] };
      const { tags } = PARITY_IMAGES[REPOSITORY]!;
      expect(manifests.map(({ digest }) => digest)).toEqual([
        tags['linux-amd64'],
        tags['linux-s390x'],
      ]);
    },
  );
});
