import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createClient,
  hasPlatforms,
  ManifestToolError,
  parsePlatform,
  parseReference,
  parseSpecs,
  checkSpecs,
  formatSpec,
  platformsMatch,
  sourcesFromTemplate,
  type Client,
  type ClientOptions,
  type Progress,
  type PushRequest,
} from '../../src/index.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';

/** What only a program can do wrong or hand in; what both can do is tested by whole command lines. */

let folder: string;
let silent: Server;
let silentHost: string;
let registry: Registry;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt-library-'));
  await cp('fixtures/layout', path.join(folder, 'source'), { recursive: true });
  // A registry that never answers.
  silent = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  silentHost = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  registry = await startRegistry();
  client = createClient();
});

afterAll(async () => {
  await client.close();
  await registry.stop();
  silent.closeAllConnections();
  silent.close();
  await rm(folder, { recursive: true });
});

const layout = (name: string): string => `oci-layout://${folder}/${name}`;
const amd64 = (): string => layout('source:linux-amd64');
const sources = (): string[] => [amd64(), layout('source:linux-s390x')];

async function index(name: string): Promise<string> {
  const target = layout(name);
  await client.push({ target, sources: sources(), type: 'oci' });
  return target;
}

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** Calls as a program in JavaScript makes them. */
const untyped = (): Record<string, (...args: unknown[]) => Promise<unknown>> => client as never;

describe('an argument of the wrong type is a TypeError that names it', () => {
  test.each<[string, unknown[], string]>([
    ['inspect', [5], 'reference must be a reference (a string or an object), but is 5'],
    [
      'inspect',
      [undefined],
      'reference must be a reference (a string or an object), but is undefined',
    ],
    [
      'inspect',
      ['a', { platfrom: 'linux/arm64' }],
      'options.platfrom is not a known member (did you mean options.platform?)',
    ],
    [
      'inspect',
      ['a', { configs: 'some' }],
      'options.configs must be "all" or "needed", but is "some"',
    ],
    ['inspect', ['a', { signal: {} }], 'options.signal must be an AbortSignal, but is an object'],
    ['inspect', ['a', { signal: [1] }], 'options.signal[0] must be an AbortSignal, but is 1'],
    [
      'inspect',
      ['a', { events: { warning: 1 } }],
      'options.events.warning must be a function, but is 1',
    ],
    [
      'query',
      [{ kind: 'registry', host: 'a' }],
      'reference.repository must be a non-empty string, but is undefined',
    ],
    ['copy', [], 'request must be an object, but is undefined'],
    ['copy', [{ source: 'a' }], 'request.target is missing'],
    [
      'copy',
      [{ source: 'a', target: null }],
      'request.target must be a reference (a string or an object), but is null',
    ],
    ['push', [{ target: 'a', sources: 'b' }], 'request.sources must be an array, but is "b"'],
    ['push', [{ target: 'a', sources: [{}] }], 'request.sources[0].reference is missing'],
    [
      'push',
      [{ target: 'a', sources: ['b'], waitMs: -1 }],
      'request.waitMs must be an integer of at least 0, but is -1',
    ],
    [
      'push',
      [{ target: 'a', sources: ['b'], annotations: { k: 1 } }],
      'request.annotations["k"] must be a string, but is 1',
    ],
    [
      'push',
      [{ target: 'a', sources: ['b'], platforms: [7] }],
      'request.platforms[0] must be a platform (a string or an object), but is 7',
    ],
    [
      'verify',
      ['a', { platforms: 'linux/arm64' }],
      'options.platforms must be an array, but is "linux/arm64"',
    ],
    [
      'verify',
      ['a', { attestations: ['sbomb'] }],
      'options.attestations[0] must be "sbom" or "provenance", but is "sbomb"',
    ],
    [
      'remove',
      [{ target: 'a', entries: { platforms: [{ os: 'linux' }] } }],
      'request.entries.platforms[0].architecture is missing',
    ],
  ])('%s %j', async (method, args, message) => {
    const error = await thrownBy(() => untyped()[method]!(...args));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toBe(message);
  });

  test.each<[object, string]>([
    [{ retires: 2 }, 'options.retires is not a known member (did you mean options.retries?)'],
    [{ retries: 1.5 }, 'options.retries must be an integer of at least 0, but is 1.5'],
    [{ timeoutMs: 0 }, 'options.timeoutMs must be an integer of at least 1, but is 0'],
    [
      { credentials: {} },
      'options.credentials must be an object with a method get, but is an object',
    ],
    [
      { plainHttp: 'a' },
      'options.plainHttp must be a boolean, an array of hosts or a function, but is "a"',
    ],
    [{ env: { HTTPS_PROXY: 1 } }, 'options.env.HTTPS_PROXY must be a string, but is 1'],
    [{ events: { request: true } }, 'options.events.request must be a function, but is true'],
  ])('createClient(%j)', async (options, message) => {
    const error = await thrownBy(() => createClient(options));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toBe(message);
  });
});

describe('a string that a user may have typed wrong is an error USAGE', () => {
  const registryReference = { kind: 'registry', host: 'e.co', repository: 'app' } as const;

  test.each<[string, () => Promise<unknown>]>([
    ['a reference', () => client.inspect('localhost:5000/APP')],
    ['a platform', () => client.inspect('a', { platform: 'linux' })],
    ['a digest', () => client.copy({ source: 'a', target: 'b', expect: 'sha256:1' })],
    [
      'a repository that is a path',
      () => client.query({ ...registryReference, repository: '../../v2/x' }),
    ],
    ['a host with a user', () => client.query({ ...registryReference, host: 'a@e.co' })],
    ['a tag', () => client.query({ ...registryReference, tag: 'a/../b' })],
    ['a layout for checkRegistry', () => client.checkRegistry(layout('source'))],
  ])('%s', async (_, call) => {
    const error = await thrownBy(call);
    expect(error).toBeInstanceOf(ManifestToolError);
    expect(error).toMatchObject({ code: 'USAGE', retriable: false });
  });

  test.each<[string, Partial<PushRequest>, RegExp]>([
    ['tags that are none', { tags: ['1', 'a b'] }, /"a b" is not a valid tag/],
    ['no sources', { sources: [] }, /no images/],
    [
      'one entry of an index, and not which',
      { sources: [{ reference: 'e.co/app', onlyPlatform: true }] },
      /no platform to select from e\.co\/app/,
    ],
  ])('a request with %s', async (_, change, message) => {
    const request = { target: layout('a:1'), sources: [amd64()], ...change };
    await expect(client.push(request)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(folder)).not.toContain('a');
  });
});

test('every result is the same after a round trip through JSON', async () => {
  const target = `${registry.host}/data:1`;
  const events: unknown[] = [];
  const log = (event: unknown): void => void events.push(event);
  const results: Record<string, unknown> = {
    push: await client.push({
      target,
      sources: sources(),
      type: 'oci',
      annotations: new Map([['org.example.a', 'b']]),
      tags: ['2'],
      events: { blob: log, progress: log, read: log, written: log, tagged: log, unchanged: log },
    }),
    unchanged: await client.push({
      target,
      sources: sources(),
      type: 'oci',
      annotations: { 'org.example.a': 'b' },
      events: { unchanged: log },
    }),
    planned: await client.push({ target, sources: [amd64()], dryRun: true }),
    partly: await client.copy({
      source: target,
      target: layout('copied:1'),
      alsoTo: [{ target: `${registry.host}/data:2` }, { target: `${registry.host}/data:1` }],
      noClobber: true,
    }),
    copyTags: await client.copyTags({
      source: `${registry.host}/data`,
      targets: [`${registry.host}/promoted`],
      match: '*',
    }),
    inspect: await client.inspect(target, { referrers: 'all' }),
    inspectImage: await client.inspect(target, { platform: 'linux/s390x' }),
    query: await client.query(target),
    digestOf: await client.digestOf(target, { platform: 'linux/x86_64' }),
    listTags: await client.listTags(`${registry.host}/data`),
    diff: await client.diff(target, amd64(), { config: true }),
    verify: await client.verify(target, { deep: true, atLeast: ['linux/386'], sameLabels: ['x'] }),
    add: await client.add({ target, sources: [layout('source:linux-386')] }),
    annotate: await client.annotate({
      target,
      entries: { platforms: ['linux/386'] },
      annotations: { 'org.example.note': 'tested' },
    }),
    remove: await client.remove({ target, entries: { platforms: ['linux/386'] } }),
    specOf: await client.specOf(target),
    check: await client.checkRegistry(`${registry.host}/checked`, { limits: true, tagsOnly: true }),
    specs: parseSpecs(`image: ${target}\nmanifests:\n  - image: ${amd64()}\n`),
    checkedSpecs: checkSpecs([
      { file: 'a', text: 'image: x\n' },
      {
        file: 'b',
        text: 'image: a/b\nmanifests: [{ image: c/d, platform: { os: linux, architecture: arm64 } }]\n',
      },
    ]),
    sources: sourcesFromTemplate('a/b:OS-ARCH', ['linux/arm64']),
    error: (
      (await thrownBy(() => client.inspect(`${registry.host}/data:none`))) as ManifestToolError
    ).toJSON(),
    events,
  };
  for (const [name, result] of Object.entries(results))
    expect({ [name]: JSON.parse(JSON.stringify(result)) as unknown }).toStrictEqual({
      [name]: result,
    });

  expect(results['unchanged']).toMatchObject({ outcomes: [{ status: 'unchanged' }] });
  expect(results['planned']).toMatchObject({ outcomes: [{ status: 'planned' }] });
  expect(results['partly']).toMatchObject({
    outcomes: [{ status: 'published' }, { status: 'unchanged' }, { status: 'unchanged' }],
  });
  expect(results['verify']).toMatchObject({ status: 'failed' });
  expect(results['inspect']).toMatchObject({
    kind: 'index',
    annotations: { 'org.example.a': 'b' },
    entries: [{ kind: 'image', platform: { architecture: 'amd64' } }, { kind: 'image' }],
  });
  expect(results['checkedSpecs']).toMatchObject([{ status: 'invalid' }, { status: 'valid' }]);
  expect(formatSpec((results['specOf'] as { spec: never }).spec)).toContain('manifests:');
}, 60_000);

describe('a signal', () => {
  test('ends the work of its call, and nothing is left of it', async () => {
    const source = await index('long:1');
    const controller = new AbortController();
    const target = layout('stopped:1');
    const copy = client.copy({
      source,
      target,
      signal: controller.signal,
      events: { blob: () => controller.abort() },
    });
    const error = await thrownBy(() => copy);
    expect(error).toMatchObject({
      code: 'INTERRUPTED',
      message: expect.stringContaining('nothing was published') as string,
    });
    expect((error as Error).cause).toBe(controller.signal.reason);
    await expect(client.query(target)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that comes while blobs are read is no defect of them', async () => {
    const reference = await index('proved:1');
    const controller = new AbortController();
    const { signal } = controller;
    const proof = client.verify(reference, {
      deep: true,
      signal,
      events: { step: () => controller.abort() },
    });
    const error = await thrownBy(() => proof);
    expect(error).toMatchObject({ code: 'INTERRUPTED' });
    expect((error as Error).cause).toBe(signal.reason);
  });

  test.each<[string, (controller: AbortController) => AbortSignal]>([
    ['a timeout', () => AbortSignal.timeout(50)],
    ['a reason of its own', (controller) => (controller.abort('enough'), controller.signal)],
    ['no reason', (controller) => (controller.abort(), controller.signal)],
  ])('with %s is INTERRUPTED, and its reason is the cause', async (_, make) => {
    const signal = make(new AbortController());
    await using own = createClient({ plainHttp: true });
    const error = await thrownBy(() => own.query(`${silentHost}/app`, { signal }));
    expect(error).toMatchObject({ code: 'INTERRUPTED', reference: `${silentHost}/app` });
    expect((error as Error).cause).toBe(signal.reason);
  });

  test.each(['query', 'checkRegistry'] as const)(
    'of several ends %s, and a timeout that nothing else refers to is not lost',
    async (method) => {
      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      await using own = createClient({ plainHttp: true });
      const signal = [new AbortController().signal, AbortSignal.timeout(300)];
      const call = own[method](`${silentHost}/app`, { signal: signal.splice(0) });
      const ended = thrownBy(() => call);
      await new Promise((resolve) => setTimeout(resolve, 50));
      collectGarbage();
      expect(await ended).toMatchObject({ code: 'INTERRUPTED', cause: { name: 'TimeoutError' } });
    },
  );

  test('of several that is aborted already ends the call before it begins', async () => {
    const signal = [new AbortController().signal, AbortSignal.abort(new Error('enough'))];
    const error = await thrownBy(() => client.query(amd64(), { signal }));
    expect(error).toMatchObject({ code: 'INTERRUPTED', cause: { message: 'enough' } });
  });

  test('of one call leaves the others alone, which share its blobs', async () => {
    const source = await index('shared:1');
    const first = new AbortController();
    const second = new AbortController();
    const target = `${registry.host}/shared`;
    const aborted = client.copy({
      source,
      target: `${target}:1`,
      signal: first.signal,
      events: { blob: ({ state }) => state === 'started' && first.abort(new Error('enough')) },
    });
    const other = client.copy({ source, target: `${target}:2`, signal: second.signal });
    await expect(aborted).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(other).resolves.toMatchObject({ outcomes: [{ status: 'published' }] });
    expect((await client.verify(`${target}:2`, { deep: true })).status).toBe('passed');
  });
});

describe('createClient', () => {
  test.each<[string, ClientOptions['plainHttp'], string]>([
    ['for all', true, 'http:'],
    ['for none', false, 'https:'],
    ['for those in a list', ['other.example', 'HOST'], 'http:'],
    ['for none but those in a list', ['other.example'], 'https:'],
    ['for those that a function names', (name) => name === silentHost, 'http:'],
  ])('speaks plain HTTP %s', async (_, rule, protocol) => {
    const plainHttp = Array.isArray(rule)
      ? rule.map((each) => each.replace('HOST', silentHost))
      : rule!;
    const tried: string[] = [];
    await using own = createClient({
      plainHttp,
      // Says that TLS is meant for a host of this machine.
      insecure: true,
      events: { request: ({ url }) => tried.push(new URL(url).protocol) },
    });
    const query = own.query(`${silentHost}/app`, { signal: AbortSignal.timeout(300) });
    await expect(query).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await own.close();
    expect(tried[0]).toBe(protocol);
  });

  test('checks certificates but for the hosts that are named', async () => {
    const secure = await startRegistry({ tls: true });
    try {
      const ask = async (options: ClientOptions): Promise<unknown> => {
        await using own = createClient({ ...options, retries: 0 });
        return await thrownBy(() => own.query(`${secure.host}/app`));
      };
      expect(await ask({ insecure: [secure.host] })).toMatchObject({ code: 'NOT_FOUND' });
      const untrusted = { code: 'UNAVAILABLE', reason: 'certificate-untrusted', retriable: false };
      expect(await ask({ insecure: ['other.example'] })).toMatchObject(untrusted);
      // A file of the environment is read if the program hands the environment in.
      const env = { SSL_CERT_FILE: secure.caFile };
      expect(await ask({ env })).toMatchObject({ code: 'NOT_FOUND' });
    } finally {
      await secure.stop();
    }
  });

  test('reports each retry before its wait', async () => {
    const retries: unknown[] = [];
    const events: ClientOptions['events'] = { retry: (event) => retries.push(event) };
    await using own = createClient({ retries: 1, retryDelayMs: 1, events });
    await expect(own.query('127.0.0.1:1/app')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(retries).toMatchObject([{ host: '127.0.0.1:1', attempt: 2, attempts: 2 }]);
  });

  test('says that it is closed, and ends what is in progress', async () => {
    const own = createClient({ plainHttp: true });
    const running = own.query(`${silentHost}/app`);
    await own.close();
    await expect(running).rejects.toMatchObject({
      code: 'INTERRUPTED',
      why: 'the client was closed',
    });
    await expect(own.query(amd64())).rejects.toMatchObject({
      code: 'USAGE',
      why: 'the client is closed',
    });
  });
});

describe('an error', () => {
  test('says what the registry answered', async () => {
    const reference = `${registry.host}/nothing:1`;
    const error = await thrownBy(() => client.inspect(reference));
    expect(error).toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }],
      reference,
      retriable: false,
    });
  });

  test('of one source names that source', async () => {
    const missing = `${registry.host}/nothing:2`;
    const target = `${registry.host}/other:1`;
    const error = await thrownBy(() => client.copy({ source: missing, target }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', reference: missing });
  });

  test('of one of several sources, or of a source in the repository of the target, names it', async () => {
    const [present, missing] = ['1', '2'].map((tag) => `${registry.host}/of-several:${tag}`);
    await client.copy({ source: amd64(), target: present! });
    const error = { code: 'NOT_FOUND', reference: missing };
    const target = `${registry.host}/other:1`;
    await expect(
      client.push({ target, sources: [present!, { reference: missing! }] }),
    ).rejects.toMatchObject(error);
    await expect(client.copy({ source: missing!, target: present! })).rejects.toMatchObject(error);
    await expect(
      client.add({ target: await index('added:1'), sources: [missing!] }),
    ).rejects.toMatchObject(error);
  });

  test('is retriable if the registry cannot be reached', async () => {
    await using own = createClient({ retries: 0 });
    const error = await thrownBy(() => own.query('127.0.0.1:1/app'));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retriable: true });
  });

  test('of the credential store reaches the caller unchanged', async () => {
    const guarded = await startRegistry({ htpasswd: true });
    try {
      const thrown = new Error('the vault is sealed');
      await using own = createClient({ credentials: { get: () => Promise.reject(thrown) } });
      expect(await thrownBy(() => own.query(`${guarded.host}/app`))).toBe(thrown);
      await using denied = createClient({
        credentials: {
          get: () =>
            Promise.resolve({ kind: 'password', source: 'test', username: 'no', password: 'no' }),
        },
      });
      expect(await thrownBy(() => denied.query(`${guarded.host}/app`))).toMatchObject({
        code: 'DENIED',
        status: 401,
      });
      await using allowed = createClient({
        credentials: {
          get: () => Promise.resolve({ kind: 'password', source: 'test', ...USER }),
        },
      });
      await allowed.copy({ source: amd64(), target: `${guarded.host}/app:1` });
    } finally {
      await guarded.stop();
    }
  });
});

test('progress adds up to totals that are reached', async () => {
  const seen: Progress[] = [];
  await client.push({
    target: `${registry.host}/progress:1`,
    sources: sources(),
    events: { progress: (progress) => void seen.push(progress) },
  });
  const last = seen.at(-1)!;
  expect(last.totalBlobs).toBe(4);
  expect([last.blobs, last.bytes]).toEqual([last.totalBlobs, last.totalBytes]);
  expect(last.totalBytes).toBeGreaterThan(0);
  expect(seen.every(({ bytes, totalBytes }) => bytes <= totalBytes)).toBe(true);
});

describe('untag', () => {
  test('deletes tags, keeps manifests, and says what failed', async () => {
    const [first, second, missing] = ['1', '2', '3'].map((tag) => layout(`untag:${tag}`));
    const { root } = await client.copy({ source: amd64(), target: first!, tags: ['2'] });
    const failures: unknown[] = [];
    const outcomes = await client.untag({
      references: [first!, parseReference(missing!)],
      events: { targetFailed: ({ target }) => failures.push(target) },
    });
    expect(outcomes).toStrictEqual([
      { status: 'deleted', reference: first, digest: root.digest },
      {
        status: 'failed',
        reference: missing,
        error: expect.objectContaining({ code: 'NOT_FOUND', reference: missing }) as unknown,
      },
    ]);
    expect(failures).toEqual([missing]);
    expect(await client.listTags(layout('untag'))).toEqual(['2']);
    expect(await client.digestOf(second!)).toEqual(root);
  });

  test.each(['registry', 'layout'])('refuses what is not expected in a %s', async (kind) => {
    const repository = kind === 'registry' ? `${registry.host}/expected` : layout('expected');
    const reference = `${repository}:1`;
    const { digest } = (await client.copy({ source: amd64(), target: reference })).root;
    const other = `sha256:${'0'.repeat(64)}`;
    const why = expect.stringContaining(`it now points to ${digest}`) as string;
    const error = { code: 'REFUSED', why, reference };
    for (const dryRun of [true, false])
      expect(await client.untag({ references: [reference], expect: other, dryRun })).toMatchObject([
        { status: 'failed', reference, error },
      ]);
    const planned = await client.untag({ references: [reference], expect: digest, dryRun: true });
    expect(planned).toStrictEqual([{ status: 'planned', reference, digest }]);
    expect(await client.listTags(repository)).toEqual(['1']);
  });

  test('is aborted by its signal, and deletes nothing', async () => {
    const reference = layout('kept:1');
    await client.copy({ source: amd64(), target: reference });
    const request = { references: [reference], signal: AbortSignal.abort() };
    await expect(client.untag(request)).rejects.toMatchObject({ code: 'INTERRUPTED', reference });
    expect(await client.listTags(layout('kept'))).toEqual(['1']);
  });
});

describe('platforms', () => {
  test('are read from strings, and nothing else', async () => {
    expect(parsePlatform('linux/x86_64')).toEqual({ os: 'linux', architecture: 'amd64' });
    const error = await thrownBy(() => parsePlatform(1 as never));
    expect(error).toEqual(new TypeError('text must be a string, but is 1'));
  });

  test.each([
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/aarch64', 'linux/arm64', true],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/amd64', 'windows/amd64', false],
  ])('%s and %s: %s', (a, b, isMatch) => {
    expect(platformsMatch(a, parsePlatform(b))).toBe(isMatch);
    expect(hasPlatforms([a, 'linux/386'], [b])).toBe(isMatch);
  });

  test('are given as objects as well', async () => {
    const { platform } = await client.inspect(await index('described:1'), {
      platform: { os: 'linux', architecture: 's390x' },
    });
    expect(platform).toEqual(parsePlatform('linux/s390x'));
    expect((await client.digestOf(parseReference(amd64()))).digest).toMatch(/^sha256:/);
  });
});
