import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LAYER, LayoutFolder, OCI_CONFIG, OCI_MANIFEST, type Entry } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';

/*
 * Legal indexes as tools write them: verify finds no defect in any of them, and in each finds the
 * defect when a part is taken away.
 */

const DOCKER = 'application/vnd.docker';
const DOCKER_MANIFEST = `${DOCKER}.distribution.manifest.v2+json`;
const ZSTD = { annotations: { 'io.github.containers.compression.zstd': 'true' } };

/** What an index consists of; `lost` is a blob without which it has a defect. */
interface Shape {
  readonly entries: readonly Entry[];
  readonly lost: Entry;
  /** Members of the index. */
  readonly more?: object;
}

type Make = (layout: LayoutFolder) => Promise<Shape>;

/** An artifact without layers of images, as `oras push` and others write it. */
async function artifact(
  layout: LayoutFolder,
  config: { readonly type: string; readonly content: string },
  layerType: string,
  more: object = {},
): Promise<Shape> {
  const layer = await layout.blob(layerType, `content of ${layerType}`);
  const written = await layout.blob(config.type, config.content);
  const manifest = await layout.manifest(written, [layer], more);
  return { entries: [await layout.imageFor('linux/amd64'), manifest], lost: layer };
}

const EMPTY = { type: 'application/vnd.oci.empty.v1+json', content: '{}' };

const SHAPES: Readonly<Record<string, Make>> = {
  'attestations of BuildKit': async (layout) => {
    const [amd64, arm64] = [
      await layout.imageFor('linux/amd64'),
      await layout.imageFor('linux/arm64'),
    ];
    const attested = await layout.attestation(amd64, 'https://spdx.dev/Document');
    const other = await layout.attestation(arm64, 'https://slsa.dev/provenance/v1');
    return { entries: [amd64, arm64, attested, other], lost: attested };
  },
  'indexes of SOCI': async (layout) => {
    const type = 'application/vnd.amazon.soci.index.v2+json';
    const ztoc = await layout.blob('application/octet-stream', 'ztoc');
    const soci = await layout.manifest(await layout.blob(type, '{}'), [ztoc], {
      artifactType: type,
    });
    const image = await layout.imageFor('linux/amd64');
    const { digest, platform } = image;
    const linked = { ...image, annotations: { 'com.amazon.soci.index-digest': soci.digest } };
    const annotations = { 'com.amazon.soci.image-manifest-digest': digest };
    return {
      entries: [linked, { ...soci, artifactType: type, platform, annotations }],
      lost: ztoc,
    };
  },
  'two images of one platform, told apart by compression': async (layout) => {
    const gzip = await layout.imageFor('linux/amd64');
    const zstd = await layout.imageFor('linux/amd64', { labels: { of: 'zstd' }, listed: ZSTD });
    return { entries: [gzip, zstd], lost: zstd };
  },
  'two images of one platform, told apart by os features (nydus)': async (layout) => {
    const plain = await layout.imageFor('linux/amd64');
    const platform = {
      os: 'linux',
      architecture: 'amd64',
      'os.features': ['nydus.remoteimage.v1'],
    };
    const nydus = await layout.imageFor('linux/amd64', {
      labels: { of: 'nydus' },
      listed: { platform },
    });
    return { entries: [plain, nydus], lost: nydus };
  },
  'versions of Windows': async (layout) => {
    const versions = ['10.0.17763.1', '10.0.20348.1'];
    const entries = await Promise.all(
      versions.map((version) => {
        const config = { 'os.version': version };
        const platform = { os: 'windows', architecture: 'amd64', ...config };
        return layout.imageFor('windows/amd64', { config, listed: { platform } });
      }),
    );
    return { entries, lost: entries[1]! };
  },
  'foreign layers that are nowhere': async (layout) => {
    const foreign = {
      mediaType: `${DOCKER}.image.rootfs.foreign.diff.tar.gzip`,
      digest: `sha256:${'1'.repeat(64)}`,
      size: 1000,
      urls: ['https://go.microsoft.com/fwlink/layer'],
    };
    const own = await layout.blob(`${DOCKER}.image.rootfs.diff.tar.gzip`, 'own layer');
    const diff_ids = [foreign.digest, own.digest];
    const platform = { os: 'windows', architecture: 'amd64' };
    const type = `${DOCKER}.container.image.v1+json`;
    const config = await layout.blob(type, { ...platform, rootfs: { type: 'layers', diff_ids } });
    const manifest = {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config,
      layers: [foreign, own],
    };
    const image = await layout.blob(DOCKER_MANIFEST, manifest);
    return { entries: [{ ...image, platform }], lost: own };
  },
  'indexes inside an index, four levels': async (layout) => {
    const image = await layout.imageFor('linux/amd64');
    let inner = await layout.index([image]);
    for (let level = 1; level < 4; level += 1) inner = await layout.index([inner]);
    return { entries: [inner, await layout.imageFor('linux/arm64')], lost: image };
  },
  'blobs as entries (cache of BuildKit)': async (layout) => {
    const layer = await layout.blob(LAYER, 'cached layer');
    const cache = await layout.blob('application/vnd.buildkit.cacheconfig.v0', '{"layers":[]}');
    return { entries: [layer, cache], lost: layer };
  },
  'a helm chart': (layout) =>
    artifact(
      layout,
      { type: 'application/vnd.cncf.helm.config.v1+json', content: '{"name":"chart"}' },
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
    ),
  'a signature of cosign': (layout) =>
    artifact(
      layout,
      {
        type: OCI_CONFIG,
        content:
          '{"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:1"]}}',
      },
      'application/vnd.dev.cosign.simplesigning.v1+json',
    ),
  'a model whose config is no JSON': (layout) =>
    artifact(
      layout,
      { type: 'application/vnd.model.config', content: 'a: 1' },
      'application/x-model',
    ),
  'an artifact whose config has no bytes': (layout) =>
    artifact(
      layout,
      { type: 'application/vnd.sylabs.sif.config.v1+json', content: '' },
      'application/vnd.sylabs.sif.layer.v1.sif',
    ),
  'an artifact with the empty config': (layout) =>
    artifact(layout, EMPTY, 'text/plain', { artifactType: 'application/vnd.example.text' }),
  'an artifact for no platform': async (layout) => {
    const artifactType = 'application/vnd.example.text';
    const { entries, lost } = await artifact(layout, EMPTY, 'text/plain', { artifactType });
    return { entries: entries.map((entry) => ({ ...entry, artifactType })), lost };
  },
  'a plugin of Docker': (layout) =>
    artifact(
      layout,
      { type: `${DOCKER}.plugin.v1+json`, content: '{"interface":{}}' },
      `${DOCKER}.image.rootfs.diff.tar.gzip`,
    ),
  'other names of a platform in the config': async (layout) => {
    const config = { architecture: 'aarch64', os: 'Linux' };
    const image = await layout.imageFor('linux/arm64/v8', { config });
    return { entries: [image], lost: image };
  },
  'a variant in only one of index and config': async (layout) => {
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
    const image = await layout.imageFor('linux/arm64', { listed: { platform } });
    const arm = await layout.imageFor('linux/arm/v7', {
      listed: { platform: { os: 'linux', architecture: 'arm' } },
    });
    return { entries: [image, arm], lost: arm };
  },
  'an image without layers, and annotations of any form': async (layout) => {
    const config = await layout.blob(OCI_CONFIG, {
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [] },
    });
    const annotations = { key: '1', Key: '2', '': '' };
    const image = await layout.manifest(config, [], { annotations });
    const platform = { os: 'linux', architecture: 'amd64' };
    return { entries: [{ ...image, platform, annotations }], lost: config, more: { annotations } };
  },
  'an index that is an artifact and refers to another one': async (layout) => {
    const image = await layout.imageFor('linux/amd64');
    const subject = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.size };
    return { entries: [image], lost: image, more: { artifactType: 'application/x', subject } };
  },
};

/** The registry accepts only manifests as entries. */
const ONLY_IN_LAYOUTS = new Set(['blobs as entries (cache of BuildKit)']);

let registry: Awaited<ReturnType<typeof startRegistry>>;
let layout: LayoutFolder;

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
});

afterAll(() => Promise.all([registry.stop(), layout.remove()]));

describe.each(Object.entries(SHAPES))('%s', (name, make) => {
  const tag = name.replaceAll(/\W+/g, '-').replace(/-$/, '');

  const places = ONLY_IN_LAYOUTS.has(name) ? ['layout'] : ['layout', 'registry'];

  it.each(places)('has no defect in a %s', async (where) => {
    const { entries, more } = await make(layout);
    await layout.tag(await layout.index(entries, more), tag);
    let reference = layout.reference(tag);
    if (where === 'registry') {
      reference = `${registry.host}/shapes/${tag.toLowerCase()}:1`;
      expectCode(await runCli(['copy', layout.reference(tag), reference]), 0);
    }
    for (const deep of [[], ['--deep']]) {
      const result = await runCli(['verify', reference, ...deep]);
      expectCode(result, 0);
      expect(result.stderr).not.toMatch(/warning/);
      expect(result.stdout.match(/^ok /gm)).toHaveLength(entries.length);
      expect(result.stdout).not.toMatch(/^DEFECT/m);
    }
  });

  it('has a defect in the row of the entry when a part is missing', async () => {
    const damaged = await LayoutFolder.make();
    try {
      const { entries, lost, more } = await make(damaged);
      await damaged.tag(await damaged.index(entries, more), tag);
      await damaged.remove(lost);
      const json = await runCli(['verify', '--json', damaged.reference(tag)]);
      expectCode(json, 6);
      const document = JSON.parse(json.stdout) as { entries: { defects: object[] }[] };
      expect(document.entries.filter(({ defects }) => defects.length > 0)).toHaveLength(1);
      const { stdout } = await runCli(['verify', damaged.reference(tag)]);
      expect(stdout.match(/^DEFECT /gm)).toHaveLength(1);
    } finally {
      await damaged.remove();
    }
  });
});

it.each([
  ['attestations of BuildKit', 'linux/amd64,linux/arm64'],
  ['indexes of SOCI', 'linux/amd64'],
  ['indexes inside an index, four levels', 'linux/amd64,linux/arm64'],
  ['a helm chart', 'linux/amd64'],
  ['an artifact for no platform', 'linux/amd64'],
  ['a signature of cosign', 'linux/amd64'],
  ['two images of one platform, told apart by compression', 'linux/amd64'],
  [
    'two images of one platform, told apart by os features (nydus)',
    'linux/amd64,linux(+nydus.remoteimage.v1)/amd64',
  ],
])('%s: its platforms are exactly %s', async (name, platforms) => {
  const { entries } = await SHAPES[name]!(layout);
  const tag = `exactly-${name.replaceAll(/\W+/g, '')}`;
  await layout.tag(await layout.index(entries), tag);
  const reference = layout.reference(tag);
  expectCode(await runCli(['verify', reference, '--platforms', platforms]), 0);
  expectCode(await runCli(['verify', reference, '--same-as', reference]), 0);
  const fewer = await runCli(['verify', reference, '--platforms', 'linux/s390x']);
  expectCode(fewer, 6);
  for (const platform of platforms.split(','))
    expect(fewer.stderr).toContain(`${platform} is an unexpected platform`);
  expect(fewer.stderr).not.toContain('an image without platform');
});
