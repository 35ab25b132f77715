import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, base64, Folder, pathWith } from './support/files.js';
import { expectNoSecret } from './support/secrets.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
let server: ScriptedServer;
let bin: string;

beforeAll(async () => {
  registry.addImage('team/app/x', 'latest');
  server = await startScripted(({ path: url }) => json(500, { url }));
  server.script = (request) =>
    request.headers.authorization === undefined
      ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
      : registry.answer(request);
  bin = folder.directory();
  for (const name of ['one', 'all'])
    folder.helper(bin, name, `echo '{"Username":"helper-${name}","Secret":"word-${name}"}'`);
});

beforeEach(() => {
  server.requests.length = 0;
});

afterAll(() => server.stop());

function inspect(
  env: Record<string, string | undefined>,
  options: string[] = [],
  stdin?: string,
): Promise<CliResult> {
  const args = ['inspect', '--debug', ...options, `${server.host}/team/app/x`];
  const run = stdin === undefined ? {} : { stdin };
  return runCli(args, { env: { PATH: pathWith(bin), ...env }, ...run });
}

/** The users whose credentials the registry received. */
function user(): string | undefined {
  const last = server.requests.findLast(({ headers }) => headers.authorization !== undefined);
  const encoded = last?.headers.authorization?.replace('Basic ', '');
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

describe('test 7: the order of sources, each taken away in turn', () => {
  const runtime = folder.directory();
  const home = folder.directory();
  const everything = (host: string): Record<string, unknown> => ({
    credHelpers: { [host]: 'one' },
    credsStore: 'all',
    ...auths(host, 'inline', 'word-inline'),
  });

  it.each([
    ['DOCKER_AUTH_CONFIG', 'variable:word-variable', []],
    ['docker-credential-one', 'helper-one:word-one', ['variable']],
    ['docker-credential-all', 'helper-all:word-all', ['variable', 'credHelpers']],
    ['config.json', 'inline:word-inline', ['variable', 'credHelpers', 'credsStore']],
    ['auth.json', 'podman:word-podman', ['variable', 'credHelpers', 'credsStore', 'auths']],
  ])('%s', async (source, expected, removed) => {
    const { host } = server;
    const config = Object.fromEntries(
      Object.entries(everything(host)).filter(([key]) => !removed.includes(key)),
    );
    folder.write(
      path.join(runtime, 'containers', 'auth.json'),
      JSON.stringify(auths(host, 'podman', 'word-podman')),
    );
    const result = await inspect({
      HOME: home,
      XDG_RUNTIME_DIR: runtime,
      DOCKER_CONFIG: folder.dockerConfig(config),
      DOCKER_AUTH_CONFIG: removed.includes('variable')
        ? undefined
        : JSON.stringify(auths(host, 'variable', 'word-variable')),
    });
    expectCode(result, 0);
    expect(user()).toBe(expected);
    expect(result.stderr).toContain(source);
    expectNoSecret(result, [expected.split(':')[1]!]);
  });

  it('a helper that has nothing does not lead to the inline entry', async () => {
    const other = folder.directory();
    folder.helper(other, 'none', `echo 'credentials not found in native keychain'; exit 1`);
    const config = {
      credHelpers: { [server.host]: 'none' },
      ...auths(server.host, 'inline', 'word-inline'),
    };
    const result = await inspect({
      PATH: pathWith(other),
      DOCKER_CONFIG: folder.dockerConfig(config),
    });
    expectCode(result, 4);
    expect(user()).toBeUndefined();
  });

  it.each([
    ['the whole name', 'team/app/x'],
    ['a part of it', 'team/app'],
    ['its first part', 'team'],
  ])('a key of podman for %s comes before that of the host', async (_, namespace) => {
    const { host } = server;
    const config = {
      auths: {
        [host]: { auth: base64('host:word-host') },
        [`${host}/team/other`]: { auth: base64('other:word-other') },
        [`${host}/tea`]: { auth: base64('tea:word-tea') },
        [`${host}/${namespace}`]: { auth: base64('space:word-space') },
      },
    };
    const file = folder.write(`auth-${namespace.length}.json`, JSON.stringify(config));
    expectCode(await inspect({}, ['--authfile', file]), 0);
    expect(user()).toBe('space:word-space');
  });

  it.each([
    ['--authfile', (file: string) => inspect({}, ['--authfile', file])],
    ['REGISTRY_AUTH_FILE', (file: string) => inspect({ REGISTRY_AUTH_FILE: file })],
  ])('%s that is not there is an error, and no other file is used', async (name, run) => {
    const result = await run(path.join(folder.path, 'absent.json'));
    expectCode(result, 2);
    expect(result.stderr).toContain(name);
    expect(user()).toBeUndefined();
  });

  it('--username and --password-stdin come before all', async () => {
    const config = folder.dockerConfig(everything(server.host));
    const result = await inspect(
      { DOCKER_CONFIG: config },
      ['--username', 'typed', '--password-stdin'],
      'pass:word with spaces \n',
    );
    expectCode(result, 0);
    expect(user()).toBe('typed:pass:word with spaces ');
    expectNoSecret(result, ['pass:word with spaces ']);
  });
});

describe('a password goes to its own host alone (7.18)', () => {
  it.each([
    ['another port', (): string => `127.0.0.1:${server.port + 1}`],
    ['no port', (): string => '127.0.0.1'],
    ['another name', (): string => `localhost:${server.port}`],
    ['a longer name', (): string => `${server.host}.example.com`],
    ['everything', (): string => '*'],
    ['a namespace', (): string => `${server.host}/other`],
  ])('not where the key is for %s', async (_, key) => {
    const config = folder.dockerConfig(auths(key(), 'alice', 'secret-word'));
    const result = await inspect({ DOCKER_CONFIG: config });
    expectCode(result, 4);
    expect(user()).toBeUndefined();
  });

  it.each([
    ['https://HOST/v1/', (): string => `https://${server.host}/v1/`],
    ['http://HOST', (): string => `http://${server.host}`],
  ])('the old form %s is found', async (_, key) => {
    const config = folder.dockerConfig(auths(key(), 'alice', 'secret-word'));
    expectCode(await inspect({ DOCKER_CONFIG: config }), 0);
    expect(user()).toBe('alice:secret-word');
  });
});

describe('entries that are broken', () => {
  it('do no harm to other hosts', async () => {
    const config = {
      auths: {
        'broken.example.com': { auth: 'not base64!' },
        ...(auths(server.host, 'alice', 'secret-word') as { auths: object }).auths,
      },
    };
    expectCode(await inspect({ DOCKER_CONFIG: folder.dockerConfig(config) }), 0);
  });

  it.each([
    ['no base64', 'canary!canary'],
    ['no colon', base64('canary-canary')],
    ['no user', base64(':canary-canary')],
    ['NULs at the end', undefined],
  ])('%s', async (_, auth) => {
    const entry = { auth: auth ?? base64('alice:secret-word\0\0') };
    const config = folder.dockerConfig({ auths: { [server.host]: entry } });
    const result = await inspect({ DOCKER_CONFIG: config });
    expectCode(result, auth === undefined ? 0 : 2);
    expectNoSecret(result, ['canary!canary', 'canary-canary']);
    if (auth === undefined) expect(user()).toBe('alice:secret-word');
    else expect(result.stderr).toContain(server.host);
  });

  it('a config that is no JSON is an error that quotes nothing of it', async () => {
    const directory = folder.directory();
    folder.write(path.join(directory, 'config.json'), '{"auths": {"x": {"auth": canary-canary}}}');
    const result = await inspect({ DOCKER_CONFIG: directory });
    expectCode(result, 2);
    expectNoSecret(result, ['canary-canary']);
  });

  it('a DOCKER_AUTH_CONFIG that is no JSON is told of and left out', async () => {
    const config = folder.dockerConfig(auths(server.host, 'alice', 'secret-word'));
    const result = await inspect({ DOCKER_AUTH_CONFIG: 'canary-canary', DOCKER_CONFIG: config });
    expectCode(result, 0);
    expect(result.stderr).toMatch(/warning: DOCKER_AUTH_CONFIG/);
    expectNoSecret(result, ['canary-canary']);
    expect(user()).toBe('alice:secret-word');
  });
});
