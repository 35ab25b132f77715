import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { basic } from '../support/http.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { json, startScripted, type ScriptedServer, type Seen } from './support/scripted.js';

const folder = new Folder();
const TOKEN = 'token-of-the-tests';
let server: ScriptedServer;
let registry: FakeRegistry;
/** The challenge that the registry sends to requests without a token. */
let challenge: string | string[] | undefined;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('x');
  server.script = (request) => {
    if (request.path === '/t') return json(200, { token: TOKEN });
    if (request.headers.authorization === `Bearer ${TOKEN}`) return registry.answer(request);
    const headers = challenge === undefined ? {} : { 'www-authenticate': challenge };
    return { status: 401, headers };
  };
});

afterAll(() => server.stop());

const tokenRequests = (): Seen[] => server.requests.filter(({ path }) => path === '/t');
const registryRequests = (): Seen[] => server.requests.filter(({ path }) => path !== '/t');

function push(): ReturnType<typeof runCli> {
  const { host } = server;
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
  return runCli(pushArguments(`${host}/x`, `${host}/x`), { env });
}

describe('test 1: challenges', () => {
  it.each([
    [
      'two in one line',
      (): string =>
        `BASIC realm="a, b", Bearer realm="${server.url}/t",service="s",scope="repository:x:pull,push"`,
    ],
    [
      'the other order',
      (): string =>
        `bearer REALM="${server.url}/t", Service=s, scope="repository:x:pull,push", Basic realm="a, b"`,
    ],
    [
      'two lines',
      (): string[] => [
        'Basic realm="a, b"',
        `Bearer realm="${server.url}/t",service="s",scope="repository:x:pull,push"`,
      ],
    ],
    [
      'Negotiate before it',
      (): string[] => ['Negotiate', `Bearer realm="${server.url}/t",service="s"`],
    ],
    [
      'a token68 before it',
      (): string => `Negotiate YWJjZA==, Bearer realm="${server.url}/t",service="s"`,
    ],
    ['a relative realm', (): string => 'Bearer realm="/t",service="s"'],
    ['an escape in a quoted text', (): string => `Bearer realm="${server.url}\\/t",service="\\s"`],
    ['the scope of Gitea', (): string => `Bearer realm="${server.url}/t",service="s",scope="*"`],
  ])('%s: one token for that scope, and no password to the registry', async (_, make) => {
    challenge = make();
    const result = await push();
    expectCode(result, 0);
    expect(tokenRequests()).toHaveLength(1);
    const [asked] = tokenRequests();
    expect(asked!.method).toBe('GET');
    expect(asked!.query.get('service')).toBe('s');
    expect(asked!.query.getAll('scope')).toEqual(['repository:x:pull,push']);
    expect(asked!.headers.authorization).toBe(basic('alice', 'secret-word'));
    for (const { headers } of registryRequests())
      expect(headers.authorization ?? '').not.toMatch(/basic/i);
  });

  it('leaves a service out that is not there', async () => {
    challenge = `Bearer realm="${server.url}/t"`;
    expectCode(await push(), 0);
    expect(tokenRequests()[0]!.query.has('service')).toBe(false);
  });

  it('BASIC in capitals gets the password, once it has asked', async () => {
    challenge = 'BASIC realm="Sonatype Nexus Repository Manager"';
    server.script = (request) =>
      request.headers.authorization === basic('alice', 'secret-word')
        ? registry.answer(request)
        : { status: 401, headers: { 'www-authenticate': challenge } };
    expectCode(await push(), 0);
    expect(server.requests[0]!.headers.authorization).toBeUndefined();
  });

  it.each([
    ['no challenge', undefined],
    ['a challenge that nobody knows', 'Digest realm="x", nonce="abc"'],
    ['a Bearer without a realm', 'Bearer service="s"'],
    ['rubbish', '"",,=;Bearer'],
  ])('%s: refused, and no password goes anywhere', async (_, offered) => {
    challenge = offered;
    const result = await push();
    expectCode(result, 4);
    expect(result.stderr).toContain('/x');
    expect(server.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });

  it('of a thousand parameters and a long unclosed quote ends in time', async () => {
    challenge = `Basic ${'a="b", '.repeat(1000)}c="${'x\\'.repeat(10_000)}`;
    expect((await push()).code).not.toBe(0);
  });
});

describe('scopes', () => {
  it('an inspect never asks for more than pull', async () => {
    challenge = `Bearer realm="${server.url}/t",service="s",scope="repository:x:pull"`;
    const { host } = server;
    const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
    expectCode(await runCli(['inspect', `${host}/x:linux-amd64`], { env }), 0);
    expect(tokenRequests().flatMap(({ query }) => query.getAll('scope'))).toEqual([
      'repository:x:pull',
    ]);
  });

  it('test 13: the first token asks for the target first, the sources after, and mounts succeed', async () => {
    challenge = `Bearer realm="${server.url}/t",service="s"`;
    registry.addPlatforms('source');
    server.script = (request) => {
      if (request.path === '/t')
        return json(200, { token: request.query.getAll('scope').join(' ').replaceAll(' ', '~') });
      const granted = (request.headers.authorization ?? '').replace('Bearer ', '').split('~');
      const [, name = ''] = /^\/v2\/(.+?)\/(?:manifests|blobs)\//.exec(request.path) ?? [];
      const wanted = [`repository:${name}:${name === 'source' ? 'pull' : 'pull,push'}`];
      if (request.query.has('from')) wanted.push(`repository:${request.query.get('from')!}:pull`);
      return wanted.every((scope) => granted.includes(scope))
        ? registry.answer(request)
        : {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${server.url}/t",service="s"` },
          };
    };
    const { host } = server;
    const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
    expectCode(await runCli(pushArguments(`${host}/source`, `${host}/target`), { env }), 0);
    expect(tokenRequests()).toHaveLength(1);
    expect(tokenRequests()[0]!.query.getAll('scope')).toEqual([
      'repository:target:pull,push',
      'repository:source:pull',
    ]);
    const blobTraffic = server.requests.filter(
      ({ method, path }) => path.includes('/target/blobs/') && method !== 'POST',
    );
    expect(blobTraffic).toEqual([]);
  });

  it('a token server that refuses because of one scope is asked for what the request needs alone', async () => {
    challenge = `Bearer realm="${server.url}/t",service="s"`;
    registry.addPlatforms('source');
    server.script = (request) => {
      if (request.path === '/t') {
        const scopes = request.query.getAll('scope');
        return scopes.length > 1 ? json(400, {}) : json(200, { token: TOKEN });
      }
      return request.headers.authorization === `Bearer ${TOKEN}`
        ? registry.answer(request)
        : { status: 401, headers: { 'www-authenticate': challenge } };
    };
    const { host } = server;
    const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
    // Mounts need two scopes, so blobs are uploaded.
    const images = await runCli(pushArguments(`${host}/source`, `${host}/target`), { env });
    expect(images.stderr).not.toMatch(/reading \S+ failed/);
    const manifests = server.requests.filter(
      ({ path, headers }) => path.includes('/source/manifests/') && headers.authorization,
    );
    expect(manifests).toHaveLength(2);
  });
});
