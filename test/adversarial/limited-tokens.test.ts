import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic } from '../support/http.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, base64, Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Reply,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/*
 * Token servers that handle one scope of a request, registries that send a challenge at `/v2/`
 * alone, challenges of proxies, and redirects to registries that want an anonymous token.
 */

const folder = new Folder();
let server: ScriptedServer;
let registry: FakeRegistry;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
});

afterAll(() => server.stop());

const PASSWORD = basic('alice', 'secret-word');
const env = (): Record<string, string> => ({
  DOCKER_CONFIG: folder.dockerConfig(auths(server.host, 'alice', 'secret-word')),
});

const tokenRequests = (): Seen[] => server.requests.filter(({ path }) => path === '/t');
const versions = (): Seen[] => server.requests.filter(({ path }) => path === '/v2/');
const mounts = (): Seen[] => server.requests.filter(({ query }) => query.has('mount'));

/** What a request needs: `repository:NAME:pull` or `push`, and the source of a mount. */
function needed({ method, path, query }: Seen): string[] {
  const name = /^\/v2\/(.+?)\/(?:manifests|blobs|referrers|tags)\//.exec(path)?.[1] ?? '';
  const from = query.get('from');
  const action = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
  const own = `repository:${name}:${action}`;
  return from === null ? [own] : [own, `repository:${from}:pull`];
}

const challenge = (scopes: readonly string[], extra = ''): string => {
  const scope = scopes.length === 0 ? '' : `,scope="${scopes.join(' ')}"`;
  return `Bearer realm="${server.url}/t",service="s"${scope}${extra}`;
};

const grantedBy = (authorization: string | undefined): string[] | undefined => {
  const token = authorization?.replace('Bearer ', '');
  return token === undefined ? undefined : JSON.parse(Buffer.from(token, 'base64').toString());
};

const covers = (granted: readonly string[], scope: string): boolean => {
  const [, name, actions = ''] = scope.split(':');
  return granted.some((each) => {
    const [, held, has = ''] = each.split(':');
    return held === name && actions.split(',').every((action) => has.split(',').includes(action));
  });
};

type Handle = (scopes: readonly string[]) => readonly string[] | undefined;
/** How a token server handles several scopes; undefined is a refusal with 400. */
const SERVERS: readonly (readonly [string, Handle])[] = [
  ['the first scope only', (scopes) => scopes.slice(0, 1)],
  ['the last scope only', (scopes) => scopes.slice(-1)],
  ['no more than one scope', (scopes) => (scopes.length > 1 ? undefined : scopes)],
];

interface Guard {
  /** Status of a refusal with a token. */
  readonly status?: number;
  /** The scopes that the challenge of a refusal names. */
  readonly named?: (needs: readonly string[]) => readonly string[];
}

function guard(handle: Handle, { status = 401, named = (needs) => needs }: Guard = {}): void {
  let count = 0;
  server.script = (request) => {
    if (request.path === '/t') {
      if (request.headers.authorization !== PASSWORD) return json(401, {});
      const scopes = handle(request.query.getAll('scope'));
      if (scopes === undefined) return json(400, {});
      return json(200, { token: base64(JSON.stringify([...scopes, `n${(count += 1)}::`])) });
    }
    const needs = needed(request);
    const granted = grantedBy(request.headers.authorization);
    if (granted !== undefined && needs.every((scope) => covers(granted, scope)))
      return registry.answer(request);
    const headers = { 'www-authenticate': challenge(named(needs)) };
    return { status: granted === undefined ? 401 : status, headers };
  };
}

describe.each(SERVERS)('a token server that handles %s', (_, handle) => {
  it.each<[string, Guard]>([
    ['a 401 that names the scope', {}],
    ['a 401 that names none', { named: () => [] }],
    ['a 403 that names the scope', { status: 403 }],
  ])('push from two other repositories, after %s', async (_what, options) => {
    registry.addImage('team/one', 'linux-amd64', { architecture: 'amd64' });
    registry.addImage('team/two', 'linux-arm64', { architecture: 'arm64', text: 'two' });
    guard(handle, options);
    const { host } = server;
    const args = ['create', '--target', `${host}/team/out:1`, '--retry-delay', '5ms'];
    const sources = [`${host}/team/one:linux-amd64`, `${host}/team/two:linux-arm64`];
    expectCode(await runCli([...args, ...sources], { env: env() }), 0);
    expect(registry.manifests.has('team/out:1')).toBe(true);
    expect(registry.blobs.size).toBeGreaterThanOrEqual(8);
    // One for each repository, two for mounts and the one that was asked for all.
    expect(tokenRequests().length).toBeLessThanOrEqual(12);
  });

  it('copy between two repositories: a mount without its token is an upload', async () => {
    registry.addImage('team/one', '1');
    guard(handle);
    const { host } = server;
    const args = ['copy', `${host}/team/one:1`, `${host}/team/out:1`, '--retry-delay', '5ms'];
    expectCode(await runCli(args, { env: env() }), 0);
    expect(registry.manifests.has('team/out:1')).toBe(true);
    expect(mounts().length).toBeLessThanOrEqual(4);
  });
});

describe('a token that covers less than was asked for', () => {
  it('is asked for once alone, and what is refused then is final', async () => {
    registry.addPlatforms('team/app');
    guard(() => []);
    const { host } = server;
    const args = pushArguments(`${host}/team/app`, `${host}/team/out`);
    const result = await runCli(args, { env: env() });
    expectCode(result, 4);
    expect(result.stderr).toContain('repository:team/');
    // For each repository: all of them, and one alone.
    expect(tokenRequests().length).toBeLessThanOrEqual(5);
  });

  it('gets no more tokens for what was accepted: an expired one is renewed as it was', async () => {
    registry.addPlatforms('team/app', 4);
    const uses = new Map<string, number>();
    server.script = (request) => {
      if (request.path === '/t') return json(200, { token: `t${tokenRequests().length}` });
      const { authorization } = request.headers;
      const count = (uses.get(authorization ?? '') ?? 0) + 1;
      uses.set(authorization ?? '', count);
      if (authorization !== undefined && count <= 6) return registry.answer(request);
      return { status: 401, headers: { 'www-authenticate': challenge(needed(request)) } };
    };
    const { host } = server;
    const args = pushArguments(`${host}/team/app`, `${host}/team/app`, { count: 4 });
    expectCode(await runCli(args, { env: env() }), 0);
    for (const { query } of tokenRequests())
      expect(query.getAll('scope')).toEqual(['repository:team/app:pull,push']);
  });
});

describe('a registry whose only challenge is at /v2/', () => {
  const TOKEN = 'token-of-the-tests';

  /** Answers requests without the right authorization with this, and `/v2/` with a challenge. */
  function hide(refusal: Reply, offered: string, accepted: string): void {
    server.script = (request) => {
      if (request.path === '/t') return json(200, { token: TOKEN });
      if (request.headers.authorization === accepted) return registry.answer(request);
      if (request.path !== '/v2/') return refusal;
      return { status: 401, headers: { 'www-authenticate': offered } };
    };
  }

  const inspect = (withCredentials = true): Promise<CliResult> =>
    runCli(['inspect', `${server.host}/team/app:linux-amd64`, '--retry-delay', '5ms'], {
      env: withCredentials ? env() : {},
    });

  const REFUSALS: readonly (readonly [string, Reply])[] = [
    ['404', json(404, { errors: [{ code: 'NAME_UNKNOWN', message: 'unknown' }] })],
    ['403', json(403, {})],
    ['401 without challenge', { status: 401 }],
    [
      '401 with a challenge that nobody knows',
      { status: 401, headers: { 'www-authenticate': 'X' } },
    ],
  ];

  describe.each(REFUSALS)('and which answers %s', (_, refusal) => {
    it.each([
      ['Bearer', () => challenge([]), `Bearer ${TOKEN}`],
      ['Bearer for the catalogue', () => challenge(['registry:catalog:*']), `Bearer ${TOKEN}`],
      ['Basic', () => 'Basic realm="x"', PASSWORD],
    ])('is asked there once: %s', async (_scheme, offered, accepted) => {
      registry.addPlatforms('team/app');
      hide(refusal, offered(), accepted);
      expectCode(await inspect(), 0);
      expect(versions()).toHaveLength(1);
    });

    it('is asked there once in a push of many images', async () => {
      registry.addPlatforms('team/app', 10);
      hide(refusal, challenge([]), `Bearer ${TOKEN}`);
      const { host } = server;
      const args = pushArguments(`${host}/team/app`, `${host}/team/out`, { count: 10 });
      expectCode(await runCli(args, { env: env() }), 0);
      expect(versions()).toHaveLength(1);
      expect(tokenRequests()).toHaveLength(1);
    });
  });

  it('is not asked there without credentials, and the answer stays what it was', async () => {
    hide(json(404, {}), challenge([]), `Bearer ${TOKEN}`);
    expectCode(await inspect(false), 3);
    expect(versions()).toHaveLength(0);
  });

  it('that has no challenge there either: the answer stays what it was', async () => {
    server.script = ({ path }) => (path === '/v2/' ? { status: 200 } : json(404, {}));
    expectCode(await inspect(), 3);
    expect(versions()).toHaveLength(1);
    expect(server.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });

  it('that fails there: the answer stays what it was', async () => {
    server.script = ({ path }) => (path === '/v2/' ? 'reset' : json(404, {}));
    expectCode(await inspect(), 3);
  });

  it('what is absent with the credentials too is absent', async () => {
    hide(json(404, {}), challenge([]), `Bearer ${TOKEN}`);
    const result = await inspect();
    expectCode(result, 3);
    expect(result.stderr).not.toMatch(/log in/);
  });
});

describe('a Basic challenge after Bearer', () => {
  /** A registry with tokens; `isOdd` requests are answered 401 with Basic by something before it. */
  function proxied(isOdd: (request: Seen, count: number) => boolean, token = () => 'tok'): void {
    let count = 0;
    server.script = (request) => {
      if (request.path === '/t') return json(200, { token: token() });
      count += 1;
      if (isOdd(request, count))
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="proxy"' } };
      if (request.headers.authorization?.startsWith('Bearer') === true)
        return registry.answer(request);
      return { status: 401, headers: { 'www-authenticate': challenge([]) } };
    };
  }

  it.each([2, 3, 5, 8])('for request %i: that one is sent again with its token', async (odd) => {
    registry.addPlatforms('team/app', 3);
    proxied((_, count) => count === odd);
    const { host } = server;
    const args = pushArguments(`${host}/team/app`, `${host}/team/app`, { count: 3 });
    expectCode(await runCli(args, { env: env() }), 0);
    for (const { path, headers } of server.requests)
      if (path !== '/t') expect(headers.authorization ?? '').not.toMatch(/basic/i);
  });

  it('for all writes: they get the password', async () => {
    registry.addPlatforms('team/app', 2);
    const isWrite = ({ method }: Seen): boolean => method !== 'GET' && method !== 'HEAD';
    proxied((request) => isWrite(request) && request.headers.authorization !== PASSWORD);
    const original = server.script;
    server.script = (request) =>
      isWrite(request) && request.headers.authorization === PASSWORD
        ? registry.answer(request)
        : original(request);
    const { host } = server;
    const args = pushArguments(`${host}/team/app`, `${host}/team/app`);
    expectCode(await runCli(args, { env: env() }), 0);
    expect(registry.manifests.has('team/app:out')).toBe(true);
  });
});

describe('a redirect to another registry', () => {
  let mirror: ScriptedServer;

  beforeAll(async () => {
    mirror = await startScripted(({ path }) => json(500, { path }));
  });

  afterAll(() => mirror.stop());

  it.each([
    ['that names a scope', ',scope="repository:cache/app:pull"', ['repository:cache/app:pull']],
    ['that names none', '', ['repository:cache/app:pull']],
  ])('gets an anonymous token for a challenge %s', async (_, extra, scopes) => {
    registry.addPlatforms('team/app');
    mirror.requests.length = 0;
    mirror.script = (request) => {
      if (request.path === '/anonymous') return json(200, { token: 'nobody' });
      if (request.headers.authorization !== 'Bearer nobody') {
        const realm = `Bearer realm="${mirror.url}/anonymous",service="m"${extra}`;
        return { status: 401, headers: { 'www-authenticate': realm } };
      }
      return registry.answer({ ...request, path: request.path.replace('cache/', 'team/') });
    };
    server.script = (request) => {
      if (request.path === '/t') return json(200, { token: 'alices' });
      if (request.headers.authorization !== 'Bearer alices')
        return { status: 401, headers: { 'www-authenticate': challenge([]) } };
      const location = `${mirror.url}${request.url.replace('team/', 'cache/')}`;
      return { status: 307, headers: { location } };
    };
    const name = `${server.host}/team/app:linux-amd64`;
    expectCode(await runCli(['inspect', name], { env: env() }), 0);
    const asked = mirror.requests.filter(({ path }) => path === '/anonymous');
    expect(asked.map(({ query }) => query.getAll('scope'))).toEqual([scopes]);
    for (const { headers, url } of mirror.requests) {
      expect(['Bearer nobody', undefined]).toContain(headers.authorization);
      expect(url).not.toMatch(/alice|secret/);
    }
  });

  it('that wants a password gets none', async () => {
    mirror.requests.length = 0;
    mirror.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="m"' } });
    server.script = ({ url }) => ({ status: 307, headers: { location: `${mirror.url}${url}` } });
    const name = `${server.host}/team/app:linux-amd64`;
    expectCode(await runCli(['inspect', name], { env: env() }), 4);
    expect(mirror.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });
});
