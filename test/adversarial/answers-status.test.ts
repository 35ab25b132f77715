import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { pushArguments } from './support/fake-registry.js';
import { isWrite, OddRegistry } from './support/odd-registry.js';
import { json, type Answer, type Reply, type Seen } from './support/scripted.js';

let odds: OddRegistry;

beforeAll(async () => {
  odds = await OddRegistry.start();
});

beforeEach(() => {
  odds.reset();
  odds.server.requests.length = 0;
});

afterAll(() => odds.server.stop());

const PAGE = '<html><head><title>nginx</title></head><body><h1>no</h1></body></html>';

const page = (status: number, headers = {}): Reply => ({
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: PAGE,
});

/** An answer whose body is cut off, or does not come at all. */
const broken =
  (status: number, how: 'reset' | 'hang', headers = {}) =>
  (response: Parameters<Extract<Answer, (...args: never) => void>>[0]): void => {
    response.writeHead(status, { 'content-length': 1000, ...headers });
    response.write('{"errors":[');
    if (how === 'reset') setTimeout(() => response.destroy(), 20);
  };

const run = (args: readonly string[]): Promise<CliResult> =>
  runCli([...args, '--retry-delay', '5ms']);

describe('a page of a proxy with the status of an error', () => {
  it.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [405, 1],
    [410, 3],
    [413, 1],
    [429, 5],
    [503, 5],
  ])('%i to a read is judged by the status', async (status, code) => {
    odds.odd = () => page(status);
    const result = await run(odds.reading());
    expectCode(result, code);
    expect(result.stderr).not.toContain('not a registry');
    expect(result.stderr).not.toContain('nginx');
  });

  it.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [405, 1],
    [413, 1],
  ])('%i to a write is judged by the status', async (status, code) => {
    odds.odd = (request) => (isWrite(request) ? page(status) : undefined);
    const result = await run(odds.copying());
    expectCode(result, code);
    expect(result.stderr).not.toContain('not a registry');
  });

  it('404 is an image that is missing, for --ignore-missing and --wait', async () => {
    const { host } = odds.server;
    odds.odd = ({ path }) => (path.endsWith('/linux-arm64') ? page(404) : undefined);
    const push = (...options: string[]): Promise<CliResult> =>
      runCli([...pushArguments(`${host}/app`, `${host}/app`), ...options]);
    expectCode(await push('--ignore-missing'), 0);
    let asked = 0;
    odds.odd = ({ path }) => {
      if (!path.endsWith('/linux-arm64')) return undefined;
      asked += 1;
      return asked < 3 ? page(404) : undefined;
    };
    expectCode(await push('--wait', '20s'), 0);
    expect(asked).toBe(3);
  });

  it.each([
    [404, 3],
    [403, 4],
    [413, 1],
  ])('%i that is larger than any answer is still %i', async (status, code) => {
    const body = PAGE + ' '.repeat(5 * 1024 * 1024);
    odds.odd = () => ({ status, headers: { 'content-type': 'text/html' }, body });
    expectCode(await run(odds.reading()), code);
    odds.odd = (request) => (isWrite(request) ? { ...page(status), body } : undefined);
    expectCode(await run(odds.copying()), code);
  });

  it.each(['reset', 'hang'] as const)('404 whose body does not come (%s) is 404', async (how) => {
    odds.odd = () => broken(404, how);
    const result = await run(odds.reading());
    expectCode(result, 3);
    expect(odds.server.requests).toHaveLength(1);
  });

  it('has the codes of a list of errors of any length', async () => {
    const errors = Array.from({ length: 600 }, (_, n) => ({
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: 'blob unknown to registry',
      detail: `sha256:${String(n).padStart(64, '0')}`,
    }));
    odds.odd = (request) => (isWrite(request) ? json(400, { errors }) : undefined);
    expectCode(await run(odds.copying()), 3);
  });
});

describe('a manifest that was written', () => {
  const writing = (answer: Answer): void => {
    odds.odd = (request) => {
      if (!isWrite(request)) return undefined;
      odds.registry.answer(request);
      return answer;
    };
  };

  it.each([200, 201, 202, 204])('%i is done, with a page or without', async (status) => {
    writing(page(status));
    const result = await run(odds.copying());
    expectCode(result, 0);
  });

  it.each(['reset', 'hang'] as const)(
    '201 is done although its body does not come (%s)',
    async (how) => {
      writing(broken(201, how));
      const start = performance.now();
      expectCode(await run(odds.copying()), 0);
      expect(performance.now() - start).toBeLessThan(10_000);
      const writes = odds.server.requests.filter(isWrite).map(({ url }) => url);
      expect(writes).toHaveLength(new Set(writes).size);
    },
  );

  it('201 is done although its body does not end', async () => {
    writing((response) => {
      response.writeHead(201, { 'content-type': 'text/plain' });
      const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(timer));
    });
    expectCode(await run(odds.copying()), 0);
  });

  it('200 to everything, from something that is not a registry, is not taken for it', async () => {
    odds.odd = ({ path }) => (path.includes('/copy/manifests/') ? page(200) : undefined);
    const result = await run(odds.copying());
    expectCode(result, 5);
    expect(result.stderr).toContain('not a registry');
  });
});

describe('a read', () => {
  it.each([
    ['a page', page(200)],
    ['a page of another type', { status: 200, body: `\n <!DOCTYPE html>${PAGE}` }],
    ['an empty page', { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } }],
  ])('of %s: it is not a registry, and is asked once', async (_, answer) => {
    odds.odd = () => answer;
    const result = await run(odds.reading());
    expectCode(result, 5);
    expect(result.stderr).toContain('not a registry');
    expect(odds.server.requests).toHaveLength(1);
  });

  it('of a page by its digest: it is not a registry, and is asked once', async () => {
    odds.odd = () => page(200);
    const digest = `sha256:${'0'.repeat(64)}`;
    const result = await run(['inspect', `${odds.server.host}/app@${digest}`]);
    expectCode(result, 5);
    expect(odds.server.requests).toHaveLength(1);
  });

  it.each(['text/html', 'text/html; charset=utf-8', 'text/plain', 'application/octet-stream'])(
    'of a manifest that is typed %s',
    async (type) => {
      const retyped = (request: Seen): Reply => {
        const reply = odds.registry.answer(request);
        return { ...reply, headers: { ...reply.headers, 'content-type': type } };
      };
      odds.odd = retyped;
      expectCode(await run(odds.reading()), 0);
      const { digest } = odds.registry.manifests.get('app:linux-amd64')!;
      expectCode(await run(odds.reading(`app@${digest}`)), 0);
    },
  );

  it.each(['text/html', 'text/plain'])('of a token that is typed %s', async (type) => {
    const challenge = `Bearer realm="${odds.server.url}/token",service="s"`;
    odds.odd = ({ path, headers }) => {
      if (path === '/token') return json(200, { token: 'little-token' }, { 'content-type': type });
      return headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': challenge } }
        : undefined;
    };
    expectCode(await run(odds.reading()), 0);
  });

  it('of a token that is a page: there is no token server, and it is asked once', async () => {
    const challenge = `Bearer realm="${odds.server.url}/token",service="s"`;
    odds.odd = ({ path }) =>
      path === '/token' ? page(200) : { status: 401, headers: { 'www-authenticate': challenge } };
    const result = await run(['inspect', `${odds.server.host}/app:linux-amd64`]);
    expectCode(result, 5);
    expect(result.stderr).toContain('not a token server');
    expect(odds.server.requests.filter(({ path }) => path === '/token')).toHaveLength(1);
  });
});
