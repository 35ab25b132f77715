import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { detectHelper } from '../../../src/credentials/helper.js';
import { findExecutable } from '../../../src/credentials/helper-process.js';
import { createCredentialStore, type CredentialOptions } from '../../../src/credentials/store.js';
import { ManifestToolError } from '../../../src/errors.js';
import type { CredentialStore } from '../../../src/http/auth/credential.js';

const CANARY = 'c4n4ry-s3cret';

let home: string;
let bin: string;
let env: Record<string, string | undefined>;
let warnings: string[];

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'helpers-'));
  bin = path.join(home, 'bin');
  await mkdir(bin);
  env = { HOME: home, PATH: `${bin}:/usr/bin:/bin`, XDG_RUNTIME_DIR: home };
  warnings = [];
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

async function program(name: string, script: string, directory = bin): Promise<void> {
  await writeFile(path.join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** A config whose store is `docker-credential-fake`, which does what the script says. */
async function fake(script: string, config: object = { credsStore: 'fake' }): Promise<string> {
  await program('docker-credential-fake', script);
  const file = path.join(home, 'config.json');
  await writeFile(file, JSON.stringify(config));
  env['DOCKER_CONFIG'] = home;
  return file;
}

function lookup(options: Partial<CredentialOptions> = {}): CredentialStore['get'] {
  const onWarning = (text: string): void => void warnings.push(text);
  return createCredentialStore({ env, onWarning, ...options }).get;
}

async function failureOf(
  find: CredentialStore['get'],
  host = 'ghcr.io',
): Promise<ManifestToolError> {
  const error = await find(host, 'a').then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ManifestToolError)) throw new Error('expected a ManifestToolError');
  expect(error.message).not.toContain('\n');
  // Everything in it, including causes, hint and stack.
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY);
  return error;
}

const answer = (username: string, secret: string): string =>
  `echo '${JSON.stringify({ ServerURL: 'x', Username: username, Secret: secret })}'`;

describe('what a helper answers', () => {
  test('is asked with the bare host on its standard input, once for each host', async () => {
    const file = await fake(`(echo "$@"; cat; echo) >>$HOME/log; ${answer('me', 'pw')}`);
    const find = lookup();
    const both = await Promise.all([find('ghcr.io', 'a'), find('ghcr.io', 'b')]);
    await find('docker.io', 'library/a');
    const source = `docker-credential-fake (credsStore in ${file})`;
    const credential = { kind: 'password', username: 'me', password: 'pw', source };
    expect(both).toEqual([credential, credential]);
    const log = await readFile(path.join(home, 'log'), 'utf8');
    expect(log).toBe('get\nghcr.io\nget\nhttps://index.docker.io/v1/\n');
  });

  test('<token> is an identity token', async () => {
    await fake(answer('<token>', 'T'));
    expect(await lookup()('ghcr.io', 'a')).toMatchObject({ kind: 'identity-token', token: 'T' });
  });

  test.each([
    ['an empty user name is one', answer('', 'pw'), { kind: 'password', username: '' }],
    [
      'other cases of the members are read',
      `echo '{"username":"u","secret":"s"}'`,
      { username: 'u' },
    ],
  ])('%s', async (_, script, expected) => {
    await fake(script);
    expect(await lookup()('ghcr.io', 'a')).toMatchObject(expected);
  });

  test.each([
    ['not found', `echo 'credentials not found in native keychain'; exit 1`],
    ['empty', answer('', '')],
  ])('%s is no credential, and an entry of auths does not take its place', async (_, script) => {
    const auths = { 'ghcr.io': { username: 'u', password: 'p' } };
    await fake(script, { credsStore: 'fake', auths });
    expect(await lookup()('ghcr.io', 'a')).toBeUndefined();
    await fake(script, { credHelpers: { 'ghcr.io': 'fake' }, auths });
    expect(await lookup()('ghcr.io', 'a')).toBeUndefined();
  });

  test('where it has none, the next source is asked', async () => {
    await fake(`echo 'credentials not found in native keychain'; exit 1`);
    const flat = { 'ghcr.io': { username: 'u', password: 'flat' } };
    await writeFile(path.join(home, '.dockercfg'), JSON.stringify(flat));
    expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'flat' });
  });

  test('an empty name in credHelpers takes a host out of the store', async () => {
    const auths = { 'ghcr.io': { username: 'u', password: 'inline' } };
    await fake('exit 1', { credsStore: 'fake', credHelpers: { 'ghcr.io': '' }, auths });
    expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'inline' });
  });

  test('credHelpers know Docker Hub by any of its names', async () => {
    await fake(answer('me', 'pw'), { credHelpers: { 'index.docker.io': 'fake' } });
    expect(await lookup()('docker.io', 'library/a')).toMatchObject({ password: 'pw' });
    expect(await lookup()('ghcr.io', 'a')).toBeUndefined();
  });
});

describe('a helper that leaves a child with its pipes', () => {
  test('has answered: the child is neither waited for nor ended', async () => {
    await fake(`sleep 600 & echo $! >$HOME/pid; ${answer('me', 'pw')}`);
    expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'pw' });
    const pid = Number(await readFile(path.join(home, 'pid'), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });
});

describe('a helper that fails', () => {
  test.each<[string, string, RegExp]>([
    ['prints the secret', `${answer('me', CANARY)}; exit 1`, /exit code 1 without a message$/],
    [
      'complains',
      `echo ${CANARY}; printf 'no\\nbus\\033[1m' >&2; exit 2`,
      /code 2 and said: no bus\\u001b\[1m$/,
    ],
    ['complains at length', `head -c 200000 /dev/zero | tr '\\0' x >&2; exit 1`, /said: x{1024}$/],
    ['has no URL', `echo 'no credentials server URL'; exit 1`, /said: no credentials server URL$/],
    ['has no user', `echo 'no credentials username'; exit 1`, /said: no credentials username$/],
    ['gives no JSON', `echo ${CANARY}`, /returned invalid JSON$/],
    ['gives no object', `echo '["${CANARY}"]'`, /JSON that is not an object$/],
    ['gives no strings', `echo '{"Username":"u","Secret":["${CANARY}"]}'`, /not a string$/],
    ['gives too much', `yes ${CANARY}`, /more than 65536 bytes/],
    ['is killed', 'kill -9 $$', /SIGKILL/],
  ])('%s', async (_, script, why) => {
    const file = await fake(script, { credHelpers: { 'ghcr.io': 'fake' } });
    const error = await failureOf(lookup());
    expect(error.code).toBe('CONFIG');
    expect(error.what).toBe('finding the credential for ghcr.io');
    expect(error.why).toContain(`docker-credential-fake (credHelpers["ghcr.io"] in ${file}) `);
    expect(error.why).toMatch(why);
    expect(error.hint).toContain('docker-credential-fake list');
    expect(warnings).toEqual([]);
  });

  test('hangs: it is ended after its time', async () => {
    await fake('echo $$ >$HOME/pid; exec sleep 600');
    const error = await failureOf(lookup({ helperTimeoutMs: 3000 }));
    expect(error).toMatchObject({ code: 'CONFIG', why: expect.stringMatching(/within 3 s$/) });
    const pid = Number(await readFile(path.join(home, 'pid'), 'utf8'));
    await expect.poll(() => isAlive(pid), { timeout: 60_000 }).toBe(false);
  });

  test('hangs in a child: both are ended', async () => {
    await fake('sleep 600 & echo $! $$ >$HOME/pids; wait');
    await failureOf(lookup({ helperTimeoutMs: 3000 }));
    const pids = (await readFile(path.join(home, 'pids'), 'utf8')).trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    await expect.poll(() => pids.filter(isAlive), { timeout: 60_000 }).toEqual([]);
  });

  test('writes much to its standard error: what is beyond the limit is not kept', async () => {
    await fake('head -c 200000000 /dev/zero >&2; exit 1');
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 20);
    await failureOf(lookup());
    clearInterval(timer);
    expect(most).toBeLessThan(100_000_000);
  });

  test('is ended by the signal', async () => {
    await fake('exec sleep 600');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const find = lookup({ signal: controller.signal });
    expect(await failureOf(find)).toMatchObject({ code: 'INTERRUPTED' });
    expect(await failureOf(find, 'quay.io')).toMatchObject({ code: 'INTERRUPTED' });
  });

  test('is not installed', async () => {
    const file = await fake('', { credsStore: 'gone' });
    const error = await failureOf(lookup());
    expect(error.why).toBe(
      `credential helper docker-credential-gone (credsStore in ${file}) is not installed`,
    );
    expect(error.hint).toContain('PATH');
  });

  test('does not read its standard input', async () => {
    await fake(`exec 0<&-; ${answer('me', 'pw')}`);
    expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'pw' });
  });
});

describe('which program is run', () => {
  test.each(['../fake', 'a/../../fake', '..', 'a b', 'x;touch y', 'x\0', '/bin/fake', 'a\\b', 'é'])(
    'not %j',
    async (suffix) => {
      await fake(answer('me', CANARY), { credsStore: suffix });
      const error = await failureOf(lookup());
      expect(error).toMatchObject({ code: 'CONFIG' });
      expect(error.why).toMatch(/is not a credential helper$/);
    },
  );

  test('never one in the working directory', async () => {
    await fake(answer('me', CANARY));
    const before = process.cwd();
    process.chdir(bin);
    try {
      env['PATH'] = `.::./:${path.basename(bin)}:../bin`;
      expect((await failureOf(lookup())).why).toMatch(/is not installed$/);
    } finally {
      process.chdir(before);
    }
  });

  test('the first on PATH that can be run', async () => {
    const [a, b] = [path.join(home, 'a'), path.join(home, 'b')];
    await mkdir(path.join(a, 'tool'), { recursive: true });
    await mkdir(b);
    await program('tool', '', b);
    await program('other.exe', '', b);
    const PATH = `${a}:${b}`;
    expect(await findExecutable('tool', { PATH })).toBe(path.join(b, 'tool'));
    expect(await findExecutable('tool', {})).toBeUndefined();
    expect(await findExecutable('tool', { Path: PATH }, 'win32')).toBeUndefined();
    expect(await findExecutable('other', { Path: PATH }, 'win32')).toBe(path.join(b, 'other.exe'));
  });
});

describe('the store of the platform', () => {
  test.each<[NodeJS.Platform, string[], string | undefined]>([
    ['linux', ['docker-credential-secretservice', 'docker-credential-pass'], 'secretservice'],
    ['linux', ['docker-credential-pass', 'pass'], 'pass'],
    ['linux', ['docker-credential-secretservice', 'pass'], undefined],
    ['linux', [], undefined],
    ['darwin', ['docker-credential-osxkeychain'], 'osxkeychain'],
    ['win32', ['docker-credential-wincred.exe'], 'wincred'],
    ['win32', ['docker-credential-wincred.cmd'], undefined],
    ['aix', ['docker-credential-pass', 'pass'], undefined],
  ])('%s with %j', async (platform, installed, expected) => {
    for (const name of installed) await program(name, '');
    expect(await detectHelper({ PATH: bin }, platform)).toBe(expected);
  });

  describe.runIf(process.platform === 'linux')('is asked', () => {
    beforeEach(async () => {
      await fake('exit 1', { HttpHeaders: {}, auths: {} });
      await program('pass', '');
    });

    test('where the docker config has no setting', async () => {
      await program('docker-credential-pass', answer('me', 'pw'));
      const source = 'docker-credential-pass (found on PATH)';
      expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'pw', source });
      await rm(path.join(home, 'config.json'));
      expect(await lookup()('ghcr.io', 'a')).toMatchObject({ password: 'pw', source });
    });

    test('but not where a file was named, or has any setting', async () => {
      await program('docker-credential-pass', answer('me', 'pw'));
      expect(await lookup({ dockerConfig: home })('ghcr.io', 'a')).toBeUndefined();
      await fake('', { auths: { 'quay.io': {} } });
      expect(await lookup()('ghcr.io', 'a')).toBeUndefined();
    });

    test('and its failure is a warning', async () => {
      await program('docker-credential-pass', `echo ${CANARY}; echo locked >&2; exit 1`);
      expect(await lookup()('ghcr.io', 'a')).toBeUndefined();
      expect(warnings).toEqual([expect.stringMatching(/found on PATH.*locked; continuing/)]);
      expect(warnings.join()).not.toContain(CANARY);
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended; its parent has not waited for it yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
