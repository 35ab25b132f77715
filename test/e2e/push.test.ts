import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host);
});

afterAll(() => registry.stop());

interface Entry {
  readonly digest: string;
  readonly platform: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}

async function push(platforms: string, template: string, target: string, ...options: string[]) {
  const { host } = registry;
  const result = await runCli([
    'push',
    'from-args',
    '--platforms',
    platforms,
    '--template',
    `${host}/${template}`,
    '--target',
    `${host}/${target}`,
    ...options,
  ]);
  const [repository, tag] = target.split(':') as [string, string];
  const published = await getManifest(host, repository, tag);
  const entries =
    published.status === 200
      ? (JSON.parse(published.body) as { manifests: Entry[] }).manifests
      : [];
  return { ...result, published, entries };
}

describe('a template without placeholder', () => {
  it('gives each platform its own entry of a list, in the order asked for', async () => {
    const { code, entries } = await push(
      'linux/arm/v7,linux/amd64,linux/arm64',
      'docker/list:latest',
      'out/pick:1',
    );
    expect(code).toBe(0);
    expect(entries.map(({ platform }) => platform)).toEqual([
      { architecture: 'arm', os: 'linux', variant: 'v7' },
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux', variant: 'v8' },
    ]);
  });

  it('takes the attestation of an entry along, behind all images', async () => {
    const { code, published } = await push(
      'linux/arm64',
      'buildx/full:latest',
      'buildx/full:pick',
      '--type',
      'oci',
    );
    expect(code).toBe(0);
    const { manifests } = JSON.parse(published.body) as {
      manifests: { digest: string; annotations?: Record<string, string> }[];
    };
    expect(manifests).toHaveLength(2);
    expect(manifests[1]!.annotations!['vnd.docker.reference.digest']).toBe(manifests[0]!.digest);
  });

  it('names one image for all platforms, where it is no list', async () => {
    const { code, entries } = await push(
      'linux/amd64,linux/arm64/v8',
      'oci/app:linux-amd64',
      'oci/app:same',
      '--type',
      'oci',
    );
    expect(code).toBe(0);
    expect(new Set(entries.map(({ digest }) => digest)).size).toBe(1);
    expect(entries.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
  });

  it('is an error that names what there is, for a platform that the list does not have', async () => {
    const { code, stderr } = await push('linux/mips', 'docker/list:three', 'out/pick:none');
    expect(code).toBe(3);
    expect(stderr).toMatch(
      /docker\/list:three failed: it has no entry for linux\/mips; it has linux\/amd64, /,
    );
  });
});

describe('--ignore-missing', () => {
  it('leaves out a platform that a list does not have', async () => {
    const { code, stderr, entries } = await push(
      'linux/mips,linux/amd64',
      'docker/list:three',
      'docker/list:some',
      '--ignore-missing',
    );
    expect(code).toBe(0);
    expect(stderr).toContain('docker/list:three is skipped: it has no entry for linux/mips');
    expect(entries).toHaveLength(1);
  });
});

describe('what is asked for', () => {
  it('wins over the configuration of the image, with a warning that names both', async () => {
    const { code, stderr, entries } = await push(
      'linux/s390x',
      'odd/app:wrong-arch',
      'odd/app:asked',
    );
    expect(code).toBe(0);
    expect(stderr).toContain(
      'odd/app:wrong-arch was built for linux/amd64, but is published for linux/s390x, as requested',
    );
    expect(entries[0]!.platform).toEqual({ architecture: 's390x', os: 'linux' });
  });

  it('may stand anywhere on the line, and have one dash', async () => {
    const { host } = registry;
    const result = await runCli([
      '--ignore-missing',
      '-type=oci',
      'push',
      '--target',
      `${host}/oci/app:order`,
      'from-args',
      '-platforms',
      'linux/amd64',
      '--plain-http=true',
      '--template',
      `${host}/oci/app:OS-ARCH`,
    ]);
    expect(result).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Digest: sha256:[0-9a-f]{64} \d+\n$/) as string,
    });
  });

  it('is published by its digest alone, with a line that says so, where the target has no tag', async () => {
    const { host } = registry;
    const result = await runCli([
      'push',
      'from-args',
      '--platforms',
      'linux/amd64',
      '--template',
      `${host}/docker/app:OS-ARCH`,
      '--target',
      `${host}/out/untagged`,
    ]);
    expect(result.code).toBe(0);
    expect(result.stderr).toContain('by digest only, and no tag changes');
    const digest = /sha256:[0-9a-f]{64}/.exec(result.stdout)![0];
    expect((await getManifest(host, 'out/untagged', digest)).status).toBe(200);
    expect((await getManifest(host, 'out/untagged', 'latest')).status).toBe(404);
  });
});

describe('images of other repositories', () => {
  it('bring their blobs and their exact manifests, and leave foreign layers where they are', async () => {
    const { code, entries } = await push('windows/amd64', 'odd/app:foreign', 'out/foreign:1');
    expect(code).toBe(0);
    const source = await getManifest(registry.host, 'odd/app', 'foreign');
    const child = await getManifest(registry.host, 'out/foreign', entries[0]!.digest);
    expect(child.body).toBe(source.body);
  });
});

describe('create', () => {
  async function create(target: string, sources: string[], ...options: string[]) {
    const { host } = registry;
    const names = sources.map((source) => `${host}/${source}`);
    const result = await runCli(['create', '--target', `${host}/${target}`, ...names, ...options]);
    const [repository, tag] = target.split(':') as [string, string];
    return { ...result, published: await getManifest(host, repository, tag) };
  }

  it('takes platforms from the images, and the kind of the list from theirs', async () => {
    const docker = await create('docker/app:made', [
      'docker/app:linux-amd64',
      'docker/app:linux-arm64-v8',
    ]);
    expect(docker.code).toBe(0);
    expect(docker.published.mediaType).toBe(
      'application/vnd.docker.distribution.manifest.list.v2+json',
    );
    const oci = await create('oci/app:made', ['oci/app:linux-amd64', 'docker/app:linux-s390x']);
    expect(oci.code).toBe(0);
    expect(oci.published.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect(
      (JSON.parse(oci.published.body) as { manifests: Entry[] }).manifests.map(
        ({ platform }) => platform.architecture,
      ),
    ).toEqual(['amd64', 's390x']);
  });

  it('needs a source and a target', async () => {
    expect(await runCli(['create', '--target', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no sources are given') as string,
    });
    expect(await runCli(['create', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('create needs --target') as string,
    });
  });
});
