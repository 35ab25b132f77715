import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { makeAuthority } from './support/authority.js';
import { FakeRegistry, makeList } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import { failure, startScripted, type Reply, type ScriptedServer } from './support/scripted.js';

const CHILDREN = 40;
let server: ScriptedServer;
const registry = new FakeRegistry();

beforeAll(async () => {
  server = await startScripted((request) => registry.answer(request));
  const images = Array.from({ length: CHILDREN }, (_, index) => ({
    ...registry.addImage('x', `image-${index}`, { text: String(index) }),
    platform: { os: 'linux', architecture: 'amd64', 'os.version': String(index) },
  }));
  registry.addManifest('x', 'list', makeList(images));
});

beforeEach(() => {
  server.requests.length = 0;
});

afterAll(() => server.stop());

const limited = (headers: Record<string, string>, message = 'slow down'): Reply =>
  failure(429, 'TOOMANYREQUESTS', message, headers);

/** Ways to ask for a wait, and the least of it in milliseconds. */
const WAYS: [string, () => Reply, number][] = [
  ['Retry-After in seconds', () => limited({ 'retry-after': '1' }), 1000],
  [
    'Retry-After as a date',
    // A date has whole seconds: two seconds ahead are at least one.
    () => limited({ 'retry-after': new Date(Date.now() + 2000).toUTCString() }),
    1000,
  ],
  [
    'Retry-After as a Unix time (Docker Hub)',
    () => limited({ 'retry-after': String(Math.ceil(Date.now() / 1000) + 1) }),
    1000,
  ],
  ['Retry-After as a Go duration', () => limited({ 'retry-after': '1s' }), 1000],
  [
    'a Go duration in the message (GHCR)',
    () => limited({}, 'retry-after: 650.464ms, allowed: 2000/minute'),
    650,
  ],
  [
    'a secondary limit with 403 (GHCR)',
    () =>
      failure(403, 'DENIED', 'You have exceeded a secondary rate limit.', { 'retry-after': '1' }),
    1000,
  ],
];

describe('test 21: asked to slow down', () => {
  it.each(WAYS)(
    '%s: 40 requests share the wait, nothing is sent early, and the wait is shown',
    async (_, answer, least) => {
      let told: number | undefined;
      server.script = (request) => {
        if (!request.path.includes('sha256:')) return registry.answer(request);
        if (told === undefined || request.time < told + 50) {
          told ??= performance.now();
          return answer();
        }
        return registry.answer(request);
      };
      const result = await runCli(['inspect', '-j', '16', `${server.host}/x:list`]);
      expectCode(result, 0);
      const after = server.requests
        .filter(({ path }) => path.includes('sha256:'))
        .map(({ time }) => time - told!);
      // As many as there are connections to a host were under way when the first answer came: they could not know.
      const early = after.filter((time) => time < least);
      expect(early.length).toBeLessThanOrEqual(16);
      expect(after.length).toBeLessThanOrEqual(2 * CHILDREN);
      // No more than the server asks for, which is less than two seconds.
      expect(result.stderr).toMatch(
        new RegExp(`^retrying ${server.host} in [012](\\.\\d)? s: `, 'm'),
      );
    },
  );

  it('what waits for a connection is not sent either, once the first has been told to wait', async () => {
    let told: number | undefined;
    server.script = (request) => {
      if (!request.path.includes('sha256:')) return registry.answer(request);
      if (told !== undefined && request.time >= told + 900) return registry.answer(request);
      told ??= performance.now();
      return limited({ 'retry-after': '1' });
    };
    expectCode(await runCli(['inspect', '-j', '16', `${server.host}/x:list`]), 0);
    const children = server.requests.filter(({ path }) => path.includes('sha256:'));
    const before = children.filter(({ time }) => time < told! + 900);
    // As many as there are connections to a host were under way.
    expect(before.length).toBeLessThanOrEqual(16);
  });

  it('a whole day is not waited for: it gives up at once, with the reason', async () => {
    server.script = () => limited({ 'retry-after': '86400' });
    const result = await runCli(['inspect', `${server.host}/x:list`]);
    expectCode(result, 5);
    expect(result.stderr).not.toMatch(/^retrying/m);
    expect(server.requests).toHaveLength(1);
    expect(result.stderr).toMatch(/24 h/);
    expect(result.stderr).toContain('429');
    expect(result.stderr).toContain(server.host);
  });

  const tomorrow = Math.ceil(Date.now() / 1000) + 86_400;
  const inWords = /wait until \d{4}-\d\d-\d\d \d\d:\d\d UTC \(24 h\)/;

  it.each([
    ['a number of seconds', '86400', inWords],
    ['a Unix time', String(tomorrow), inWords],
    ['a Unix time in milliseconds', String(tomorrow * 1000), inWords],
    ['a date', new Date(tomorrow * 1000).toUTCString(), inWords],
    ['a date of ISO 8601', new Date(tomorrow * 1000).toISOString(), inWords],
    ['a time in another age', '99999999999', /wait more than a year/],
    ['a number without end', '9'.repeat(400), /wait more than a year/],
  ])('a long wait as %s ends the command, which says until when', async (_, value, words) => {
    for (const status of [429, 503]) {
      server.requests.length = 0;
      server.script = () => failure(status, 'X', 'slow down', { 'retry-after': value });
      const result = await runCli(['inspect', `${server.host}/x:list`]);
      expectCode(result, 5);
      expect(server.requests).toHaveLength(1);
      expect(result.stderr).toMatch(words);
      expect(result.stderr).not.toMatch(/--retry/);
    }
  });

  it('a token server that asks for a long wait is named, with the time', async () => {
    server.script = ({ path }) =>
      path === '/t'
        ? failure(429, 'X', 'slow down', { 'retry-after': String(tomorrow) })
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/t"` } };
    const result = await runCli(['inspect', `${server.host}/x:list`]);
    expectCode(result, 5);
    expect(server.requests).toHaveLength(2);
    expect(result.stderr).toMatch(inWords);
    expect(result.stderr).not.toMatch(/--retry/);
  });

  it.each([
    ['-5', 5],
    ['soon', 5],
    ['1e9', 5],
    ['0', 5],
    ['1000000000', 5],
    ['99999999999999999999', 1],
  ])('Retry-After: %s does not stop it for ever', async (value, tries) => {
    server.script = () => limited({ 'retry-after': value });
    const args = ['inspect', '--retry-delay', '5ms', `${server.host}/x:list`];
    expectCode(await runCli(args), 5);
    expect(server.requests).toHaveLength(tries);
  });

  it('the number of tries is said, and no anonymous user is told to log in again', async () => {
    server.script = () => limited({});
    const args = ['inspect', '--retry-delay', '5ms', '--retry', '2', `${server.host}/x:list`];
    const result = await runCli(args);
    expectCode(result, 5);
    expect(server.requests).toHaveLength(3);
    expect(result.stderr).toMatch(/3 attempts/);
    expect(result.stderr).toMatch(/^hint: .*log in/m);
  });
});

it('over TLS without HTTP/2, nothing is sent that waits for a connection when the wait begins', async () => {
  const authority = await makeAuthority(new Folder().path);
  let limitedAt = Infinity;
  const tls = await startScripted((request) => {
    if (request.path.includes('/manifests/sha256:')) limitedAt = Math.min(limitedAt, request.time);
    const isLimited = request.time >= limitedAt && request.time < limitedAt + 900;
    return isLimited ? limited({ 'retry-after': '1' }) : registry.answer(request);
  }, authority.server);
  try {
    expectCode(await runCli(['inspect', '--insecure', `${tls.host}/x:list`]), 0);
    const early = tls.requests.filter(({ time }) => time >= limitedAt && time < limitedAt + 900);
    expect(early.length).toBeLessThanOrEqual(16);
  } finally {
    await tls.stop();
  }
});
