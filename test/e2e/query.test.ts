import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { LAYER, LayoutFolder, OCI_INDEX } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

async function query(...args: string[]): Promise<string> {
  const result = await runCli(['query', ...args]);
  expectCode(result, 0);
  return result.stdout;
}

describe('query on a registry', () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  beforeAll(async () => {
    registry = await startRegistry();
    await seedParityImages(registry.host, {
      repositories: ['docker/list', 'docker/app', 'buildx/full', 'odd/app', 'oci/app'],
    });
  });
  afterAll(() => registry.stop());

  const digestOf = (repository: string, tag: string): string =>
    PARITY_IMAGES[repository]!.tags[tag]!;

  it('prints the platforms of a Docker list as mquery does', async () => {
    const name = `${registry.host}/docker/list:latest`;
    expect(await query(name)).toBe(
      `Image: ${name} (digest: ${digestOf('docker/list', 'latest')})\n` +
        ' * Manifest List: Yes (Image type: application/vnd.docker.distribution.manifest.list.v2+json)\n' +
        ' * Supported platforms:\n' +
        [
          'linux/amd64',
          'linux/arm64/v8',
          'linux/arm/v7',
          'linux/arm/v6',
          'linux/arm/v5',
          'linux/386',
          'linux/ppc64le',
          'linux/s390x',
          'linux/riscv64',
          'linux/mips64le',
          'linux/loong64',
          'freebsd/amd64',
          'windows/amd64:10.0.20348.2655',
          'windows/amd64:10.0.26100.1',
        ]
          .map((platform) => `   - ${platform}\n`)
          .join('') +
        '\n',
    );
  });

  it('has digest, size and platform of every entry as JSON', async () => {
    const name = `${registry.host}/buildx/full`;
    const { body } = await getManifest(registry.host, 'buildx/full', 'latest');
    const index = JSON.parse(body) as { manifests: Record<string, unknown>[] };
    const { entries } = JSON.parse(await query('--json', name)) as {
      entries: Record<string, unknown>[];
    };
    expect(entries).toHaveLength(index.manifests.length);
    index.manifests.forEach(({ digest, mediaType, size }, i) => {
      expect(entries[i]).toMatchObject({ digest, mediaType, size });
    });
    const attestations = entries.filter(({ isAttestation }) => isAttestation);
    expect(attestations.map(({ platform }) => platform)).toEqual(
      attestations.map(() => 'unknown/unknown'),
    );
    expect(attestations.length).toBeGreaterThan(0);
  });

  it('counts attestations as no platforms', async () => {
    const text = await query(`${registry.host}/buildx/full`);
    expect(text).toContain(`Manifest List: Yes (Image type: ${OCI_INDEX})\n`);
    expect(text).not.toContain('unknown');
    expect(text.match(/^ {3}- linux\//gm)).toHaveLength(3);
  });

  it.each([
    [
      'docker/app',
      'linux-amd64',
      'application/vnd.docker.distribution.manifest.v2+json',
      'linux/amd64',
    ],
    ['oci/app', 'linux-arm-v7', 'application/vnd.oci.image.manifest.v1+json', 'linux/arm/v7'],
    [
      'docker/app',
      'windows-amd64-10.0.20348.2655',
      'application/vnd.docker.distribution.manifest.v2+json',
      'windows/amd64:10.0.20348.2655',
    ],
    ['odd/app', 'empty-config', 'application/vnd.oci.image.manifest.v1+json', 'no platform'],
  ])('prints what the single image %s:%s supports', async (repository, tag, type, platform) => {
    const name = `${registry.host}/${repository}:${tag}`;
    const digest = digestOf(repository, tag);
    expect(await query(name)).toBe(
      `Image: ${name} (digest: ${digest})\n * Manifest List: No (Image type: ${type})\n * Supports: ${platform}\n\n`,
    );
    const platforms = platform === 'no platform' ? [] : [platform];
    const size = expect.any(Number) as number;
    const image = `${registry.host}/${repository}@${digest}`;
    const entry = {
      platform: platforms[0] ?? null,
      digest,
      mediaType: type,
      size,
      isAttestation: false,
      image,
    };
    const document = {
      name,
      image,
      digest,
      mediaType: type,
      size,
      isList: false,
      platforms,
      entries: [entry],
    };
    expect(JSON.parse(await query('--json', name))).toEqual(document);
  });

  it('does not find what is not there', async () => {
    expectCode(await runCli(['query', `${registry.host}/docker/list:none`]), 3);
  });
});

describe('query on a layout', () => {
  let layout: LayoutFolder;
  beforeAll(async () => {
    layout = await LayoutFolder.make();
  });
  afterAll(() => layout.remove());

  it('reads the platforms that a list does not give, and those of a list in it, and escapes them', async () => {
    const image = (architecture: string) => layout.image({ os: 'linux', architecture }, []);
    const [a, b, c] = [await image('amd64'), await image('s390x'), await image('386\u001b')];
    const other = await layout.blob(LAYER, 'no image');
    const platform = { os: 'linux', architecture: 'arm64' };
    const inner = await layout.index([b, { ...c, platform }]);
    await layout.tag(await layout.index([a, inner, other, c]), 'latest');
    const name = `oci-layout://${layout.root}`;
    const text = await query(name);
    expect(text).toMatch(new RegExp(`^Image: ${name} \\(digest: sha256:`));
    expect(text.split('\n').slice(3)).toEqual([
      '   - linux/amd64',
      '   - linux/s390x',
      '   - linux/arm64',
      '   - linux/386\\u001b',
      '',
      '',
    ]);
    expect(JSON.parse(await query(name, '--json'))).toMatchObject({
      isList: true,
      platforms: ['linux/amd64', 'linux/s390x', 'linux/arm64', 'linux/386\u001b'],
    });
  });
});
