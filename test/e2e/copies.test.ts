import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, request } from '../support/http.js';
import { startRecordingProxy, type Fault } from '../support/proxy.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

type Registry = Awaited<ReturnType<typeof startRegistry>>;

let source: Registry;
let target: Registry;
let folder: string;

beforeAll(async () => {
  [source, target] = await Promise.all([startRegistry(), startRegistry()]);
  await seedParityImages(source.host, { repositories: ['oci/app', 'odd/app', 'buildx/app'] });
  folder = await mkdtemp(path.join(tmpdir(), 'copies-'));
});

afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  await rm(folder, { recursive: true, force: true });
});

function push(template: string, to: string, ...options: string[]) {
  const args = ['push', '--type', 'oci', 'from-args', '--platforms', 'linux/amd64,linux/s390x'];
  return runCli([
    ...args,
    '--template',
    template,
    '--target',
    to,
    '--retry-delay',
    '5ms',
    ...options,
  ]);
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** Every manifest and blob that a list names is in the repository. */
async function expectWhole(registry: Registry, repository: string, tag: string): Promise<void> {
  const list = await getManifest(registry.host, repository, tag);
  expect(list.status).toBe(200);
  for (const { digest } of (JSON.parse(list.body) as { manifests: { digest: string }[] })
    .manifests) {
    const child = await getManifest(registry.host, repository, digest);
    expect(child.status).toBe(200);
    const { config, layers } = JSON.parse(child.body) as Manifest;
    for (const blob of [config, ...layers]) {
      const url = `${registry.url}/v2/${repository}/blobs/${blob.digest}`;
      expect((await request('HEAD', url)).status).toBe(200);
    }
  }
}

describe('images of another registry', () => {
  it('are copied into that of the target, and have the same digests as in their own', async () => {
    const there = await push(`${source.host}/oci/app:OS-ARCH`, `${target.host}/copied/app:1`);
    expectCode(there, 0);
    const here = await push(`${source.host}/oci/app:OS-ARCH`, `${source.host}/oci/app:same`);
    expect(there.stdout).toBe(here.stdout);
    await expectWhole(target, 'copied/app', '1');
  });

  it('are not copied twice: what the target has is only asked for', async () => {
    const proxy = await startRecordingProxy(target.host);
    try {
      expectCode(await push(`${source.host}/oci/app:OS-ARCH`, `${proxy.host}/copied/app:2`), 0);
      expect(proxy.requests.filter(({ url }) => url.includes('/blobs/uploads/'))).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });

  it('are copied into a layout, and from a layout into a registry', async () => {
    const layout = `oci-layout://${folder}/layout`;
    expectCode(await push(`${source.host}/oci/app:OS-ARCH`, `${layout}:1`), 0);
    const back = await push(`${layout}:1`, `${target.host}/back/app:1`);
    expectCode(back, 0);
    const shown = await runCli(['inspect', `${layout}:1`]);
    expect(shown.stdout).toContain('2 images');
    await expectWhole(target, 'back/app', '1');
  });
});

describe('a copy of a blob', () => {
  const faults: [string, Fault, (method: string, url: string) => boolean][] = [
    [
      'a reset before the upload',
      'reset-before',
      (method, url) => method === 'PUT' && url.includes('/uploads/'),
    ],
    [
      'a reset after the upload',
      'reset-after',
      (method, url) => method === 'PUT' && url.includes('/uploads/'),
    ],
    [
      'a 502 to the upload',
      { status: 502 },
      (method, url) => method === 'PUT' && url.includes('/uploads/'),
    ],
    [
      'a 503 to the session',
      { status: 503 },
      (method, url) => method === 'POST' && url.includes('/uploads/'),
    ],
  ];

  it.each(faults)('survives %s', async (name, fault, isHit) => {
    const repository = `faults/${name.replaceAll(/[^a-z0-9]+/g, '-')}`;
    let left = 2;
    const proxy = await startRecordingProxy(target.host, ({ method, url }) =>
      isHit(method, url) && (left -= 1) >= 0 ? fault : undefined,
    );
    try {
      expectCode(await push(`${source.host}/oci/app:OS-ARCH`, `${proxy.host}/${repository}:1`), 0);
    } finally {
      await proxy.stop();
    }
    await expectWhole(target, repository, '1');
  });

  it.each<[string, Fault]>([
    ['cut', 'truncate'],
    ['damaged', 'corrupt'],
  ])('survives a layer that is %s on its way', async (name, fault) => {
    let left = 2;
    const isLayer = /\/blobs\/sha256:/;
    const proxy = await startRecordingProxy(source.host, ({ method, url }) =>
      method === 'GET' && isLayer.test(url) && (left -= 1) >= 0 ? fault : undefined,
    );
    try {
      expectCode(await push(`${proxy.host}/oci/app:OS-ARCH`, `${target.host}/${name}/app:1`), 0);
      expectCode(
        await push(`${proxy.host}/oci/app:OS-ARCH`, `oci-layout://${folder}/${name}:1`),
        0,
      );
    } finally {
      await proxy.stop();
    }
    await expectWhole(target, `${name}/app`, '1');
  });
});

describe('a mount that is refused', () => {
  it.each([401, 403, 404, 405, 500])('with %i is followed by one upload', async (status) => {
    const proxy = await startRecordingProxy(source.host, ({ method, url }) =>
      method === 'POST' && url.includes('?mount=') ? { status, body: '' } : undefined,
    );
    const repository = `refused/app${status}`;
    try {
      const { host } = proxy;
      const template = `${host}/oci/app:OS-ARCH`;
      expectCode(await push(template, `${host}/${repository}:1`, '--retry', '0'), 0);
    } finally {
      await proxy.stop();
    }
    const posts = proxy.requests.filter(({ method }) => method === 'POST').map(({ url }) => url);
    expect(posts.filter((url) => url.includes('?mount='))).toHaveLength(6);
    expect(posts.filter((url) => !url.includes('?mount='))).toHaveLength(6);
    await expectWhole(source, repository, '1');
  });
});

describe('copy', () => {
  it('promotes a list with its images and attestations, and keeps its digest', async () => {
    const there = `${source.host}/buildx/app`;
    const list = await getManifest(source.host, 'buildx/app', 'amd64');
    const result = await runCli([
      'copy',
      `${there}:amd64`,
      `${target.host}/promoted/app:1`,
      '--tags',
      'latest',
    ]);
    expectCode(result, 0);
    expect(result.stdout).toBe(`Digest: ${list.digest} ${list.size}\n`);
    for (const tag of ['1', 'latest']) await expectWhole(target, 'promoted/app', tag);
    expect((await getManifest(target.host, 'promoted/app', 'latest')).body).toBe(list.body);
  });

  it('moves a tag within a repository with one write', async () => {
    const proxy = await startRecordingProxy(source.host);
    try {
      const app = `${proxy.host}/buildx/app`;
      expectCode(await runCli(['copy', `${app}:amd64`, `${app}:stable`]), 0);
      expect(
        proxy.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD'),
      ).toHaveLength(1);
    } finally {
      await proxy.stop();
    }
  });

  it('takes an image into a layout and back, by tag and by digest', async () => {
    const image = await getManifest(source.host, 'oci/app', 'linux-amd64');
    const layout = `oci-layout://${folder}/image`;
    expectCode(await runCli(['copy', `${source.host}/oci/app@${image.digest}`, `${layout}:1`]), 0);
    expectCode(await runCli(['copy', `${layout}:1`, `${target.host}/image/app:1`]), 0);
    expect((await getManifest(target.host, 'image/app', '1')).body).toBe(image.body);
  });

  it('of what is not there is not found, and of another digest than the target names refused', async () => {
    expectCode(await runCli(['copy', `${source.host}/oci/app:nope`, `${target.host}/x/y:1`]), 3);
    const digest = `sha256:${'0'.repeat(64)}`;
    const other = await runCli([
      'copy',
      `${source.host}/oci/app:linux-amd64`,
      `${target.host}/x/y@${digest}`,
    ]);
    expectCode(other, 2);
    expect(other.stderr).toMatch(/the published content has a different digest, sha256:/);
  });
});
