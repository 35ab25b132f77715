import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, spawnCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { Folder, pathWith } from './support/files.js';
import { expectNoSecret } from './support/secrets.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
const CANARY = 'canary-of-the-helper';
let server: ScriptedServer;
let bin: string;

beforeAll(async () => {
  registry.addPlatforms('x');
  server = await startScripted(({ path: url }) => json(500, { url }));
  bin = folder.directory();
});

beforeEach(() => {
  server.requests.length = 0;
  // Anonymous reads are allowed, as on most public registries, by an anonymous token.
  server.script = (request) => {
    if (request.path === '/t') return json(200, { token: 'anonymous-token' });
    return request.headers.authorization === undefined
      ? { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/t"` } }
      : registry.answer(request);
  };
});

afterAll(() => server.stop());

function inspect(suffix: string, env: Record<string, string> = {}): Promise<CliResult> {
  const config = folder.dockerConfig({ credHelpers: { [server.host]: suffix } });
  const args = ['inspect', '--debug', `${server.host}/x:linux-amd64`];
  return runCli(args, { env: { PATH: pathWith(bin), DOCKER_CONFIG: config, ...env } });
}

describe('test 8: helpers that have nothing, and helpers that break', () => {
  it.each([
    ['as it is', `echo 'credentials not found in native keychain'; exit 1`],
    ['with blanks', `printf '  credentials not found in native keychain\\r\\n\\n'; exit 1`],
  ])('"not found" on standard output, %s: anonymous', async (name, script) => {
    const suffix = `none-${name.replaceAll(' ', '-')}`;
    folder.helper(bin, suffix, script);
    const result = await inspect(suffix);
    expectCode(result, 0);
    const asked = server.requests.find(({ path: url }) => url === '/t');
    expect(asked!.headers.authorization).toBeUndefined();
  });

  it.each([
    ['exit 1 with a secret', `echo '{"Username":"a","Secret":"${CANARY}"}'; exit 1`],
    ['exit 1 with a text', `echo 'cannot unlock: ${CANARY}'; exit 1`],
    ['exit 0 with no JSON', `echo '${CANARY}'`],
    ['exit 0 with broken JSON', `echo '{"Username":"a","Secret":"${CANARY}"'`],
    ['exit 0 with a list', `echo '["${CANARY}"]'`],
    ['exit 0 with a number as the secret', `echo '{"Username":"${CANARY}","Secret":5}'`],
    ['killed', `echo '${CANARY}'; kill -9 $$`],
    ['100 KiB', `echo '${CANARY}'; head -c 102400 /dev/zero | tr '\\0' a`],
  ])('%s: an error with the name of the helper, and no secret', async (name, script) => {
    const suffix = `broken-${name.replaceAll(/[^a-z0-9]/gi, '-')}`;
    folder.helper(bin, suffix, script);
    const result = await inspect(suffix);
    expectCode(result, 2);
    expect(result.stderr).toContain(`docker-credential-${suffix}`);
    expectNoSecret(result, [CANARY]);
    expect(server.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });

  it('what it says on standard error is shown, on one line and without what acts on a terminal', async () => {
    folder.helper(bin, 'loud', `printf 'locked\\n\\033]0;evil\\007 please unlock' >&2; exit 1`);
    const result = await inspect('loud');
    expectCode(result, 2);
    expect(result.stderr).toContain('please unlock');
    // oxlint-disable-next-line no-control-regex -- control characters must be absent
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it.each<[string, string, RegExp]>([
    [
      'a sentence',
      `echo 'The name org.freedesktop.secrets was not provided by any .service files'`,
      /and said: The name org\.freedesktop\.secrets was not provided by any/,
    ],
    [
      'the form of the library for helpers',
      `printf 'error getting credentials - err: exit status 2, out: \\140gpg: decryption failed: No secret key\\140\\n'`,
      /and said: error getting credentials - err: exit status 2, out: `gpg: decryption failed: No secret key`/,
    ],
    [
      'a number of the system',
      `echo 'User interaction is not allowed. (-25308)'`,
      /and said: User interaction is not allowed\. \(-25308\)/,
    ],
    ['a missing user', `echo 'no credentials username'`, /and said: no credentials username/],
    ['both outputs', `echo 'it is locked'; echo 'try again' >&2`, /it is locked; try again/],
    ['several lines', `printf 'it is\\n\\033[1mlocked\\n'`, /and said: it is/],
  ])('the reason on standard output is shown: %s', async (name, script, message) => {
    const suffix = `says-${name.replaceAll(/[^a-z0-9]/gi, '-')}`;
    folder.helper(bin, suffix, `${script}; exit 1`);
    const result = await inspect(suffix);
    expectCode(result, 2);
    expect(result.stderr).toMatch(message);
    // oxlint-disable-next-line no-control-regex -- control characters must be absent
    expect(result.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it.each([
    ['a password with digits', 'wrong password hunter2 here', 'hunter2'],
    ['a word after "password:"', 'not accepted: password: correcthorse', 'correcthorse'],
    ['a word after "token="', 'bad token= correcthorse', 'correcthorse'],
    ['a word joined to "token="', 'bad token=correcthorse here', 'correcthorse'],
    ['a token of GitHub', 'refused (ghp_abcdefABCDEF0123456789abcdefABCDEF01)', 'ghp_'],
    ['a long word', `refused ${'abcdefghij'.repeat(4)}`, 'abcdefghij'],
    ['a JSON web token', 'got eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl of it', 'eyJ'],
    ['a word alone', 'correcthorse', 'correcthorse'],
    ['JSON in a sentence', 'got {"Secret": "correct horse"}', 'horse'],
  ])('what could be a secret is not: %s', async (name, printed, secret) => {
    const suffix = `hides-${name.replaceAll(/[^a-z0-9]/gi, '-')}`;
    folder.helper(bin, suffix, `echo '${printed}'; exit 1`);
    const result = await inspect(suffix);
    expectCode(result, 2);
    expectNoSecret(result, [secret]);
  });

  it('a reason without end is cut', async () => {
    folder.helper(bin, 'endless', `yes 'it is locked' | head -n 3000; exit 1`);
    const result = await inspect('endless');
    expectCode(result, 2);
    const line = result.stderr.split('\n').find((each) => each.includes('it is locked')) ?? '';
    expect(line.length).toBeLessThan(1200);
  });

  it('is run once, however many requests want it', async () => {
    const helper = folder.helper(bin, 'once', `echo '{"Username":"a","Secret":"${CANARY}"}'`);
    const config = folder.dockerConfig({ credHelpers: { [server.host]: 'once' } });
    const args = pushArguments(`${server.host}/x`, `${server.host}/y`);
    const env = { PATH: pathWith(bin), DOCKER_CONFIG: config };
    expectCode(await runCli([...args, '--debug'], { env }), 0);
    expect(helper.asked()).toEqual([`get ${server.host}`]);
  });

  it('is not asked by a registry that takes everybody', async () => {
    const helper = folder.helper(bin, 'idle', `echo '{"Username":"a","Secret":"${CANARY}"}'`);
    server.script = (request) => registry.answer(request);
    expectCode(await inspect('idle'), 0);
    expect(helper.asked()).toEqual([]);
  });

  it('that hangs is left behind by an interrupt', async () => {
    const helper = folder.helper(bin, 'hangs', 'sleep 600');
    const config = folder.dockerConfig({ credHelpers: { [server.host]: 'hangs' } });
    const args = pushArguments(`${server.host}/x`, `${server.host}/y`);
    const { child, done } = spawnCli(args, {
      env: { PATH: pathWith(bin), DOCKER_CONFIG: config },
    });
    await expect.poll(() => helper.asked().length, { timeout: 60_000 }).toBe(1);
    child.kill('SIGINT');
    const result = await done;
    expect(result.code).toBe(130);
    expect(result.stderr).toMatch(/nothing was published/);
  });
});

describe('names of helpers are data of a config (7.17)', () => {
  it.each([
    '../../x',
    '/bin/sh',
    'a/b',
    'a\\b',
    '..',
    'a\0b',
    'a b',
    'x;touch y',
    '$(id)',
    '-x/..',
  ])('%j is refused', async (suffix) => {
    const result = await inspect(suffix);
    expectCode(result, 2);
    expect(result.stderr).toContain('credHelpers');
  });

  it('none is run from the working directory or a relative entry of PATH', async () => {
    const cwd = folder.directory();
    const planted = folder.helper(cwd, 'planted', `echo '{"Username":"a","Secret":"${CANARY}"}'`);
    const relative = path.relative(process.cwd(), cwd);
    const result = await inspect('planted', { PATH: `.:${relative}::${bin}` });
    expectCode(result, 2);
    expect(planted.asked()).toEqual([]);
  });
});
