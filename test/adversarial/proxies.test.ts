import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic } from '../support/http.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { expectNoSecret } from './support/secrets.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
const PASSWORD = 'proxy p@ss/word:x';
let authority: Authority;
let server: ScriptedServer;
let plain: ScriptedServer;
let network: Network;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  registry.addPlatforms('x');
  server = await startScripted((request) => registry.answer(request), authority.server);
  plain = await startScripted((request) => registry.answer(request));
  network = await startNetwork({
    'registry.test:443': server.port,
    'registry.test:80': plain.port,
    '10.1.2.3:443': server.port,
  });
});

beforeEach(() => {
  server.requests.length = 0;
  plain.requests.length = 0;
  network.calls.length = 0;
  network.wants = undefined;
});

afterAll(async () => {
  await network.stop();
  await Promise.all([server.stop(), plain.stop()]);
});

function inspect(
  env: Record<string, string>,
  name = 'registry.test/x:linux-amd64',
  ...options: string[]
): Promise<CliResult> {
  const config = folder.dockerConfig(auths('registry.test', 'alice', 'secret-word'));
  const args = ['inspect', '--debug', '--timeout', '1s', '--retry', '0', ...options, name];
  return runCli(args, { env: { DOCKER_CONFIG: config, ...env } });
}

const withCredentials = (password = PASSWORD): string =>
  network.proxy.replace('http://', `http://user:${encodeURIComponent(password)}@`);

describe('credentials of the proxy', () => {
  it.each([
    ['https through CONNECT', 'registry.test/x:linux-amd64', ['--insecure']],
    ['http by the whole URL', 'registry.test/x:linux-amd64', ['--plain-http']],
  ])('%s: go to the proxy alone', async (_, name, options) => {
    network.wants = basic('user', PASSWORD);
    const env = { HTTPS_PROXY: withCredentials(), HTTP_PROXY: withCredentials() };
    const result = await inspect(env, name, ...options);
    expectCode(result, 0);
    for (const { headers } of [...server.requests, ...plain.requests])
      expect(headers['proxy-authorization']).toBeUndefined();
    for (const { headers, kind } of network.calls)
      if (kind === 'connect') expect(headers.authorization).toBeUndefined();
    expectNoSecret(result, [PASSWORD, 'secret-word']);
  });

  it.each(['--insecure', '--plain-http'])(
    'that are refused (%s): told, without them, and tried once',
    async (option) => {
      network.wants = basic('user', 'another');
      const env = { HTTPS_PROXY: withCredentials(), HTTP_PROXY: withCredentials() };
      const args = ['inspect', '--debug', '--retry-delay', '5ms', option, 'registry.test/x'];
      const result = await runCli(args, { env });
      expectCode(result, 5);
      expect(result.stderr).toContain('407');
      expect(network.calls).toHaveLength(1);
      expectNoSecret(result, [PASSWORD]);
    },
  );

  it('a name without a password is sent as it is', async () => {
    network.wants = basic('user', '');
    const env = { HTTPS_PROXY: network.proxy.replace('http://', 'http://user@') };
    expectCode(await inspect(env, 'registry.test/x:linux-amd64', '--insecure'), 0);
  });

  it.each([
    'http://user:canary/word@127.0.0.1:1',
    'http://user:canary%word@127.0.0.1:1',
    'socks5://user:canaryword@127.0.0.1:1',
    'ftp://user:canaryword@127.0.0.1:1',
    'http://user:canaryword@',
    'http://user:canary#word@127.0.0.1:1',
    'user:canaryword@127.0.0.1:99999',
  ])('%s is wrong configuration, and is not printed', async (proxy) => {
    const result = await inspect({ HTTPS_PROXY: proxy });
    expectCode(result, 2);
    expect(result.stderr).toContain('HTTPS_PROXY');
    expect(result.stderr).not.toMatch(/canary/);
  });

  it('a proxy that is not there is named', async () => {
    const result = await inspect({ HTTPS_PROXY: 'http://user:canaryword@127.0.0.1:1' });
    expectCode(result, 5);
    expect(result.stderr).toContain('127.0.0.1:1');
    expect(result.stderr).toMatch(/^hint: .*HTTPS_PROXY/m);
    expectNoSecret(result, ['canaryword']);
  });
});

describe('which variable', () => {
  it.each([
    ['HTTPS_PROXY', true],
    ['https_proxy', true],
    ['HTTP_PROXY', false],
    ['ALL_PROXY', false],
  ])('%s for https: %j', async (variable, isUsed) => {
    await inspect({ [variable]: network.proxy }, 'registry.test/x:linux-amd64', '--insecure');
    expect(network.calls.length > 0).toBe(isUsed);
  });

  it('an empty one in capitals does not hide the other', async () => {
    const env = { HTTPS_PROXY: '', https_proxy: network.proxy };
    expectCode(await inspect(env, 'registry.test/x:linux-amd64', '--insecure'), 0);
  });

  it('an address without a scheme is one of http', async () => {
    const env = { HTTPS_PROXY: network.proxy.replace('http://', '') };
    expectCode(await inspect(env, 'registry.test/x:linux-amd64', '--insecure'), 0);
  });
});

describe('test 23: NO_PROXY as docker has it', () => {
  it.each([
    ['registry.test', false],
    ['test', false],
    ['.test', false],
    ['*.test', false],
    ['REGISTRY.TEST', false],
    ['registry.test:443', false],
    ['*', false],
    ['other.test, registry.test', false],
    ['registry.test:444', true],
    ['.registry.test', true],
    ['istry.test', true],
    ['10.0.0.0/8', true],
    ['', true],
  ])('%j for registry.test: through the proxy %j', async (noProxy, isUsed) => {
    await inspect(
      { HTTPS_PROXY: network.proxy, NO_PROXY: noProxy },
      'registry.test/x',
      '--insecure',
    );
    expect(network.calls.length > 0).toBe(isUsed);
  });

  it.each([
    ['10.1.2.3', false],
    ['10.0.0.0/8', false],
    ['10.1.2.3:443', false],
    ['10.1.2.0/25', false],
    ['10.1.2.128/25', true],
    ['10.1.2.3:80', true],
    ['10.1.2', true],
  ])('%j for 10.1.2.3: through the proxy %j', async (noProxy, isUsed) => {
    const env = { HTTPS_PROXY: network.proxy, NO_PROXY: noProxy };
    // Without the proxy there is no such host here, so it only has to end.
    await inspect(env, '10.1.2.3/x', '--insecure', ...(isUsed ? [] : []));
    expect(network.calls.length > 0).toBe(isUsed);
  });

  it.each(['127.0.0.1', 'localhost'])('%s is never proxied', async (host) => {
    const result = await inspect(network.env, `${host}:${plain.port}/x:linux-amd64`);
    expectCode(result, 0);
    expect(network.calls).toEqual([]);
  });
});

describe('faults of the proxy', () => {
  it('a host that it cannot reach is tried again, and the proxy is named', async () => {
    const args = ['inspect', '--retry-delay', '5ms', '--retry', '2', 'absent.test/x'];
    const result = await runCli(args, { env: { ...network.env } });
    expectCode(result, 5);
    expect(network.calls).toHaveLength(3);
    expect(result.stderr).toMatch(/3 attempts/);
  });

  it('a push goes through it', async () => {
    const args = pushArguments('registry.test/x', 'registry.test/y');
    const result = await runCli([...args, '--ca-file', authority.caFile], { env: network.env });
    expectCode(result, 0);
    expect(registry.manifests.has('y:out')).toBe(true);
  });
});
