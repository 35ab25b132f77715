import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Reply,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
let server: ScriptedServer;
let registry: FakeRegistry;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('team/app', 10);
});

afterAll(() => server.stop());

const challenge = (extra = ''): Reply => ({
  status: 401,
  headers: { 'www-authenticate': `Bearer realm="${server.url}/t",service="s"${extra}` },
});

const tokenRequests = (): Seen[] => server.requests.filter(({ path }) => path === '/t');

function push(count = 2, target = 'team/app'): Promise<CliResult> {
  const { host } = server;
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
  return runCli(pushArguments(`${host}/team/app`, `${host}/${target}`, { count }), { env });
}

describe('test 2: granted less than was asked', () => {
  it.each([[401], [403]])(
    'with %i: at most two tokens, then it says which action was refused on which repository',
    async (status) => {
      let count = 0;
      server.script = (request) => {
        if (request.path === '/t') return json(200, { token: `pull-only-${(count += 1)}` });
        if (request.headers.authorization === undefined) return challenge();
        if (request.method === 'GET') return registry.answer(request);
        const scope = ',scope="repository:team/app:pull,push",error="insufficient_scope"';
        return { ...challenge(scope), status };
      };
      const result = await push();
      expectCode(result, 4);
      expect(tokenRequests().length).toBeLessThanOrEqual(2);
      expect(result.stderr).toContain('repository:team/app:pull,push');
      expect(result.stderr).toContain('alice');
      expect(server.requests.filter(({ method }) => method === 'PUT').length).toBeLessThanOrEqual(
        2,
      );
    },
  );
});

describe('test 3: shapes of tokens', () => {
  const hour = 3_600_000;

  it.each([
    ['only access_token', { access_token: 'tok-tok-tok' }],
    ['only token', { token: 'tok-tok-tok' }],
    ['an empty access_token', { access_token: '', token: 'tok-tok-tok' }],
    ['expires_in: 1', { token: 'tok-tok-tok', expires_in: 1 }],
    ['expires_in: 0', { token: 'tok-tok-tok', expires_in: 0 }],
    ['expires_in: -5', { token: 'tok-tok-tok', expires_in: -5 }],
    ['expires_in as a text', { token: 'tok-tok-tok', expires_in: '300' }],
    ['expires_in of 1e300', { token: 'tok-tok-tok', expires_in: 1e300 }],
    [
      'issued_at an hour ahead',
      { token: 'tok-tok-tok', issued_at: new Date(Date.now() + hour).toISOString() },
    ],
    ['a refresh token', { token: 'tok-tok-tok', refresh_token: 'refresh-refresh' }],
  ])('%s works, for one request', async (_, answer) => {
    server.script = (request) => {
      if (request.path === '/t') return json(200, answer);
      return request.headers.authorization === 'Bearer tok-tok-tok'
        ? registry.answer(request)
        : challenge();
    };
    expectCode(await push(), 0);
    expect(tokenRequests()).toHaveLength(1);
    expect(tokenRequests()[0]!.query.has('offline_token')).toBe(false);
    for (const { headers, url } of server.requests)
      expect(url + (headers.authorization ?? '')).not.toContain('refresh-refresh');
  });

  it.each([
    ['neither field', JSON.stringify({ id_token: 'canary-canary' }), 1],
    ['a token that is no text', JSON.stringify({ token: { a: 'canary-canary' } }), 1],
    ['a token with a line break', JSON.stringify({ token: 'canary-canary\r\nX: y' }), 1],
    ['a list', '["canary-canary"]', 1],
    ['no JSON', 'canary-canary', 1],
    ['HTML', '<html>canary-canary</html>', 5],
  ])('%s fails, without printing the body', async (_, body, code) => {
    server.script = (request) => (request.path === '/t' ? { status: 200, body } : challenge());
    const result = await push();
    expectCode(result, code);
    expect(result.stdout + result.stderr).not.toContain('canary-canary');
    expect(result.stderr).toContain(`${server.host}/t`);
  });

  it('an endless answer is cut off', async () => {
    let sent = 0;
    server.script = (request) =>
      request.path === '/t'
        ? (response) => {
            response.writeHead(200, { 'content-type': 'application/json' });
            const chunk = Buffer.alloc(64 * 1024, 'a');
            const write = (): void => {
              if (response.destroyed) return;
              sent += chunk.length;
              if (response.write(chunk)) setImmediate(write);
              else response.once('drain', write);
            };
            write();
          }
        : challenge();
    expectCode(await push(), 1);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('test 4: tokens that die in the middle of a push', () => {
  it.each([
    ['401', () => challenge(',error="invalid_token"')],
    [
      '400 without a challenge (ECR Public)',
      () =>
        json(400, {
          errors: [{ code: 'DENIED', message: 'Your authorization token has expired.' }],
        }),
    ],
  ])('%s: renews and ends well, each body whole and once', async (_, expired) => {
    /** How many requests each token has been used for: it dies after some, whatever time they take. */
    const used = new Map<string, number>();
    const lifetime = 25;
    const accepted: Seen[] = [];
    for (const source of ['team/app']) registry.addPlatforms(source, 10);
    server.script = (request) => {
      if (request.path === '/t') {
        const token = `token-number-${used.size + 1}`;
        used.set(token, 0);
        return json(200, { token, expires_in: 300 });
      }
      const { authorization } = request.headers;
      if (authorization === undefined) return challenge();
      const token = authorization.replace('Bearer ', '');
      const uses = used.get(token)! + 1;
      used.set(token, uses);
      if (uses > lifetime) return expired();
      if (request.method === 'PUT') accepted.push(request);
      return registry.answer(request);
    };
    expectCode(await push(10, 'team/other'), 0);
    expect(used.size).toBeGreaterThan(1);
    expect(used.size).toBeLessThanOrEqual(Math.ceil(server.requests.length / lifetime));
    // Ten children by their digest and one tag.
    expect(accepted).toHaveLength(11);
    expect(new Set(accepted.map(({ path }) => path)).size).toBe(11);
    for (const { path, body } of accepted.filter((each) => each.path.includes('sha256:')))
      expect(path.endsWith(sha256(body))).toBe(true);
  });
});

describe('a token server that fails', () => {
  it.each([
    [500, 5],
    [503, 5],
    [429, 5],
    [401, 4],
    [403, 4],
  ])('with %i: exit code %i, and it names the token server', async (status, code) => {
    server.script = (request) =>
      request.path === '/t' ? json(status, { details: 'canary-canary' }) : challenge();
    const result = await push();
    expectCode(result, code);
    expect(result.stderr).toContain(`${server.host}/t`);
    expect(result.stderr).not.toContain('canary-canary');
    expect(result.stderr).toMatch(code === 5 ? /5 attempts/ : /config\.json/);
  });

  it('names what was asked for, where it refuses', async () => {
    server.script = (request) => (request.path === '/t' ? json(403, {}) : challenge());
    const result = await push();
    expectCode(result, 4);
    expect(result.stderr).toContain('team/app');
  });

  it('that cannot be reached is not taken for a refusal', async () => {
    server.script = () => ({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/t",service="s"' },
    });
    const result = await push();
    expectCode(result, 5);
    expect(result.stderr).toContain('127.0.0.1:1');
  });
});
