import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putBlob, putManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { temporaryFolder } from '../support/supervise.js';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  folder = await temporaryFolder();
  for (const [tag, artifact] of Object.entries(ARTIFACTS)) await put(tag, artifact);
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64' });
  const layers = [{ type: 'application/vnd.oci.image.layer.v1.tar', content: 'layer' }];
  await put('image', { config: { type: OCI_CONFIG, content: config }, layers });
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Content {
  readonly type: string;
  readonly content: string;
}

interface Artifact {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Content;
  readonly layers: readonly Content[];
}

/** Artifacts as the tools write them, by their tags. */
const ARTIFACTS: Readonly<Record<string, Artifact>> = {
  helm: {
    config: {
      type: 'application/vnd.cncf.helm.config.v1+json',
      content: '{"name":"app","version":"1.0.0","apiVersion":"v2"}',
    },
    layers: [{ type: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', content: 'chart' }],
  },
  wasm: {
    config: {
      type: 'application/vnd.wasm.config.v0+json',
      content: '{"os":"wasip1","architecture":"wasm","layerDigests":[]}',
    },
    layers: [{ type: 'application/wasm', content: '\0asm' }],
  },
  sif: {
    config: { type: 'application/vnd.sylabs.sif.config.v1+json', content: '' },
    layers: [{ type: 'application/vnd.sylabs.sif.layer.v1.sif', content: 'sif' }],
  },
  model: {
    artifactType: 'application/vnd.acme.model',
    config: { type: 'application/vnd.oci.empty.v1+json', content: '{}' },
    layers: [{ type: 'application/vnd.acme.weights', content: 'weights' }],
  },
  binary: {
    config: { type: 'application/vnd.acme.config', content: '\u0001not JSON' },
    layers: [{ type: 'application/vnd.acme.data', content: 'data' }],
  },
  cosign: {
    config: {
      type: OCI_CONFIG,
      content: '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","config":{}}',
    },
    layers: [
      { type: 'application/vnd.dev.cosign.simplesigning.v1+json', content: '{"critical":1}' },
    ],
  },
  'oras-0': {
    config: { type: OCI_CONFIG, content: '' },
    layers: [{ type: 'application/vnd.acme.rocket.docs.v1+json', content: '{}' }],
  },
  plugin: {
    mediaType: DOCKER_MANIFEST,
    config: { type: 'application/vnd.docker.plugin.v1+json', content: '{"description":"x"}' },
    layers: [{ type: DOCKER_LAYER, content: 'rootfs' }],
  },
};
const TAGS = Object.keys(ARTIFACTS);
/** Edits wait until an index has settled. */
const EDIT_TIMEOUT_MS = 30_000;

const name = (tag: string): string => `${registry.host}/app:${tag}`;

async function put(
  tag: string,
  { mediaType = OCI_MANIFEST, artifactType, config, layers }: Artifact,
): Promise<void> {
  const descriptor = async ({ type, content }: Content) => {
    await putBlob(registry.host, 'app', Buffer.from(content));
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    return { mediaType: type, digest, size: Buffer.byteLength(content) };
  };
  const manifest = {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: await descriptor(config),
    layers: await Promise.all(layers.map(descriptor)),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest(registry.host, 'app', tag, mediaType, bytes);
}

interface Index {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Readonly<Record<string, unknown>>[];
}

async function indexAt(tag: string): Promise<Index> {
  const { body } = await getManifest(registry.host, 'app', tag);
  return JSON.parse(body) as Index;
}

async function succeed(...args: string[]) {
  const result = await runCli(args);
  expectCode(result, 0);
  return result;
}

describe.each(TAGS)('an artifact: %s', (tag) => {
  it('is inspected, queried, verified and copied', async () => {
    const layout = `oci-layout://${folder}/${tag}:1`;
    await succeed('copy', name(tag), layout);
    for (const reference of [name(tag), layout]) {
      for (const format of ['json', 'table', 'docker', 'docker-verbose'])
        await succeed('inspect', '--format', format, reference);
      await succeed('inspect', reference);
      await succeed('inspect', '--raw', reference);
      expect((await succeed('query', '--json', reference)).stdout).toContain('"platforms": []');
      const verified = await succeed('verify', '--deep', reference);
      expect(verified.stderr).toBe('');
    }
  });

  it('is an entry without platform, which is no defect', async () => {
    const { artifactType } = ARTIFACTS[tag]!;
    const created = await succeed(
      'create',
      '--target',
      name(`${tag}-index`),
      name('image'),
      name(tag),
    );
    expect(created.stderr).not.toContain('has no platform');
    const { manifests } = await indexAt(`${tag}-index`);
    expect(manifests).toHaveLength(2);
    expect(manifests[1]).not.toHaveProperty('platform');
    expect(manifests[1]!['artifactType']).toBe(artifactType);
    const verified = await succeed('verify', '--deep', name(`${tag}-index`));
    expect(verified.stdout).toMatch(/^ok +no platform/m);
    expect((await succeed('query', name(`${tag}-index`))).stdout).not.toContain('no platform');
    await succeed('inspect', name(`${tag}-index`));
  });

  it(
    'is added to an index, in a registry and in a layout',
    async () => {
      const { artifactType } = ARTIFACTS[tag]!;
      const layout = `oci-layout://${folder}/added-${tag}:1`;
      for (const index of [name(`${tag}-added`), layout]) {
        await succeed('create', '--target', index, name('image'));
        await succeed('add', index, name(tag));
        const document = JSON.parse(
          (await succeed('inspect', '--format', 'raw', index)).stdout,
        ) as Index;
        expect(document.manifests[1]).not.toHaveProperty('platform');
        expect(document.manifests[1]!['artifactType']).toBe(artifactType);
        await succeed('verify', index);
      }
    },
    EDIT_TIMEOUT_MS,
  );

  it('takes the platform that a spec gives it', async () => {
    const spec = (platform: string): string =>
      `image: ${name(`${tag}-spec`)}\nmanifests: [{image: "${name(tag)}"${platform}}]\n`;
    const options = ['push', 'from-spec', '--type', 'oci', '-'];
    const bare = await runCli(options, { stdin: spec('') });
    expectCode(bare, 0);
    expect((await indexAt(`${tag}-spec`)).manifests[0]).not.toHaveProperty('platform');
    const placed = await runCli(options, {
      stdin: spec(', platform: {os: linux, architecture: arm64}'),
    });
    expectCode(placed, 0);
    const platform = { os: 'linux', architecture: 'arm64' };
    expect((await indexAt(`${tag}-spec`)).manifests[0]).toMatchObject({ platform });
  });

  it('is refused for a Docker manifest list, with the option that helps', async () => {
    const args = ['create', '--type', 'docker', '--target', name(`${tag}-docker`), name(tag)];
    const result = await runCli(args);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`${name(tag)} has no platform`);
    expect(result.stderr).toContain('hint: pass --type oci');
  });
});

it('is not added a second time', async () => {
  const layout = `oci-layout://${folder}/twice:1`;
  await succeed('create', '--target', layout, name('image'), name('helm'));
  const { stderr } = await succeed('add', layout, name('helm'));
  expect(stderr).toMatch(/^unchanged /m);
});

it('without platform in a Docker manifest list is not added', async () => {
  const layout = `oci-layout://${folder}/docker:1`;
  await succeed('create', '--type', 'docker', '--target', layout, name('image'));
  const result = await runCli(['add', layout, name('plugin')]);
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('has no platform');
});

describe('--artifact-type', () => {
  const TYPE = 'application/vnd.acme.bundle';
  const option = ['--artifact-type', TYPE];

  it('makes an OCI index of that type', async () => {
    await succeed('create', ...option, '--target', name('typed'), name('image'));
    const spec = `image: ${name('typed-spec')}\ntype: oci\nartifactType: a/b\nmanifests: [{image: "${name('image')}"}]\n`;
    const { code, stderr } = await runCli(['push', 'from-spec', ...option, '-'], { stdin: spec });
    expect(code).toBe(0);
    expect(stderr).toContain(`--artifact-type ${TYPE} takes precedence over artifactType: a/b`);
    const template = ['--platforms', 'linux/amd64', '--template', name('image')];
    const target = ['--target', name('typed-args')];
    await succeed('push', 'from-args', '--type', 'oci', ...template, ...target, ...option);
    for (const tag of ['typed', 'typed-spec', 'typed-args'])
      expect(await indexAt(tag)).toMatchObject({ artifactType: TYPE });
  });

  it.each([
    ['--type', 'docker', ...option, 'a Docker manifest list has no artifact type'],
    ['--artifact-type', 'bundle', '"bundle" is not a media type'],
  ])('is refused before anything is read: %s %s', async (...args) => {
    const options = args.slice(0, -1);
    const result = await runCli(['create', ...options, '--target', name('x'), name('none')]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(args.at(-1));
  });
});

it('shows an image without platform in words', async () => {
  const manifest = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] as object[] };
  const { manifests } = await indexAt('helm-index');
  const platform = { os: '', architecture: '' };
  manifest.manifests.push({ ...manifests[1], platform });
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest(registry.host, 'app', 'empty', OCI_INDEX, bytes);
  const verified = await runCli(['verify', name('empty')]);
  expect(verified.code).toBe(6);
  expect(verified.stderr).toContain('has an empty platform in the index');
  expect(verified.stdout).toContain('no platform');
  const missing = await runCli(['inspect', '--platform', 'linux/amd64', name('empty')]);
  expect(missing.stderr).toContain('it has no platform');
  manifest.manifests[0] = { ...manifests[0], platform: { os: 'linux', architecture: '' } };
  const half = Buffer.from(JSON.stringify(manifest));
  await putManifest(registry.host, 'app', 'half', OCI_INDEX, half);
  const incomplete = await runCli(['verify', name('half')]);
  expect(incomplete.stderr).toContain('has a platform without architecture in the index');
  await succeed('create', '--target', name('completed'), name('half'), name('helm'));
  expect((await indexAt('completed')).manifests[0]).toMatchObject({
    platform: { os: 'linux', architecture: 'amd64' },
  });
  await succeed('create', '--target', name('filled'), name('image'), name('empty'));
  expect((await indexAt('filled')).manifests[1]).not.toHaveProperty('platform');
});
