import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { dockerMajor, dockerManifestInspect } from '../support/docker.js';
import { sha256 } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';
import {
  DOCKER_LIST,
  FakeRegistry,
  OCI_INDEX,
  OCI_MANIFEST,
  stored,
  type Stored,
} from '../adversarial/support/fake-registry.js';
import { startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';

/** Older clients may know no OCI images and give no `Raw` (Debian's 20.10 does neither); all else is the same. */
const IS_OLD = dockerMajor() < 28;

/** Compares what we print with what docker prints, in both forms. */
async function compare(reference: string): Promise<void> {
  await Promise.all([compareForm(reference, false), compareForm(reference, true)]);
}

async function compareForm(reference: string, isVerbose: boolean): Promise<void> {
  const format = isVerbose ? 'docker-verbose' : 'docker';
  const [docker, ours] = await Promise.all([
    dockerManifestInspect(reference, isVerbose),
    runCli(['inspect', '--format', format, reference]),
  ]);
  expectCode(ours, 0);
  if (IS_OLD && docker.code !== 0) return;
  expect(docker.stderr).toBe('');
  const hasRaw = !IS_OLD || docker.stdout.includes('"Raw": ');
  const text = hasRaw ? ours.stdout : ours.stdout.replaceAll(/^\t+"Raw": ".*",\n/gm, '');
  expect(text).toBe(docker.stdout);
}

const REFERENCES = Object.entries(PARITY_IMAGES).flatMap(([repository, { tags }]) =>
  Object.entries(tags).map(([tag, digest]) => ({ repository, tag, digest })),
);

describe('--format docker and docker-verbose of a recorded image', () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;

  beforeAll(async () => {
    registry = await startRegistry();
    await seedParityImages(registry.host);
  });

  afterAll(() => registry.stop());

  it.each(REFERENCES)(
    '$repository:$tag print what docker prints, to the byte',
    ({ repository, tag }) => compare(`${registry.host}/${repository}:${tag}`),
  );

  const LISTS = REFERENCES.filter(({ repository }) => /list|full/.test(repository));

  it.each([REFERENCES[0]!, ...LISTS])(
    '$repository@$digest do so with a digest, alone and behind a tag',
    async ({ repository, tag, digest }) => {
      await compare(`${registry.host}/${repository}@${digest}`);
      await compare(`${registry.host}/${repository}:${tag}@${digest}`);
    },
  );
});

describe('--format docker and docker-verbose of an odd image', () => {
  const registry = new FakeRegistry();
  let server: ScriptedServer;

  beforeAll(async () => {
    server = await startScripted((request) =>
      request.path === '/v2/'
        ? { status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' } }
        : registry.answer(request),
    );
  });

  afterAll(() => server.stop());

  const EVIL = 'a<b>&\u2028\u0007\b\fé\u202e\u009b\u007f"\\/';
  const docker = registry.addImage('x', 'docker');
  const oci = registry.addImage('x', 'oci', { oci: true, architecture: 'arm64' });
  const PLATFORM = { architecture: 'amd64', os: 'linux' };

  const entry = ({ mediaType, bytes, digest }: Stored, more: object = {}): object => ({
    mediaType,
    size: bytes.length,
    digest,
    ...more,
  });

  function blob(content: object): object {
    const bytes = Buffer.from(JSON.stringify(content));
    registry.blobs.set(`x@${sha256(bytes)}`, bytes);
    return { size: bytes.length, digest: sha256(bytes) };
  }

  /** An OCI image with this configuration, its JSON changed as text. */
  function image(config: object, more: object, change = (text: string): string => text): Stored {
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob(config) },
      layers: [],
      ...more,
    });
    const bytes = Buffer.from(change(text));
    return { mediaType: OCI_MANIFEST, bytes, digest: sha256(bytes) };
  }

  const list = (mediaType: string, manifests: readonly object[], more: object = {}): Stored =>
    stored(mediaType, { schemaVersion: 2, mediaType, ...more, manifests });

  const evilPlatform = {
    os: EVIL,
    architecture: EVIL,
    'os.version': EVIL,
    'os.features': ['b', EVIL],
    variant: EVIL,
    extra: 1,
  };

  const artifact = image({}, { artifactType: 'application/x', subject: entry(docker) });

  it.each<[string, Stored]>([
    [
      'strange white space, numbers, escapes and members',
      image(evilPlatform, { annotations: { [EVIL]: EVIL }, x: 1 }, (text) => {
        const strange = text.replace('"x":1', '"x" : 1.50e+3,"y":"\\u003c\\/","e":{ },"f":[ ]');
        return ` \n${strange}\n \n`;
      }),
    ],
    ['an artifact', artifact],
    ['an image without layers and type', image({}, { mediaType: undefined, layers: undefined })],
    ['an empty configuration of features', image({ ...PLATFORM, 'os.features': [] }, {})],
    [
      'a Docker list with an OCI image',
      list(DOCKER_LIST, [
        entry(docker, { platform: { ...PLATFORM, features: ['sse4'] } }),
        entry(oci, { platform: PLATFORM }),
      ]),
    ],
    [
      'a Docker list with an OCI image first',
      list(DOCKER_LIST, [
        entry(oci, { platform: PLATFORM }),
        entry(docker, { platform: PLATFORM }),
      ]),
    ],
    ['an index with a Docker image', list(OCI_INDEX, [entry(docker, { platform: PLATFORM })])],
    [
      'an index without types and platforms',
      list(OCI_INDEX, [entry(oci)], { mediaType: undefined }),
    ],
    [
      'an index with all that there can be',
      list(
        OCI_INDEX,
        [
          entry(oci, {
            urls: ['http://x'],
            annotations: { a: '<' },
            artifactType: 'q/r',
            data: oci.bytes.toString('base64'),
            platform: evilPlatform,
          }),
          entry(artifact, { platform: { ...PLATFORM, 'os.features': [], variant: '' } }),
        ],
        { artifactType: 'a/b', subject: entry(docker), annotations: { x: 'y' } },
      ),
    ],
    [
      'an index with one image twice',
      list(OCI_INDEX, [entry(oci, { platform: PLATFORM }), entry(oci, { platform: PLATFORM })]),
    ],
  ])('with %s print what docker prints, to the byte', async (_, manifest) => {
    registry.addManifest('x', 'odd', manifest);
    registry.addManifest('x', 'artifact', artifact);
    await compare(`${server.host}/x:odd`);
  });

  it.each<[string, Stored, RegExp]>([
    ['a list without entries', list(OCI_INDEX, []), /"manifests": \[\]/],
    ['a list in a list', list(OCI_INDEX, [entry(list(OCI_INDEX, [entry(oci)]))]), /image\.index/],
    [
      'an entry that is neither image nor list',
      list(OCI_INDEX, [{ ...entry(oci), mediaType: 'text/x' }]),
      /"mediaType": "text\/x"/,
    ],
  ])('with %s, which docker cannot read, print it as it is', async (_, manifest, shows) => {
    registry.addManifest('x', 'odd', manifest);
    registry.addManifest('x', 'nested', list(OCI_INDEX, [entry(oci)]));
    const plain = await runCli(['inspect', '--format', 'docker', `${server.host}/x:odd`]);
    expectCode(plain, 0);
    expect(plain.stdout).toMatch(shows);
    const verbose = await runCli(['inspect', '--format', 'docker-verbose', `${server.host}/x:odd`]);
    expectCode(verbose, 0);
    const { manifests } = JSON.parse(plain.stdout) as { manifests: { digest: string }[] };
    const digests = (JSON.parse(verbose.stdout) as { Descriptor: { digest: string } }[]).map(
      ({ Descriptor: { digest } }) => digest,
    );
    expect(digests).toEqual(manifests.map(({ digest }) => digest));
  });
});
