import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic } from '../support/http.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { expectNoSecret } from './support/secrets.js';
import { json, startScripted, type Answer, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
let authority: Authority;
let secure: ScriptedServer;
let plain: ScriptedServer;
let auth: ScriptedServer;
let network: Network;
let realm: string;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  registry.addImage('x', 'latest');
  const script = (request: Parameters<ScriptedServer['script']>[0]): Answer =>
    request.headers.authorization === 'Bearer granted-token'
      ? registry.answer(request)
      : { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}",service="s"` } };
  secure = await startScripted(script, authority.server);
  plain = await startScripted(script);
  auth = await startScripted(() => json(200, { token: 'granted-token' }), authority.server);
  network = await startNetwork({
    'registry.test:443': secure.port,
    'registry.test:80': plain.port,
    'auth.test:443': auth.port,
    'auth.test:80': plain.port,
    'evil.test:443': auth.port,
  });
});

beforeEach(() => {
  for (const server of [secure, plain, auth]) server.requests.length = 0;
  network.calls.length = 0;
  auth.script = () => json(200, { token: 'granted-token' });
});

afterAll(async () => {
  await network.stop();
  await Promise.all([secure.stop(), plain.stop(), auth.stop()]);
});

function inspect(config: object, ...options: string[]): Promise<CliResult> {
  const args = ['inspect', '--debug', '--ca-file', authority.caFile, '--retry', '0', ...options];
  const env = { ...network.env, DOCKER_CONFIG: folder.dockerConfig(config) };
  return runCli([...args, 'registry.test/x'], { env });
}

const PASSWORD = auths('registry.test', 'alice', 'secret-word');
const IDENTITY = { auths: { 'registry.test': { identitytoken: 'secret-identity' } } };

/** Fails if a credential, or any request, reached a server other than the realm's. */
function expectNothingLeft(result: CliResult): void {
  expectNoSecret(result, ['secret-word', 'secret-identity']);
  const all = [...secure.requests, ...plain.requests, ...auth.requests];
  for (const { headers, url, body } of all) {
    expect(headers.authorization).toBeUndefined();
    expect(url + body.toString()).not.toMatch(/secret-/);
  }
}

describe('test 9: hostile realms of an https registry', () => {
  const hostile = [
    'http://registry.test/t',
    'http://auth.test/t',
    'https://169.254.169.254/latest/meta-data',
    'https://[::ffff:127.0.0.1]/t',
    'https://[::ffff:a9fe:a9fe]/t',
    'https://127.0.0.1:9/t',
    'https://127.1:9/t',
    'https://0x7f000001/t',
    'https://2130706433/t',
    'https://0/t',
    'https://10.0.0.1/t',
    'https://192.168.1.1/t',
    'https://172.31.255.255/t',
    'https://100.100.100.200/t',
    'https://[::1]/t',
    'https://[fe80::1]/t',
    'https://[fd00::1]/t',
    'https://[::]/t',
    'https://localhost/t',
    'https://localhost./t',
    'https://x.localhost/t',
    'https://user:pw@auth.test/t',
    'https://auth.test@evil.test:1/t',
    'ftp://auth.test/t',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://',
  ];

  it.each(hostile)('%s: refused, nothing is sent', async (address) => {
    realm = address;
    for (const config of [PASSWORD, IDENTITY]) {
      const result = await inspect(config);
      expectCode(result, 4);
      expectNothingLeft(result);
      expect(network.calls.filter(({ target }) => target !== 'registry.test:443')).toEqual([]);
    }
  });

  it.each([
    ['to another host', 307, 'https://evil.test/t'],
    ['to another host, as a GET', 302, 'https://evil.test/t'],
    ['to plain http', 307, 'http://auth.test/t'],
    ['to an address with a user', 307, 'https://a:b@auth.test/t'],
  ])('one that redirects %s', async (_, status, location) => {
    realm = 'https://auth.test/t';
    const targets: string[] = [];
    auth.script = (request) => {
      targets.push(request.headers.host ?? '');
      return { status, headers: { location } };
    };
    for (const config of [PASSWORD, IDENTITY]) {
      const result = await inspect(config);
      expect(result.code).not.toBe(0);
      expectNoSecret(result, ['secret-word', 'secret-identity']);
    }
    expect(new Set(targets)).toEqual(new Set(['auth.test']));
    expect(plain.requests).toEqual([]);
  });

  it.each([
    ['on another public host (GitLab, Docker Hub)', 'https://auth.test/jwt/auth?x=1'],
    ['on the registry itself', 'https://registry.test/t'],
  ])('%s is used, with what its address holds', async (_, address) => {
    realm = address;
    secure.script = (request) => {
      if (request.path === '/t') return json(200, { token: 'granted-token' });
      return request.headers.authorization === 'Bearer granted-token'
        ? registry.answer(request)
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="${realm}"` } };
    };
    expectCode(await inspect(PASSWORD), 0);
    const server = address.includes('auth.test') ? auth : secure;
    const asked = server.requests.find(({ path }) => path === new URL(address).pathname);
    expect(asked!.headers.authorization).toBe(basic('alice', 'secret-word'));
    if (address.includes('?')) expect(asked!.query.get('x')).toBe('1');
  });
});

describe('of a registry in plain http, which is not this machine', () => {
  it.each(['http://127.0.0.1:9/t', 'http://169.254.169.254/t', 'http://localhost:9/t'])(
    '%s is refused',
    async (address) => {
      realm = address;
      const result = await inspect(PASSWORD, '--plain-http=registry.test');
      expectCode(result, 4);
      expectNothingLeft(result);
    },
  );
});
