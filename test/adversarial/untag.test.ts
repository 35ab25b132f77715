import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { FakeRegistry } from './support/fake-registry.js';
import {
  failure,
  startScripted,
  type Answer,
  type Reply,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/** What a registry does with the deletion of a tag. */
type Behaviour = 'tag' | 'manifest' | 'tags' | 'last' | 'ignored' | Reply;

/** A registry that deletes manifests, and tags in several ways. */
class Deleting extends FakeRegistry {
  behaviour: Behaviour = 'tag';

  override answer(request: Seen): Reply {
    const [, repository = '', kind = '', reference = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs)\/(?!uploads\/)(.*)$/.exec(request.path) ?? [];
    if (request.method !== 'DELETE' || kind === '') return super.answer(request);
    if (kind === 'blobs')
      return { status: this.blobs.delete(`${repository}@${reference}`) ? 202 : 404 };
    return reference.includes(':')
      ? this.removeManifest(repository, reference)
      : this.removeTag(repository, reference);
  }

  private removeTag(repository: string, tag: string): Reply {
    const { behaviour } = this;
    if (typeof behaviour === 'object') return behaviour;
    const held = this.manifests.get(`${repository}:${tag}`);
    if (held === undefined) return failure(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const tags = this.tagsOf(repository, held.digest);
    if (behaviour === 'ignored') return { status: 202 };
    if (behaviour === 'tags') for (const each of tags) this.manifests.delete(each);
    this.manifests.delete(`${repository}:${tag}`);
    if (behaviour === 'manifest' || (behaviour === 'last' && tags.length === 1))
      this.manifests.delete(`${repository}@${held.digest}`);
    return { status: 202 };
  }

  private removeManifest(repository: string, digest: string): Reply {
    if (!this.manifests.delete(`${repository}@${digest}`)) return { status: 404 };
    for (const name of this.tagsOf(repository, digest)) this.manifests.delete(name);
    return { status: 202 };
  }

  private tagsOf(repository: string, digest: string): string[] {
    return [...this.manifests].flatMap(([name, each]) =>
      name.startsWith(`${repository}:`) && each.digest === digest ? [name] : [],
    );
  }

  /** Everything that it holds. */
  content(): string[] {
    return [...this.manifests.keys(), ...this.blobs.keys()].toSorted();
  }
}

let server: ScriptedServer;
let registry: Deleting;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted(() => ({ status: 500 }));
});

beforeEach(() => {
  registry = new Deleting();
  registry.addPlatforms('app', 2);
  special = () => undefined;
  server.requests.length = 0;
  server.script = (request) => special(request) ?? registry.answer(request);
});

afterAll(() => server.stop());

const untag = (names: readonly string[], ...options: string[]) =>
  runCli(['untag', '--retry', '0', ...options, ...names.map((name) => `${server.host}/${name}`)]);

const deletions = (): string[] =>
  server.requests.flatMap(({ method, path }) =>
    method === 'DELETE' && path.includes('/manifests/') ? [path.split('/').at(-1)!] : [],
  );

describe('untag', () => {
  it('deletes tags alone, after one trial for a repository, and nothing is left of it', async () => {
    const before = registry.content();
    const result = await untag(['app:linux-amd64', 'app:linux-arm64']);
    expectCode(result, 0);
    expect(registry.content()).toEqual(before.filter((name) => !name.startsWith('app:linux-a')));
    const own = deletions().filter((name) => name.startsWith('manifest-tool-'));
    expect(own.map((name) => name.slice(-1))).toEqual(['0', '1', '2']);
    expect(result.stdout.split('\n').map((line) => line.split(/ {2,}/)[2])).toEqual([
      'deleted',
      'deleted',
      undefined,
    ]);
  });

  it.each<[string, Behaviour, string]>([
    ['deletes the manifest with a tag', 'manifest', 'deletes a manifest together with its tag'],
    ['deletes all tags together', 'tags', 'deletes all tags of a manifest together'],
    [
      'deletes a manifest with its last tag',
      'last',
      'deletes a manifest together with its last tag',
    ],
    [
      'accepts the deletion and does nothing',
      'ignored',
      'accepted the deletion of a tag (status 202), but kept the tag',
    ],
    [
      'refuses it (405)',
      failure(405, 'UNSUPPORTED', 'not supported'),
      'does not delete tags (status 405, UNSUPPORTED: not supported)',
    ],
    [
      'refuses it (400)',
      failure(400, 'DIGEST_INVALID', 'bad digest'),
      'does not delete tags (status 400, DIGEST_INVALID: bad digest)',
    ],
    ['refuses it (403)', failure(403, 'DENIED', 'denied'), 'does not delete tags'],
  ])('leaves everything as it was if the registry %s', async (_, behaviour, message) => {
    registry.behaviour = behaviour;
    const before = registry.content();
    const result = await untag(['app:linux-amd64', 'app:linux-arm64']);
    expectCode(result, 6);
    expect(result.stderr).toContain(`the registry ${message}`);
    expect(result.stderr).toContain('deleting 2 tags failed: all 2 failed');
    expect(registry.content()).toEqual(before);
  });

  it('writes nothing to a registry that refuses every deletion', async () => {
    registry.behaviour = failure(405, 'UNSUPPORTED', 'not supported');
    expectCode(await untag(['app:linux-amd64']), 6);
    expect(server.requests.filter(({ method }) => method !== 'GET' && method !== 'DELETE')).toEqual(
      [],
    );
  });

  it('names test tags that could not be deleted', async () => {
    registry.behaviour = 'ignored';
    special = ({ method, path }) =>
      method === 'DELETE' && path.includes('/manifests/sha256:') ? { status: 405 } : undefined;
    const result = await untag(['app:linux-amd64']);
    expectCode(result, 6);
    expect(result.stderr).toMatch(
      /warning: test tags could not be deleted: \S+\/app:manifest-tool-[0-9a-f]{12}-1, \S+-2/,
    );
  });

  it('writes a manifest again that was deleted with its tag after all', async () => {
    const before = registry.content();
    special = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/linux-amd64')) registry.behaviour = 'manifest';
      return undefined;
    };
    const result = await untag(['app:linux-amd64']);
    expectCode(result, 6);
    expect(result.stderr).toContain('so both were written again');
    expect(registry.content()).toEqual(before);
  });

  it('refuses a single tag that the registry protects, and goes on with the others', async () => {
    special = ({ method, path }) =>
      method === 'DELETE' && path.endsWith('/linux-amd64')
        ? failure(409, 'DENIED', 'tag is immutable')
        : undefined;
    const result = await untag(['app:linux-amd64', 'app:linux-arm64', 'app:gone'], '--json');
    expectCode(result, 1);
    const { deleted, failed } = JSON.parse(result.stdout) as {
      deleted: { reference: string }[];
      failed: { error: { code: string } }[];
    };
    expect(deleted.map(({ reference }) => reference)).toEqual([`${server.host}/app:linux-arm64`]);
    expect(failed.map(({ error }) => error.code)).toEqual(['REFUSED', 'NOT_FOUND']);
  });

  it('ends with the code of missing rights, and writes nothing', async () => {
    special = ({ method }) =>
      method === 'DELETE' ? failure(401, 'UNAUTHORIZED', 'authentication required') : undefined;
    const result = await untag(['app:linux-amd64']);
    expectCode(result, 4);
    expect(server.requests.some(({ method }) => method === 'PUT')).toBe(false);
  });

  it('deletes nothing in a dry run', async () => {
    const before = registry.content();
    const result = await untag(['app:linux-amd64'], '--dry-run');
    expectCode(result, 0);
    expect(result.stdout).toContain('would be deleted');
    expect(registry.content()).toEqual(before);
    expect(server.requests.every(({ method }) => method === 'GET')).toBe(true);
  });

  it.each([
    [['app'], 2, 'the reference has no tag'],
    [[`app@sha256:${'0'.repeat(64)}`], 2, 'the reference has a digest'],
    [['app:linux-amd64', 'app:linux-amd64'], 2, 'it is listed twice'],
    [['app:gone'], 3, 'not found'],
  ])('refuses %j', async (names, code, message) => {
    const result = await untag(names);
    expectCode(result, code);
    expect(result.stderr).toContain(message);
    expect(deletions()).toEqual([]);
  });

  it('says that Docker Hub does not delete tags, without asking it', async () => {
    const result = await runCli(['untag', 'team/app:1.0']);
    expectCode(result, 6);
    expect(result.stderr).toContain('Docker Hub does not delete tags through the registry API');
  });
});

describe('push --untag-sources', () => {
  const sources = ['linux-amd64', 'linux-arm64'];
  const names = (): string[] => sources.map((tag) => `${server.host}/app:${tag}`);
  const CREATE = ['create', '--retry', '0', '--untag-sources', '--target'];
  const create = (target: string, ...options: string[]) =>
    runCli([...CREATE, `${server.host}/${target}`, ...options, ...names()]);
  const tags = (): string[] =>
    [...registry.manifests.keys()].flatMap((name) => /^app:(.*)/.exec(name)?.[1] ?? []);

  it('deletes the tags of the sources after success', async () => {
    const result = await create('app:1.0', '--json');
    expectCode(result, 0);
    expect(tags()).toEqual(['1.0']);
    const { untagged } = JSON.parse(result.stdout) as { untagged: { name: string }[] };
    expect(untagged.map(({ name }) => name)).toEqual(names());
    expectCode(await runCli(['verify', `${server.host}/app:1.0`]), 0);
  });

  it('works for push from-args, push from-spec and add', async () => {
    const { host } = server;
    const options = ['--retry', '0', '--untag-sources'];
    const args = ['--platforms', 'linux/amd64,linux/arm64', '--template', `${host}/app:OS-ARCH`];
    expectCode(
      await runCli(['push', ...options, 'from-args', ...args, '--target', `${host}/app:1`]),
      0,
    );
    expect(tags()).toEqual(['1']);
    registry.addPlatforms('app', 2);
    const manifests = names().map((image) => ({ image }));
    const spec = JSON.stringify({ image: `${host}/app:2`, manifests });
    expectCode(await runCli(['push', ...options, 'from-spec', '-'], { stdin: spec }), 0);
    expect(tags()).toEqual(['1', '2']);
    registry.addImage('app', 'linux-s390x', { os: 'linux', architecture: 's390x' });
    expectCode(await runCli(['add', ...options, `${host}/app:2`, `${host}/app:linux-s390x`]), 0);
    expect(tags()).toEqual(['1', '2']);
  });

  it('keeps tags that it has published, digests, and tags of other registries', async () => {
    const other = await startScripted((request) => registry.answer(request));
    try {
      const { digest } = registry.manifests.get('app:linux-arm64')!;
      const images = [
        `${server.host}/app:linux-amd64`,
        `${server.host}/app@${digest}`,
        `${other.host}/app:linux-arm64`,
      ];
      const published = `${server.host}/app:1.0`;
      const result = await runCli([...CREATE, published, '-t', 'linux-amd64', ...images]);
      expectCode(result, 0);
      expect(tags()).toEqual(['linux-amd64', 'linux-arm64', '1.0']);
      expect(result.stderr).toContain(
        `${other.host}/app:linux-arm64 keeps its tag: it is not in the registry of the target`,
      );
    } finally {
      await other.stop();
    }
  });

  it('deletes nothing in a dry run, and shows what it would delete', async () => {
    const before = registry.content();
    const result = await create('app:1.0', '--dry-run');
    expectCode(result, 0);
    for (const name of names()) expect(result.stdout).toContain(`tag ${name} would be deleted\n`);
    expect(registry.content()).toEqual(before);
    expect(deletions()).toEqual([]);
  });

  it('keeps the tags if the publish fails', async () => {
    special = ({ method, path }) =>
      method === 'PUT' && path.endsWith('/1.0') ? failure(403, 'DENIED', 'no') : undefined;
    expectCode(await create('app:1.0'), 4);
    expect(tags()).toEqual(sources);
    expect(deletions()).toEqual([]);
  });

  it('warns of a registry that does not delete tags, and fails with --strict', async () => {
    registry.behaviour = failure(405, 'UNSUPPORTED', 'not supported');
    const warned = await create('app:1.0');
    expectCode(warned, 0);
    expect(warned.stderr).toContain('warning: deleting');
    expect(warned.stderr).toContain(
      'does not delete tags (status 405, UNSUPPORTED: not supported); the tag is kept',
    );
    expect(warned.stdout).toMatch(/^Digest: \S+ \d+\n$/);
    const strict = await create('app:1.0', '--strict');
    expectCode(strict, 6);
    expect(strict.stdout).toMatch(/^Digest: \S+ \d+\n$/);
    expect(tags()).toEqual([...sources, '1.0']);
  });

  it('keeps a tag that has moved since it was read', async () => {
    special = ({ method, path }) => {
      if (method === 'PUT' && path.endsWith('/1.0'))
        registry.addImage('app', 'linux-arm64', {
          os: 'linux',
          architecture: 'arm64',
          text: 'new',
        });
      return undefined;
    };
    const result = await create('app:1.0');
    expectCode(result, 0);
    expect(tags()).toEqual(['linux-arm64', '1.0']);
    expect(result.stderr).toContain('linux-arm64 failed: the tag has moved');
  });
});
