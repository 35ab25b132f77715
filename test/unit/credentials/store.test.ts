import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCredentialStore, type CredentialOptions } from '../../../src/credentials/store.js';
import { ManifestToolError } from '../../../src/errors.js';
import type { Credential } from '../../../src/http/auth/credential.js';

const CANARY = 'c4n4ry-s3cret';

let home: string;
let env: Record<string, string | undefined>;
let warnings: string[];

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'credentials-'));
  env = { HOME: home, PATH: path.join(home, 'bin'), XDG_RUNTIME_DIR: path.join(home, 'run') };
  warnings = [];
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function write(name: string, content: unknown, mode = 0o600): Promise<string> {
  const file = path.join(home, name);
  await mkdir(path.dirname(file), { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(file, text, { mode });
  return file;
}

const dockerConfig = (content: unknown): Promise<string> => write('.docker/config.json', content);

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

const login = (password: string): { auth: string } => ({ auth: base64(`user:${password}`) });

/** A helper that answers with its own name as the secret. */
const helper = (suffix: string): Promise<string> =>
  write(
    `bin/docker-credential-${suffix}`,
    `#!/bin/sh\necho '{"ServerURL":"x","Username":"user","Secret":"of ${suffix}"}'\n`,
    0o755,
  );

function lookup(options: Partial<CredentialOptions> = {}) {
  const onWarning = (text: string): void => void warnings.push(text);
  return createCredentialStore({ env, onWarning, ...options }).get;
}

function find(host = 'ghcr.io', repository = 'team/app'): Promise<Credential | undefined> {
  return lookup()(host, repository);
}

const passwordOf = (credential: Credential | undefined): string | undefined =>
  credential?.kind === 'password' ? credential.password : undefined;

async function failureOf(promise: Promise<unknown>): Promise<ManifestToolError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ManifestToolError)) throw new Error('expected a ManifestToolError');
  expect(error.message).not.toContain('\n');
  return error;
}

describe('the order of the sources', () => {
  test('each is used when those before it are gone', async () => {
    env['XDG_CONFIG_HOME'] = path.join(home, 'cfg');
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'ghcr.io': login('variable') } });
    for (const suffix of ['one', 'all']) await helper(suffix);
    const config: Record<string, unknown> = {
      credHelpers: { 'ghcr.io': 'one' },
      credsStore: 'all',
      auths: { 'ghcr.io': login('inline') },
    };
    const file = await dockerConfig(config);
    const runtime = await write('run/containers/auth.json', {
      auths: { 'ghcr.io': login('runtime') },
    });
    const xdg = await write('cfg/containers/auth.json', { auths: { 'ghcr.io': login('xdg') } });
    const flat = await write('.dockercfg', { 'ghcr.io': login('flat') });

    const seen: (readonly [string | undefined, string | undefined])[] = [];
    const look = async (): Promise<void> => {
      const credential = await find();
      seen.push([passwordOf(credential), credential?.source]);
    };
    await look();
    delete env['DOCKER_AUTH_CONFIG'];
    await look();
    delete config['credHelpers'];
    await dockerConfig(config);
    await look();
    delete config['credsStore'];
    await dockerConfig(config);
    await look();
    for (const gone of [file, runtime, xdg, flat]) {
      await rm(gone);
      await look();
    }
    expect(seen).toEqual([
      ['variable', 'DOCKER_AUTH_CONFIG (auths["ghcr.io"])'],
      ['of one', `docker-credential-one (credHelpers["ghcr.io"] in ${file})`],
      ['of all', `docker-credential-all (credsStore in ${file})`],
      ['inline', `${file} (auths["ghcr.io"])`],
      ['runtime', `${runtime} (auths["ghcr.io"])`],
      ['xdg', `${xdg} (auths["ghcr.io"])`],
      ['flat', `${flat} (auths["ghcr.io"])`],
      [undefined, undefined],
    ]);
    expect(warnings).toEqual([]);
  });

  test('a broken source behind the one that has it is not looked at', async () => {
    await dockerConfig({ auths: { 'ghcr.io': login('inline') } });
    await write('run/containers/auth.json', '{');
    expect(passwordOf(await find())).toBe('inline');
    expect(await failureOf(find('quay.io'))).toMatchObject({ code: 'CONFIG' });
  });

  test('~/.config is the directory of podman where XDG_CONFIG_HOME is not set, and DOCKER_CONFIG a directory', async () => {
    await write('.config/containers/auth.json', { auths: { 'a.io': login('podman') } });
    await write('elsewhere/config.json', { auths: { 'b.io': login('docker') } });
    env['DOCKER_CONFIG'] = path.join(home, 'elsewhere');
    expect(passwordOf(await find('a.io'))).toBe('podman');
    expect(passwordOf(await find('b.io'))).toBe('docker');
  });

  test('each file is read once', async () => {
    await dockerConfig({ auths: { 'ghcr.io': login('first') } });
    const ask = lookup();
    await ask('ghcr.io', 'a');
    await dockerConfig({ auths: { 'ghcr.io': login('second') } });
    expect(passwordOf(await ask('ghcr.io', 'b'))).toBe('first');
  });

  test('has and get share one read, and has runs no helper', async () => {
    await helper('one');
    const file = await dockerConfig({
      auths: { 'ghcr.io/team': login('first'), 'broken.io': { auth: 'x' } },
      credHelpers: { 'quay.io': 'one', 'gone.io': 'not-installed' },
    });
    const store = createCredentialStore({ env });
    expect(await store.has('ghcr.io', 'team/app')).toBe(true);
    await rm(file);
    expect(await store.has('ghcr.io', 'other/app')).toBe(false);
    expect(await store.has('quay.io', 'a')).toBe(true);
    expect(await store.has('gone.io', 'a')).toBe(true);
    expect(await store.has('broken.io', 'a')).toBe(false);
    expect(passwordOf(await store.get('ghcr.io', 'team/app'))).toBe('first');
    expect(passwordOf(await store.get('quay.io', 'a'))).toBe('of one');
  });

  test('has gives no warning; get gives those of all that it has looked at', async () => {
    env['DOCKER_AUTH_CONFIG'] = 'no config';
    const onWarning = (text: string): void => void warnings.push(text);
    const store = createCredentialStore({ env, onWarning });
    expect(await store.has('ghcr.io', 'a')).toBe(false);
    expect(warnings).toEqual([]);
    expect(await store.get('ghcr.io', 'a')).toBeUndefined();
    expect(warnings).toHaveLength(1);
  });

  test('another host gets nothing', async () => {
    await dockerConfig({
      auths: { 'ghcr.io': login('x'), 'https://index.docker.io/v1/': login('x') },
    });
    for (const host of ['ghrc.io', 'ghcr.io:5000', 'hub.docker.com', 'xghcr.io', 'io'])
      expect(await find(host)).toBeUndefined();
  });
});

describe('an auth file and REGISTRY_AUTH_FILE', () => {
  beforeEach(async () => {
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'ghcr.io': login('variable') } });
    await dockerConfig({ auths: { 'ghcr.io': login('inline') } });
  });

  test('no other file is used', async () => {
    const auths = { auths: { 'quay.io': login('named') } };
    env['REGISTRY_AUTH_FILE'] = await write('auth.json', auths);
    for (const ask of [lookup(), lookup({ authFile: '~/auth.json' })]) {
      expect(passwordOf(await ask('quay.io', 'a'))).toBe('named');
      expect(await ask('ghcr.io', 'a')).toBeUndefined();
    }
    await lookup({ authFile: '~/auth.json', dockerConfig: 'x.json' })('ghcr.io', 'a');
    expect(warnings).toEqual([expect.stringMatching(/^x\.json is ignored: /)]);
  });

  test('a file that is not there is an error', async () => {
    const missing = path.join(home, 'no.json');
    env['REGISTRY_AUTH_FILE'] = missing;
    const error = await failureOf(find());
    expect(error).toMatchObject({ code: 'CONFIG', what: `reading ${missing}` });
    expect(error.why).toContain('REGISTRY_AUTH_FILE');
    const option = await failureOf(lookup({ authFile: `${missing}2` })('ghcr.io', 'a'));
    expect(option.message).toContain(`${missing}2`);
    expect(option).toMatchObject({ reason: 'auth-file-missing', hint: expect.any(String) });
  });

  test('credHelpers are asked, credsStore is not', async () => {
    await helper('one');
    const authFile = await write('auth.json', {
      credHelpers: { 'ghcr.io': 'one' },
      credsStore: 'x',
    });
    const ask = lookup({ authFile });
    expect(passwordOf(await ask('ghcr.io', 'a'))).toBe('of one');
    expect(await ask('quay.io', 'a')).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(`credsStore in ${authFile}`)]);
  });

  test('an empty file is an empty one', async () => {
    expect(await lookup({ authFile: '/dev/null' })('ghcr.io', 'a')).toBeUndefined();
  });
});

describe('a named docker config', () => {
  test.each(['~/own', '~/own/config.json'])('is a directory or a file: %s', async (named) => {
    const file = await write('own/config.json', { auths: { 'ghcr.io': login('own') } });
    await dockerConfig({ auths: { 'quay.io': login('inline') } });
    env['REGISTRY_AUTH_FILE'] = '/nowhere';
    const ask = lookup({ dockerConfig: named });
    expect(await ask('ghcr.io', 'a')).toMatchObject({ source: `${file} (auths["ghcr.io"])` });
    expect(await ask('quay.io', 'a')).toBeUndefined();
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ auths: { 'ghcr.io': login('variable') } });
    expect(passwordOf(await lookup({ dockerConfig: named })('ghcr.io', 'a'))).toBe('variable');
  });

  test('that is not there is a warning, once', async () => {
    await dockerConfig({ auths: { 'ghcr.io': login('inline') } });
    const ask = lookup({ dockerConfig: '~/missing' });
    expect(await ask('ghcr.io', 'a')).toBeUndefined();
    expect(await ask('quay.io', 'a')).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining(path.join(home, 'missing'))]);
  });
});

describe('DOCKER_AUTH_CONFIG', () => {
  test.each([`{"auths": "${CANARY}`, `[{"auth": "${CANARY}"}]`, '{"auths": []}', CANARY])(
    'is passed over with a warning where it is no config: %s',
    async (text) => {
      env['DOCKER_AUTH_CONFIG'] = text;
      await dockerConfig({ auths: { 'ghcr.io': login('inline') } });
      const ask = lookup();
      expect(passwordOf(await ask('ghcr.io', 'a'))).toBe('inline');
      await ask('quay.io', 'a');
      expect(warnings).toEqual([expect.stringMatching(/^DOCKER_AUTH_CONFIG is ignored: /)]);
      expect(warnings.join()).not.toContain(CANARY);
    },
  );

  test('may name helpers, as in GitLab CI; what it does not have comes from the files', async () => {
    await helper('one');
    env['DOCKER_AUTH_CONFIG'] = JSON.stringify({ credHelpers: { 'ghcr.io': 'one' }, extra: 1 });
    await dockerConfig({ auths: { 'quay.io': login('inline') } });
    expect(await find('ghcr.io')).toMatchObject({
      password: 'of one',
      source: 'docker-credential-one (credHelpers["ghcr.io"] in DOCKER_AUTH_CONFIG)',
    });
    expect(passwordOf(await find('quay.io'))).toBe('inline');
  });
});

describe('the keys of auths', () => {
  test.each([
    ['ghcr.io', 'ghcr.io'],
    ['ghcr.io', 'https://ghcr.io'],
    ['ghcr.io', 'https://ghcr.io/v1/'],
    ['ghcr.io', 'http://ghcr.io/v2/'],
    ['ghcr.io', 'ghcr.io/v1/'],
    ['ghcr.io', 'ghcr.io/'],
    ['localhost:5000', 'http://localhost:5000/v2'],
    ['docker.io', 'https://index.docker.io/v1/'],
    ['docker.io', 'index.docker.io'],
    ['docker.io', 'docker.io'],
    ['docker.io', 'registry-1.docker.io'],
    ['docker.io', 'https://registry-1.docker.io/v2/'],
    ['index.docker.io', 'https://index.docker.io/v1/'],
  ])('%s is found as %s', async (host, key) => {
    const file = await dockerConfig({ auths: { [key]: login('x') } });
    expect(await find(host)).toMatchObject({ password: 'x', source: `${file} (auths["${key}"])` });
  });

  test.each(['ghcr.io/other', 'ghcr.io/team/ap', 'ghcr.io/team/app/sub', 'https://ghcr.io:444'])(
    '%s is not for ghcr.io/team/app',
    async (key) => {
      await dockerConfig({ auths: { [key]: login('x') } });
      expect(await find()).toBeUndefined();
    },
  );

  test('the longest prefix is taken, in every file', async () => {
    const auths: Record<string, unknown> = {
      'ghcr.io': login('host'),
      'ghcr.io/team': login('team'),
      'ghcr.io/team/app': login('app'),
      'docker.io/library': login('official'),
    };
    await dockerConfig({ auths });
    expect(passwordOf(await find('ghcr.io', 'team/app'))).toBe('app');
    expect(passwordOf(await find('ghcr.io', 'team/other'))).toBe('team');
    expect(passwordOf(await find('ghcr.io', 'x'))).toBe('host');
    expect(passwordOf(await find('docker.io', 'library/alpine'))).toBe('official');
  });

  test('an exact key stands before a legacy one; an empty entry is only a mark', async () => {
    const legacy = { 'https://ghcr.io/v1/': login('legacy') };
    await dockerConfig({ auths: { ...legacy, 'ghcr.io': login('exact') } });
    expect(passwordOf(await find())).toBe('exact');
    await dockerConfig({ auths: { ...legacy, 'ghcr.io': {} } });
    expect(passwordOf(await find())).toBe('legacy');
    await dockerConfig({ auths: { 'ghcr.io': {} } });
    expect(await find()).toBeUndefined();
  });
});

describe('an entry of auths', () => {
  const source = expect.stringContaining('config.json (auths["ghcr.io"])');
  test.each([
    [{ auth: base64('u:p:w:é') }, { kind: 'password', username: 'u', password: 'p:w:é' }],
    [{ auth: base64('u:pw\0\0') }, { kind: 'password', username: 'u', password: 'pw' }],
    [{ auth: base64('u:\0') }, { kind: 'password', username: 'u', password: '' }],
    [
      { auth: base64('_json_key:{\n}') },
      { kind: 'password', username: '_json_key', password: '{\n}' },
    ],
    [
      { username: 'u', password: 'p' },
      { kind: 'password', username: 'u', password: 'p' },
    ],
    [
      { auth: base64('0:'), identitytoken: 'T' },
      { kind: 'identity-token', token: 'T' },
    ],
    [
      { identitytoken: '', registrytoken: 'R' },
      { kind: 'registry-token', token: 'R' },
    ],
  ])('%j', async (entry, expected) => {
    await dockerConfig({ auths: { 'ghcr.io': entry } });
    expect(await find()).toEqual({ ...expected, source });
  });

  test.each<[unknown, RegExp]>([
    [{ auth: CANARY }, /base64/],
    [{ auth: Buffer.from([0x75, 0x3a, 0xff]).toString('base64') }, /base64 of UTF-8/],
    [{ auth: base64(CANARY) }, /colon/],
    [{ auth: base64(`:${CANARY}`) }, /user/],
    [{ password: CANARY }, /without a user name/],
    [{ auth: [CANARY] }, /member auth that is not a string/],
    [CANARY, /not an object/],
  ])('malformed, it fails for its own host alone: %j', async (entry, why) => {
    const file = await dockerConfig({ auths: { 'ghcr.io': entry, 'quay.io': login('x') } });
    expect(passwordOf(await find('quay.io'))).toBe('x');
    const error = await failureOf(find());
    expect(error).toMatchObject({ code: 'CONFIG', what: `reading ${file}` });
    expect(error.cause).toBeUndefined();
    expect(error.why).toContain('auths["ghcr.io"]');
    expect(error.why).toMatch(why);
    expect(error.message).not.toContain(CANARY);
    expect(error.message).not.toContain(base64(CANARY));
  });
});

describe('a config file', () => {
  test.each([
    ['{\n  "auths": {},\n}', / at 3:1$/],
    [`{"auths": {"ghcr.io": {"auth": ${CANARY}}}}`, /is not JSON$/],
    [`{"auths": {"ghcr.io": {"auth": "${CANARY}"}`, /is not JSON/],
    ['[]', /not an object/],
    ['null', /not an object/],
    ['{"auths": []}', /auths is not an object/],
    ['{"credHelpers": {"x": 1}}', /credHelpers\["x"\] is not a string/],
    ['{"credsStore": {}}', /credsStore is not a string/],
    [' '.repeat(1024 * 1024 + 1), /larger than 1048576 bytes/],
  ])('that is none is an error that names it', async (text, why) => {
    const file = await dockerConfig(text);
    const error = await failureOf(find());
    expect(error).toMatchObject({ code: 'CONFIG', what: `reading ${file}` });
    expect(error.cause).toBeUndefined();
    expect(error.why).toMatch(why);
    expect(error.message).not.toContain(CANARY);
  });

  test('that is a directory is an error', async () => {
    await mkdir(path.join(home, '.dockercfg'));
    expect((await failureOf(find())).why).toContain('directory');
  });

  test('may be empty, and have a byte order mark', async () => {
    await dockerConfig('');
    expect(await find()).toBeUndefined();
    await dockerConfig(`\uFEFF${JSON.stringify({ auths: { 'ghcr.io': login('bom') } })}`);
    expect(passwordOf(await find())).toBe('bom');
  });
});
