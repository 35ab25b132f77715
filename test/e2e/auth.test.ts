import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic, getManifest } from '../support/http.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';
import { startTokenServer, type TokenServer } from '../support/token-server.js';

const folder = mkdtempSync(path.join(tmpdir(), 'auth-'));
const ONE_ERROR = /^manifest-tool: [^\n]+ failed: [^\n]+\n$/;
const ONE_ERROR_AND_HINT = /^manifest-tool: [^\n]+ failed: [^\n]+\nhint: [^\n]+\n$/;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** A directory with this config.json, for DOCKER_CONFIG. */
function dockerConfig(config: object): string {
  count += 1;
  const directory = path.join(folder, `config-${count}`);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

function auths(host: string, username: string, password: string): object {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return { auths: { [host]: { auth } } };
}

/** No form of a secret may be printed, whatever happens. */
function expectNoSecret({ stdout, stderr }: CliResult): void {
  for (const secret of [USER.password, 'alice-identity', basic(USER.username, USER.password)])
    expect(stdout + stderr).not.toContain(secret.replace('Basic ', ''));
}

describe('a registry with TLS and htpasswd', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry({ tls: true, htpasswd: true });
    const authorization = basic(USER.username, USER.password);
    await seedParityImages(registry.host, {
      ca: registry.ca,
      authorization,
      repositories: ['perplat/linux-amd64/app'],
    });
  });

  afterAll(() => registry.stop());

  const inspect = (config: object | undefined, ...options: string[]): Promise<CliResult> =>
    runCli(['inspect', ...options, `${registry.host}/perplat/linux-amd64/app:1.0`], {
      env: { DOCKER_CONFIG: config === undefined ? undefined : dockerConfig(config) },
    });

  it('whose certificate nobody vouches for is not spoken to', async () => {
    const result = await inspect(auths(registry.host, USER.username, USER.password));
    expectCode(result, 5);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(ONE_ERROR_AND_HINT);
    expect(result.stderr).toMatch(/certificate/);
  });

  it.each(['--insecure', '--insecure={R}'])(
    'is spoken to with %s, as the user of docker login',
    async (option) => {
      const config = auths(registry.host, USER.username, USER.password);
      const result = await inspect(config, option.replace('{R}', registry.host), '--debug');
      expectCode(result, 0);
      expect(result.stdout).toContain(PARITY_IMAGES['perplat/linux-amd64/app']!.tags['1.0']!);
      expectNoSecret(result);
    },
  );

  it('is not spoken to where --insecure is for another host', async () => {
    const config = auths(registry.host, USER.username, USER.password);
    const result = await inspect(config, '--insecure=registry.example.com');
    expectCode(result, 5);
  });

  it('takes the user of the command line before that of docker login', async () => {
    const config = auths(registry.host, USER.username, 'wrong');
    const user = ['-u', USER.username, '-p', USER.password];
    const result = await inspect(config, '--insecure', ...user);
    expectCode(result, 0);
  });

  it('is read as the user in ~/.docker/config.json, where nothing else is said', async () => {
    const home = path.join(folder, 'home');
    mkdirSync(path.join(home, '.docker'), { recursive: true });
    const config = JSON.stringify(auths(registry.host, USER.username, USER.password));
    writeFileSync(path.join(home, '.docker', 'config.json'), config);
    const image = `${registry.host}/perplat/linux-amd64/app:1.0`;
    const result = await runCli(['inspect', '--insecure', image], { env: { HOME: home } });
    expectCode(result, 0);
  });

  it.each([
    ['a wrong password', () => auths(registry.host, USER.username, 'wrong-secret')],
    ['no user', () => undefined],
    ['the user of another registry', () => auths('127.0.0.1', USER.username, USER.password)],
  ])('refuses %s', async (_, config) => {
    const result = await inspect(config(), '--insecure');
    expectCode(result, 4);
    expect(result.stdout).toBe('');
    const [line = ''] = result.stderr.split('\n', 1);
    expect(`${line}\n`).toMatch(ONE_ERROR);
    expect(result.stderr).toContain(registry.host);
    expectNoSecret(result);
  });
});

describe('a registry with tokens', () => {
  let tokens: TokenServer;
  let registry: Registry;
  let helpers: string;
  const repositories = ['docker/app', 'perplat/linux-amd64/app', 'perplat/linux-s390x/app'];

  beforeAll(async () => {
    tokens = await startTokenServer({
      users: { [USER.username]: USER.password, reader: 'secret' },
      grants: (user, { actions }) => {
        if (user === USER.username) return actions;
        return user === 'reader' ? actions.filter((action) => action === 'pull') : [];
      },
    });
    registry = await startRegistry({ token: tokens });
    const authorization = tokens.authorize(repositories);
    await seedParityImages(registry.host, { authorization, repositories });
    helpers = path.join(folder, 'bin');
    mkdirSync(helpers);
  });

  beforeEach(() => {
    tokens.requests.length = 0;
  });

  afterAll(async () => {
    await registry.stop();
    await tokens.stop();
  });

  /** A credential helper that knows one registry, and writes down what it is asked. */
  function helper(name: string, username: string, secret: string): void {
    const file = path.join(helpers, `docker-credential-${name}`);
    const answer = JSON.stringify({
      ServerURL: registry.host,
      Username: username,
      Secret: secret,
    });
    writeFileSync(
      file,
      `#!/bin/sh
read -r host
echo "$1 $host" >> '${file}.log'
if [ "$1 $host" = 'get ${registry.host}' ]; then echo '${answer}'; exit 0; fi
echo 'credentials not found in native keychain'; exit 1
`,
    );
    chmodSync(file, 0o755);
  }

  function push(config: object, template: string, target: string): Promise<CliResult> {
    const { host } = registry;
    return runCli(
      [
        ...'push from-args --platforms linux/amd64,linux/s390x --debug --template'.split(' '),
        `${host}/${template}`,
        '--target',
        `${host}/${target}`,
      ],
      {
        env: {
          DOCKER_CONFIG: dockerConfig(config),
          PATH: `${helpers}:${process.env['PATH'] ?? ''}`,
        },
      },
    );
  }

  async function statusOf(repository: string, tag: string): Promise<number> {
    const authorization = tokens.authorize([repository]);
    return (await getManifest(registry.host, repository, tag, { authorization })).status;
  }

  describe.each([
    ['the user of docker login', () => auths(registry.host, USER.username, USER.password), 'GET'],
    [
      'a credential helper for this registry',
      () => {
        helper('one', USER.username, USER.password);
        return { credHelpers: { [registry.host]: 'one' }, credsStore: 'not-installed' };
      },
      'GET',
    ],
    [
      'the credential store',
      () => {
        helper('all', USER.username, USER.password);
        return { credsStore: 'all', auths: { [registry.host]: {} } };
      },
      'GET',
    ],
    [
      'an identity token in the file',
      () => ({ auths: { [registry.host]: { identitytoken: 'alice-identity' } } }),
      'POST',
    ],
    [
      'an identity token of a helper',
      () => {
        helper('identity', '<token>', 'alice-identity');
        return { credHelpers: { [registry.host]: 'identity' } };
      },
      'POST',
    ],
  ] as const)('with %s', (name, config, method) => {
    const tag = `out-${name.replaceAll(' ', '-')}`;

    it('takes a list, for one token', async () => {
      const result = await push(config(), 'docker/app:OS-ARCH', `docker/app:${tag}`);
      expectCode(result, 0);
      expect(await statusOf('docker/app', tag)).toBe(200);
      expect(tokens.requests).toHaveLength(1);
      const [request] = tokens.requests;
      expect(request).toMatchObject({
        method,
        scopes: ['repository:docker/app:pull,push'],
        hasAuthorization: method === 'GET',
        status: 200,
      });
      expect(request!.parameters.get('service')).toBe(tokens.service);
      if (method === 'POST') {
        expect(request!.parameters.get('grant_type')).toBe('refresh_token');
        expect(request!.parameters.get('refresh_token')).toBe('alice-identity');
      }
      expectNoSecret(result);
    });
  });

  it('asks a helper once, by the name of the registry', async () => {
    helper('once', USER.username, USER.password);
    const config = { credHelpers: { [registry.host]: 'once' } };
    const result = await push(config, 'docker/app:OS-ARCH', 'docker/app:out-once');
    expectCode(result, 0);
    const log = readFileSync(path.join(helpers, 'docker-credential-once.log'), 'utf8');
    expect(log).toBe(`get ${registry.host}\n`);
  });

  it('takes images of other repositories, with the scope of the target first', async () => {
    const config = auths(registry.host, USER.username, USER.password);
    const result = await push(config, 'perplat/OS-ARCH/app:1.0', 'out/mounted:1');
    expectCode(result, 0);
    expect(await statusOf('out/mounted', '1')).toBe(200);
    expect(tokens.requests.length).toBeLessThanOrEqual(2);
    const scopes = tokens.requests[0]!.scopes;
    expect(scopes[0]).toBe('repository:out/mounted:pull,push');
    expect(scopes.slice(1).toSorted()).toEqual([
      'repository:perplat/linux-amd64/app:pull',
      'repository:perplat/linux-s390x/app:pull',
    ]);
    // Three blobs of each image, mounted and not copied.
    expect(result.stderr.match(/POST \S+\?mount=\S+ -> 201,/g)).toHaveLength(6);
    expect(result.stderr).not.toMatch(/(?:PUT|PATCH) \S+\/blobs\//);
  });

  it('uses the credential of each repository: blobs are uploaded, and no token covers both', async () => {
    const { host } = registry;
    const auth = (username: string): object => ({
      auth: Buffer.from(`${username}:${USER.password}`).toString('base64'),
    });
    const config = {
      auths: { [`${host}/perplat`]: auth('reader'), [`${host}/out`]: auth('alice') },
    };
    const result = await push(config, 'perplat/OS-ARCH/app:1.0', 'out/by-alice:1');
    expectCode(result, 0);
    expect(await statusOf('out/by-alice', '1')).toBe(200);
    const scopes = tokens.requests.map((request) => request.scopes.join(' '));
    expect(scopes).toContain('repository:out/by-alice:pull,push');
    expect(scopes.filter((each) => each.includes('perplat') && each.includes('out/'))).toEqual([]);
    expect(result.stderr).not.toContain('?mount=');
    expect(result.stderr).toMatch(/PUT \S+\/blobs\//);
    expectNoSecret(result);
  });

  it.each([
    ['nobody', () => ({})],
    ['a wrong password', () => auths(registry.host, USER.username, 'wrong-secret')],
    ['an unknown identity token', () => ({ auths: { [registry.host]: { identitytoken: 'x' } } })],
    ['a user who may only read', () => auths(registry.host, 'reader', 'secret')],
  ])('refuses %s, and asks for no more than two tokens', async (name, config) => {
    const tag = `refused-${name.replaceAll(' ', '-')}`;
    const result = await push(config(), 'docker/app:OS-ARCH', `docker/app:${tag}`);
    expectCode(result, 4);
    expect(result.stdout).toBe('');
    expect(tokens.requests.length).toBeGreaterThan(0);
    expect(tokens.requests.length).toBeLessThanOrEqual(2);
    expect(await statusOf('docker/app', tag)).toBe(404);
    expectNoSecret(result);
  });
});
