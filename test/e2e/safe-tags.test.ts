import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host, {
    repositories: ['docker/app', 'perplat/linux-amd64/app'],
  });
  folder = await mkdtemp(path.join(tmpdir(), 'safe-tags-'));
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

function push(platforms: string, tag: string, ...options: string[]) {
  const app = `${registry.host}/docker/app`;
  const args = ['push', 'from-args', '--platforms', platforms, '--template', `${app}:OS-ARCH`];
  return runCli([...args, '--target', `${app}:${tag}`, ...options]);
}

async function held(tag: string): Promise<string | undefined> {
  const { status, digest } = await getManifest(registry.host, 'docker/app', tag);
  return status === 200 ? digest : undefined;
}

describe('--no-clobber', () => {
  it('publishes under a tag that does not exist, and moves none that does', async () => {
    expectCode(await push('linux/amd64', 'kept', '--no-clobber'), 0);
    const before = await held('kept');
    const refused = await push('linux/s390x', 'kept', '--no-clobber', '--tags', 'fresh');
    expectCode(refused, 6);
    expect(refused.stderr).toMatch(
      /^manifest-tool: publishing \S+\/docker\/app:kept failed: the tag exists and points to sha256:[0-9a-f]{64}, not to sha256:[0-9a-f]{64}$/m,
    );
    expect(await held('kept')).toBe(before);
    expect(await held('fresh')).toBeUndefined();
  });

  it('takes a tag that names the list already for done', async () => {
    expectCode(await push('linux/amd64', 'again', '--no-clobber'), 0);
    const again = await push('linux/amd64', 'again', '--no-clobber');
    expectCode(again, 0);
    expect(again.stderr).toMatch(/^unchanged /m);
  });

  it('looks again right before the tag moves', async () => {
    // Another one publishes between the first look and the put: the last request for the
    // configuration is its sign.
    let hasMoved = false;
    const proxy = await startRecordingProxy(registry.host, ({ url }) => {
      if (url.includes('/blobs/') && !hasMoved) {
        hasMoved = true;
        void push('linux/s390x', 'raced');
        return { delayMs: 1500 };
      }
      return undefined;
    });
    try {
      const app = `${proxy.host}/docker/app`;
      const args = [
        'push',
        'from-args',
        '--platforms',
        'linux/amd64',
        '--template',
        `${app}:OS-ARCH`,
      ];
      const result = await runCli([...args, '--target', `${app}:raced`, '--no-clobber']);
      expectCode(result, 6);
    } finally {
      await proxy.stop();
    }
  });
});

describe('--expect', () => {
  it('moves a tag only from the digest that is named', async () => {
    expectCode(await push('linux/amd64', 'expected'), 0);
    const before = (await held('expected'))!;
    const other = `sha256:${'0'.repeat(64)}`;
    const refused = await push('linux/s390x', 'expected', '--expect', other);
    expectCode(refused, 6);
    expect(refused.stderr).toContain(
      `the tag points to ${before}, but is expected to point to ${other}`,
    );
    expect(await held('expected')).toBe(before);
    expectCode(await push('linux/s390x', 'expected', '--expect', before), 0);
    expect(await held('expected')).not.toBe(before);
  });

  it('refuses a tag that does not exist, and a text that is no digest', async () => {
    expectCode(await push('linux/amd64', 'nowhere', '--expect', `sha256:${'0'.repeat(64)}`), 6);
    const wrong = await push('linux/amd64', 'nowhere', '--expect', 'latest');
    expectCode(wrong, 2);
    expect(wrong.stderr).toMatch(/reading --expect "latest" failed/);
  });
});

describe('--dry-run', () => {
  it('writes nothing, and says what it would write and which tags would move from what to what', async () => {
    expectCode(await push('linux/amd64', 'dry'), 0);
    const before = (await held('dry'))!;
    const proxy = await startRecordingProxy(registry.host);
    try {
      const app = `${proxy.host}/docker/app`;
      const args = ['push', 'from-args', '--dry-run', '--platforms', 'linux/s390x'];
      const names = ['--template', `${app}:OS-ARCH`, '--target', `${proxy.host}/docker/app:dry`];
      const result = await runCli([...args, ...names, '--tags', 'new']);
      expectCode(result, 0);
      // An upload is opened and canceled, to check the right to push.
      const writes = proxy.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
      expect(writes.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
      expect(result.stdout).toMatch(/^image linux\/s390x sha256:\S+ exists as \S+:linux-s390x$/m);
      expect(result.stdout).toMatch(
        new RegExp(`^tag \\S+:dry would move from ${before} to sha256:[0-9a-f]{64}$`, 'm'),
      );
      expect(result.stdout).toMatch(
        /^tag \S+:new is new, and would point to sha256:[0-9a-f]{64}$/m,
      );
      expect(result.stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/m);
    } finally {
      await proxy.stop();
    }
    expect(await held('dry')).toBe(before);
    expect(await held('new')).toBeUndefined();
  });
});

describe('the result', () => {
  it('is a document with --json, and goes to files', async () => {
    const digestFile = path.join(folder, 'digest');
    const metadataFile = path.join(folder, 'metadata.json');
    await writeFile(
      digestFile,
      'what was there before, and is longer than any digest could ever be '.repeat(3),
    );
    const files = ['--digestfile', digestFile, '--metadata-file', metadataFile];
    const result = await push(
      'linux/amd64,linux/s390x',
      'result',
      '--tags',
      'result2',
      '--json',
      ...files,
    );
    expectCode(result, 0);
    const document = JSON.parse(result.stdout) as {
      digest: string;
      size: number;
      tags: { name: string; from: string | null; status: string }[];
      images: { platform: string; written: boolean }[];
    };
    expect(document.digest).toBe(await held('result'));
    expect(document.tags).toMatchObject([
      { name: `${registry.host}/docker/app:result`, from: null, status: 'moved' },
      { name: `${registry.host}/docker/app:result2`, from: null, status: 'moved' },
    ]);
    expect(document.images.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/s390x']);
    expect(await readFile(digestFile, 'utf8')).toBe(document.digest);
    expect(JSON.parse(await readFile(metadataFile, 'utf8'))).toMatchObject({
      'containerimage.descriptor': { digest: document.digest, size: document.size },
      'image.name': `${registry.host}/docker/app`,
    });
  });

  it('that cannot be written is found out before anything is published', async () => {
    const result = await push(
      'linux/amd64',
      'unwritten',
      '--digestfile',
      path.join(folder, 'no/such/file'),
    );
    expectCode(result, 2);
    expect(result.stderr).toMatch(/^manifest-tool: writing --digestfile \S+ failed: /);
    expect(await held('unwritten')).toBeUndefined();
  });
});
