import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, spawnCli, type CliResult } from '../support/cli.js';
import { DOCKER_LIST, FakeRegistry, OCI_INDEX, OCI_MANIFEST } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type Reply,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/** A registry of today: it also deletes, makes several tags at once and lists referrers. */
class NewRegistry extends FakeRegistry {
  override answer(request: Seen): Reply {
    const { method, path, query } = request;
    const [, repository = '', kind = '', reference = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs|referrers)\/(.*)$/.exec(path) ?? [];
    if (kind === 'referrers') return this.referrers(repository, reference);
    if (method === 'DELETE' && !reference.startsWith('uploads/'))
      return this.remove(repository, kind, reference);
    const tags = query.getAll('tag');
    const answer = super.answer(request);
    if (method !== 'PUT' || kind !== 'manifests' || tags.length === 0) return answer;
    for (const tag of tags)
      this.manifests.set(`${repository}:${tag}`, this.manifests.get(`${repository}@${reference}`)!);
    return { ...answer, headers: { ...answer.headers, 'oci-tag': tags.join(', ') } };
  }

  private referrers(repository: string, subject: string): Reply {
    const manifests = [...this.manifests]
      .filter(([name]) => name.startsWith(`${repository}@`))
      .map(([, manifest]) => manifest)
      .filter(({ bytes }) => subjectOf(bytes) === subject)
      .map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length }));
    const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    return json(200, document, { 'content-type': OCI_INDEX });
  }

  /** As strict as registries are: nothing is deleted that a tag or a list still names. */
  private remove(repository: string, kind: string, reference: string): Reply {
    if (kind === 'blobs')
      return { status: this.blobs.delete(`${repository}@${reference}`) ? 202 : 404 };
    if (!reference.includes(':'))
      return { status: this.manifests.delete(`${repository}:${reference}`) ? 202 : 404 };
    const others = [...this.manifests].filter(([name]) => name !== `${repository}@${reference}`);
    const isNamed = others.some(
      ([name, { digest, bytes }]) =>
        (name.startsWith(`${repository}:`) && digest === reference) ||
        childrenOf(bytes).includes(reference),
    );
    if (isNamed) return failure(409, 'DENIED', 'manifest is referenced');
    return { status: this.manifests.delete(`${repository}@${reference}`) ? 202 : 404 };
  }
}

interface Manifest {
  readonly subject?: { readonly digest: string };
  readonly manifests?: { readonly digest: string }[];
}

const parse = (bytes: Buffer): Manifest => JSON.parse(bytes.toString()) as Manifest;
const subjectOf = (bytes: Buffer): string | undefined => parse(bytes).subject?.digest;
const childrenOf = (bytes: Buffer): string[] =>
  (parse(bytes).manifests ?? []).map(({ digest }) => digest);

const folder = new Folder();
let server: ScriptedServer;
let registry: NewRegistry;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => special(request) ?? registry.answer(request));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new NewRegistry();
  special = () => undefined;
});

afterAll(() => server.stop());

const check = (...args: string[]): Promise<CliResult> =>
  runCli(['check-registry', '--retry-delay', '5ms', ...args, `${server.host}/team/app`]);

interface Document {
  readonly checks: { name: string; result: string; detail: string }[];
  readonly limits: { manifest: { accepted: number; refused: number | null } } | null;
  readonly leftovers: string[];
}

const read = ({ stdout }: CliResult): Document => JSON.parse(stdout) as Document;
const of = (result: CliResult, wanted: string) =>
  read(result).checks.find(({ name }) => name === wanted)!;
const namesOf = (result: CliResult, how: string): string[] =>
  read(result)
    .checks.filter((each) => each.result === how)
    .map(({ name }) => name);

/** Refuses writes of manifests of these types. */
const refusing =
  (types: readonly string[], reply: Reply) =>
  ({ method, path, headers }: Seen): Answer | undefined =>
    method === 'PUT' && path.includes('/manifests/') && types.includes(headers['content-type']!)
      ? reply
      : undefined;

describe('a registry that does all', () => {
  it('is all yes, and nothing is left of the check', async () => {
    const result = await check('--json');
    expectCode(result, 0);
    expect(namesOf(result, 'no')).toEqual([]);
    expect(namesOf(result, 'not tried')).toEqual(['authentication']);
    expect(of(result, 'several-tags').detail).toBe('told in OCI-Tag');
    expect(read(result).leftovers).toEqual([]);
    expect([...registry.manifests.keys(), ...registry.blobs.keys()]).toEqual([]);
  });

  it('and --tags-only: nothing else is written, moved or deleted', async () => {
    registry.addPlatforms('team/app', 3);
    const before = [...registry.manifests.keys(), ...registry.blobs.keys()];
    const result = await check('--json', '--tags-only');
    expectCode(result, 0);
    expect(namesOf(result, 'not tried')).toEqual(['authentication', 'mount']);
    expect([...registry.manifests.keys(), ...registry.blobs.keys()]).toEqual(before);
    for (const { path, method } of server.requests) {
      expect(path).toMatch(/^\/v2\/(team\/app\/|$)/);
      if (method === 'PUT' || method === 'DELETE')
        expect(path).toMatch(/\/(uploads\/|sha256:|check-[0-9a-f]{12}-)/);
    }
  });

  it('is sent together what does not need an answer', async () => {
    let [now, most] = [0, 0];
    special = ({ method }) => {
      if (method !== 'POST') return undefined;
      now += 1;
      most = Math.max(most, now);
      return undefined;
    };
    server.script = async (request) => {
      const answer = special(request) ?? registry.answer(request);
      await sleep(30);
      if (request.method === 'POST') now -= 1;
      return answer;
    };
    await check();
    server.script = (request) => special(request) ?? registry.answer(request);
    expect(server.requests[0]!.path).toBe('/v2/');
    const uploads = server.requests.filter(({ method, query }) => {
      return method === 'POST' && !query.has('mount');
    });
    expect(most).toBe(uploads.length);
  });
});

describe('a registry that refuses', () => {
  it('OCI: Docker lists are enough', async () => {
    const reply = failure(415, 'MANIFEST_INVALID', 'unknown media type');
    special = refusing([OCI_INDEX, OCI_MANIFEST], reply);
    const result = await check('--json');
    expectCode(result, 0);
    expect(of(result, 'oci-image').result).toBe('no');
    expect(of(result, 'oci-image').detail).toBe('status 415, MANIFEST_INVALID: unknown media type');
    expect(of(result, 'docker-list').result).toBe('yes');
    expect(of(result, 'oci-index')).toMatchObject({
      result: 'not tried',
      detail: 'needs OCI image',
    });
    expect(of(result, 'nested-index')).toMatchObject({ detail: 'needs OCI index' });
    expect(read(result).leftovers).toEqual([]);
  });

  it('Docker images: OCI indexes are enough', async () => {
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    special = refusing([type, DOCKER_LIST], failure(400, 'UNSUPPORTED', 'no'));
    const result = await check('--json');
    expectCode(result, 0);
    expect(of(result, 'push-by-digest').result).toBe('yes');
    expect(of(result, 'docker-list').result).toBe('not tried');
  });

  it('all lists: exit code 6, after the table', async () => {
    special = refusing([OCI_INDEX, DOCKER_LIST], failure(400, 'UNSUPPORTED', 'no lists'));
    const result = await check('--tags-only');
    expectCode(result, 6);
    expect(result.stdout).toMatch(/^no +OCI index +status 400, UNSUPPORTED: no lists$/m);
    expect(result.stdout).toMatch(/^yes +OCI image$/m);
    expect(result.stderr).toMatch(
      /^manifest-tool: checking \S+\/team\/app failed: it accepts neither [^\n]+\nhint: [^\n]+\n$/,
    );
  });

  it('everything: no, and all else is not tried', async () => {
    special = ({ method }) =>
      method === 'POST' ? failure(405, 'UNSUPPORTED', 'read only') : undefined;
    const result = await check('--json');
    expectCode(result, 6);
    expect(of(result, 'blobs')).toMatchObject({ detail: 'status 405, UNSUPPORTED: read only' });
    expect(namesOf(result, 'no')).toEqual(['blobs']);
    expect(namesOf(result, 'yes')).toEqual(['version']);
    expect(registry.manifests.size).toBe(0);
  });

  it.each([
    failure(403, 'DENIED', 'This tag is immutable'),
    failure(412, 'PRECONDITION', 'configured as immutable'),
  ])('to move a tag (%#)', async (reply) => {
    const written = new Set<string>();
    special = ({ method, path }) => {
      if (method !== 'PUT' || !path.endsWith('-moves')) return undefined;
      if (written.has(path)) return reply;
      written.add(path);
      return undefined;
    };
    const result = await check('--json');
    expectCode(result, 0);
    expect(namesOf(result, 'no')).toEqual(['tag-moves']);
    expect(of(result, 'tag-moves').detail).toContain('immutable');
    expect(read(result).leftovers).toEqual([]);
  });

  it('mounts: an upload that it opens instead is given up', async () => {
    special = ({ path, query }) =>
      query.has('mount')
        ? { status: 202, headers: { location: `${path}session-of-mount` } }
        : undefined;
    const result = await check('--json');
    expectCode(result, 0);
    expect(namesOf(result, 'no')).toEqual(['mount']);
    expect(of(result, 'mount').detail).toMatch(/^status 202/);
    const given = server.requests.filter(({ path }) => path.endsWith('session-of-mount'));
    expect(given.map(({ method }) => method)).toEqual(['DELETE']);
  });
});

describe('a registry that says yes and does not do it', () => {
  it.each<[string, string, (request: Seen) => Answer | undefined]>([
    [
      'a tag stays where it is',
      'tag-moves',
      ({ method, path }) =>
        method === 'PUT' &&
        path.endsWith('-moves') &&
        registry.manifests.has(path.replace('/v2/', '').replace('/manifests/', ':'))
          ? { status: 201 }
          : undefined,
    ],
    [
      'a list is gone',
      'annotations',
      ({ method, path }) =>
        method === 'GET' && path.endsWith('-annotations')
          ? failure(404, 'MANIFEST_UNKNOWN', 'gone')
          : undefined,
    ],
    [
      'one of two tags is made',
      'several-tags',
      ({ method, path }) =>
        method !== 'DELETE' && path.endsWith('-two-of-two') ? { status: 404 } : undefined,
    ],
    [
      'a tag is not deleted',
      'delete-tag',
      ({ method, path }) =>
        method === 'DELETE' && path.endsWith('-delete-tag') ? { status: 202 } : undefined,
    ],
    [
      'what refers is not listed',
      'referrers',
      ({ path }) =>
        path.includes('/referrers/')
          ? json(200, { schemaVersion: 2, manifests: [] }, { 'content-type': OCI_INDEX })
          : undefined,
    ],
  ])('%s', async (_, name, script) => {
    special = script;
    const result = await check('--json');
    expectCode(result, 0);
    expect(namesOf(result, 'no')).toEqual([name]);
    expect(of(result, name).detail).toMatch(/^taken \(status 20\d\), but /);
  });

  it('other bytes come back', async () => {
    special = ({ method, path }) => {
      if (method !== 'GET' || !path.endsWith('-oci-index')) return undefined;
      const body = '{"schemaVersion":2,"manifests":[]}';
      return { status: 200, headers: { 'content-type': OCI_INDEX }, body };
    };
    const result = await check('--json');
    expect(of(result, 'oci-index')).toMatchObject({ result: 'no' });
    expect(of(result, 'oci-index').detail).toMatch(
      /but reading it back failed: it has the digest sha256:/,
    );
  });
});

describe('deletion', () => {
  it('that is agreed to and does not happen is named', async () => {
    special = ({ method, path }) =>
      method === 'DELETE' && path.includes('/manifests/check-') ? { status: 405 } : undefined;
    const result = await check('--json', '--tags-only');
    expectCode(result, 0);
    const { leftovers } = read(result);
    expect(leftovers).toContainEqual(expect.stringMatching(/\/team\/app:check-\S+-oci-index$/));
    const held = [...registry.manifests.keys()].filter((name) => !name.includes('@'));
    const named = leftovers.filter((name) => !name.includes('@'));
    expect(named.toSorted()).toEqual(held.map((name) => `${server.host}/${name}`).toSorted());
    expect(result.stderr).toMatch(/^manifest-tool: warning: left in [^\n]+\n$/);
  });

  it('takes place after a failure, which is told', async () => {
    special = ({ method, path }) =>
      method === 'PUT' && path.endsWith('-nested-index')
        ? failure(503, 'UNAVAILABLE', 'maintenance')
        : undefined;
    const result = await check();
    expectCode(result, 5);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^manifest-tool: writing \S+-nested-index failed: .*503/m);
    expect(server.requests.some(({ method }) => method === 'DELETE')).toBe(true);
    expect(registry.manifests.size).toBe(0);
  });

  it('takes place after an interrupt, of what was under way too', async () => {
    const controller = new AbortController();
    special = ({ method, path }) => {
      if (method !== 'PUT' || !path.endsWith('-nested-index')) return undefined;
      controller.abort();
      return 'hang';
    };
    const args = ['check-registry', '--tags-only', `${server.host}/team/app`];
    const result = await runCli(args, { signal: controller.signal });
    expectCode(result, 130);
    expect(result.stdout).toBe('');
    expect(registry.manifests.size).toBe(0);
    // Whether that one arrives after its deletion nobody can know.
    expect(result.stderr).toMatch(/left in \S+ \(it is not known[^)]*\): \S+-nested-index/);
    expect(result.stderr).toMatch(/^manifest-tool: checking \S+ failed: it was interrupted$/m);
  });

  it('takes place after a signal, before the process is ended', async () => {
    special = ({ method, path }) =>
      method === 'PUT' && path.endsWith('-moves') ? 'hang' : undefined;
    const { child, done } = spawnCli(['check-registry', `${server.host}/team/app`]);
    const isReached = (): boolean => server.requests.some(({ path }) => path.endsWith('-moves'));
    await expect.poll(isReached, { timeout: 60_000 }).toBe(true);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await done;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/failed: it was interrupted$/m);
    // On a busy machine not all is deleted in time. A manifest is named by its tag, if that is left as well.
    const left = [...registry.manifests].map(([name, { digest }]) => {
      const reference = name.slice(name.search(/[:@]/) + 1);
      return { reference, digest, isNamed: stderr.includes(reference) };
    });
    const named = new Set(left.flatMap(({ digest, isNamed }) => (isNamed ? [digest] : [])));
    expect(left.filter(({ digest, isNamed }) => !isNamed && !named.has(digest))).toEqual([]);
    expect(
      left.filter(({ reference, isNamed }) => !isNamed && !reference.includes('sha256:')),
    ).toEqual([]);
    expect(server.requests.some(({ method }) => method === 'DELETE')).toBe(true);
  });
});

describe('the way to a registry is no property of it', () => {
  it.each([
    ['401', 4, failure(401, 'UNAUTHORIZED', 'who?'), /docker login/],
    ['403', 4, failure(403, 'DENIED', 'not you'), /docker login/],
    ['404', 3, failure(404, 'NAME_UNKNOWN', 'no such repository'), /--tags-only/],
    ['503', 5, failure(503, 'UNAVAILABLE', 'later'), undefined],
    ['429', 5, failure(429, 'TOOMANYREQUESTS', 'later'), undefined],
  ] as const)('%s at the first upload', async (_, code, reply, hint) => {
    special = ({ method }) => (method === 'POST' ? reply : undefined);
    const result = await check();
    expectCode(result, code);
    expect(result.stdout).toBe('');
    if (hint !== undefined)
      expect(result.stderr).toMatch(new RegExp(`^hint: .*${hint.source}`, 'm'));
  });

  it('a web page is no registry', async () => {
    special = () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' });
    const result = await check();
    expectCode(result, 5);
    expect(result.stderr).toContain('not a registry');
  });

  it('a user who may not write beside the repository is shown the way', async () => {
    special = ({ method, headers }) => {
      const basic = { 'www-authenticate': 'Basic realm="r"' };
      if (headers.authorization === undefined) return { status: 401, headers: basic };
      return method === 'POST' ? failure(403, 'DENIED', 'not here') : undefined;
    };
    const config = folder.dockerConfig(auths(server.host, 'alice', 'secret-word'));
    const args = ['check-registry', `${server.host}/team/app`];
    const result = await runCli(args, { env: { DOCKER_CONFIG: config } });
    expectCode(result, 4);
    expect(result.stderr).toMatch(/^hint: .*--tags-only/m);
  });
});

describe('what a registry says', () => {
  const words = 'bad \u001b[31m \u009b0m \u202e secret-word';

  it('acts on no terminal, is exact in JSON, and shows no secret', async () => {
    const args = ['-u', 'alice', '-p', 'secret-word'];
    special = refusing([OCI_INDEX], failure(400, 'MANIFEST_INVALID', words));
    const human = await check(...args);
    expectCode(human, 0);
    const acting = ['\u001b', '\u009b', '\u202e'];
    for (const char of acting) expect(human.stdout + human.stderr).not.toContain(char);
    expect(human.stdout).toContain('bad \\u001b[31m');
    const machine = await check('--json', ...args);
    expect(of(machine, 'oci-index').detail).toContain(words.slice(0, words.indexOf('secret')));
    for (const { stdout, stderr } of [human, machine])
      expect(stdout + stderr).not.toContain('secret-word');
  });

  it('is cut where it is long', async () => {
    special = refusing([OCI_INDEX], failure(400, 'MANIFEST_INVALID', 'x'.repeat(20_000)));
    const { stdout } = await check();
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(500);
  });
});

describe('--limits', () => {
  const KIB = 1024;
  const tooLarge =
    (limit: number, answer: Answer) =>
    ({ method, path, body }: Seen): Answer | undefined =>
      method === 'PUT' && path.includes('/manifests/') && body.length > limit ? answer : undefined;

  it.each<[string, number, Answer, RegExp]>([
    ['413', 300_000, { status: 413 }, /status 413/],
    ['a code', 64 * KIB, failure(400, 'SIZE_INVALID', 'too large'), /SIZE_INVALID/],
    ['a connection that is cut', 128 * KIB, 'reset', /reached|closed|reset/],
  ])('%s', async (_, limit, answer, words) => {
    special = tooLarge(limit, answer);
    const result = await check('--limits', '--json');
    expectCode(result, 0);
    const { accepted, refused } = read(result).limits!.manifest;
    expect(accepted).toBeLessThanOrEqual(limit);
    expect(refused).toBeGreaterThan(limit);
    expect(refused! - accepted).toBeLessThanOrEqual(KIB);
    expect(of(result, 'manifest-size').detail).toMatch(words);
    expect(read(result).leftovers).toEqual([]);
    expect(registry.manifests.size).toBe(0);
  });

  it('none up to 8 MiB', async () => {
    const result = await check('--limits', '--json');
    expect(read(result).limits).toEqual({ manifest: { accepted: 8 * KIB * KIB, refused: null } });
  });

  it('a registry that is busy has no limit there', async () => {
    special = tooLarge(100 * KIB, { status: 429 });
    const result = await check('--limits', '--retry', '1');
    expectCode(result, 5);
    expect(registry.manifests.size).toBe(0);
  });

  it('is not looked for unless it is asked for', async () => {
    const result = await check('--json');
    expect(read(result).limits).toBeNull();
    expect(of(result, 'manifest-size')).toBeUndefined();
    expect(Math.max(...server.requests.map(({ body }) => body.length))).toBeLessThan(4 * KIB);
  });
});

describe('a deletion', () => {
  const isDeletion = ({ method, path }: Seen): boolean =>
    method === 'DELETE' && path.includes('/manifests/');
  const tagsOf = (repository: string): string[] =>
    [...registry.manifests.keys()].filter((name) => name.startsWith(`${repository}:`));
  const referenceIn = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

  it('that is answered 404, of what is gone, is one', async () => {
    special = (request) => {
      if (!isDeletion(request)) return undefined;
      registry.answer(request);
      return failure(404, 'MANIFEST_UNKNOWN', 'gone');
    };
    const result = await check('--json', '--tags-only');
    expectCode(result, 0);
    expect(of(result, 'delete-tag').result).toBe('yes');
    expect(of(result, 'delete-manifest').result).toBe('yes');
    expect(read(result).leftovers).toEqual([]);
  });

  it('that is answered 404, of what is still there, is a no, and named', async () => {
    special = (request) =>
      isDeletion(request) ? failure(404, 'UNSUPPORTED', 'no route') : undefined;
    const result = await check('--json');
    expectCode(result, 0);
    expect(of(result, 'delete-tag')).toMatchObject({ result: 'no' });
    expect(of(result, 'delete-tag').detail).toContain('no route');
    expect(read(result).leftovers.length).toBeGreaterThan(5);
  });

  it('of a tag that takes the manifest along leaves nothing to name', async () => {
    special = (request) => {
      if (!isDeletion(request)) return undefined;
      const reference = referenceIn(request.path);
      if (reference.includes(':')) return undefined;
      const repository = request.path.slice('/v2/'.length, request.path.indexOf('/manifests/'));
      const manifest = registry.manifests.get(`${repository}:${reference}`);
      if (manifest === undefined) return { status: 404 };
      for (const [name, { digest }] of registry.manifests)
        if (digest === manifest.digest) registry.manifests.delete(name);
      return { status: 202 };
    };
    registry.addPlatforms('team/app', 3);
    const before = [...registry.manifests.keys()];
    const result = await check('--json', '--tags-only');
    expectCode(result, 0);
    expect(of(result, 'delete-tag')).toMatchObject({
      result: 'yes',
      detail: 'what it named is deleted with it',
    });
    expect(read(result).leftovers).toEqual([]);
    expect([...registry.manifests.keys()]).toEqual(before);
  });

  /** Deletes the tag that was made last beside the one that is named. */
  const taking = (request: Seen): Answer | undefined => {
    if (!isDeletion(request) || referenceIn(request.path).includes(':')) return undefined;
    const answer = registry.answer(request);
    const last = tagsOf('team/app').at(-1);
    if (last !== undefined) registry.manifests.delete(last);
    return answer;
  };

  it('that takes other tags along is not repeated', async () => {
    registry.addPlatforms('team/app', 3);
    special = taking;
    const result = await check('--json', '--tags-only');
    expectCode(result, 0);
    expect(of(result, 'delete-tag')).toMatchObject({ result: 'no' });
    expect(of(result, 'delete-tag').detail).toContain('tags of other images');
    expect(of(result, 'delete-manifest').result).toBe('not tried');
    expect(server.requests.filter(isDeletion)).toHaveLength(1);
    for (const tag of ['linux-amd64', 'linux-arm64', 'linux-s390x'])
      expect(registry.manifests.has(`team/app:${tag}`)).toBe(true);
    expect(read(result).leftovers).toContainEqual(expect.stringContaining('-oci-index'));
  });

  it('that takes other tags along is not repeated after a failure either', async () => {
    registry.addPlatforms('team/app', 3);
    special = (request) =>
      request.method === 'PUT' && request.path.endsWith('-nested-index')
        ? failure(503, 'UNAVAILABLE', 'maintenance')
        : taking(request);
    expectCode(await check('--tags-only'), 5);
    expect(server.requests.filter(isDeletion).length).toBeLessThanOrEqual(1);
    for (const tag of ['linux-amd64', 'linux-arm64', 'linux-s390x'])
      expect(registry.manifests.has(`team/app:${tag}`)).toBe(true);
  });

  it.each([401, 403, 405, 501])('that is refused with %i is a no', async (status) => {
    special = (request) => (isDeletion(request) ? failure(status, 'X', 'no') : undefined);
    const result = await check('--json');
    expectCode(result, 0);
    expect(of(result, 'delete-tag').result).toBe('no');
    expect(of(result, 'delete-manifest').result).toBe('no');
  });
});

describe('a server that fails is not a registry that refuses', () => {
  const REQUESTS: [string, (request: Seen) => boolean][] = [
    ['the version', ({ path }) => path === '/v2/'],
    ['an upload', ({ method, path }) => method === 'POST' && path.endsWith('/uploads/')],
    ['a blob', ({ method, path }) => method === 'PUT' && path.includes('/blobs/')],
    ['an image', ({ method, path }) => method === 'PUT' && path.endsWith('-oci-amd64')],
    ['a read', ({ method, path }) => method === 'GET' && path.endsWith('-oci-amd64')],
    ['a mount', ({ query }) => query.has('mount')],
    ['referrers', ({ path }) => path.includes('/referrers/')],
    ['a deletion', ({ method, path }) => method === 'DELETE' && path.includes('/manifests/')],
  ];

  it.each(
    REQUESTS.flatMap(([name, is]) => [500, 507, 520].map((status) => [name, status, is] as const)),
  )('%s: %i is exit code 5', async (_, status, is) => {
    special = (request) => (is(request) ? failure(status, 'UNKNOWN', 'failed') : undefined);
    const result = await check('--json', '--retry', '0');
    expectCode(result, 5);
    expect(result.stderr).toContain(`status ${status}`);
  });
});
