import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, spawnCli, type CliResult } from '../support/cli.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
let authority: Authority;
let stranger: Authority;
let server: ScriptedServer;
let strict: ScriptedServer;
let plain: ScriptedServer;
let network: Network;

beforeAll(async () => {
  authority = await makeAuthority(path.join(folder.path, 'authority'));
  stranger = await makeAuthority(path.join(folder.path, 'stranger'));
  registry.addImage('x', 'latest');
  const { server: pair, ca } = authority;
  server = await startScripted((request) => registry.answer(request), pair);
  strict = await startScripted((request) => registry.answer(request), {
    ...pair,
    clientCa: ca,
    demandsClient: true,
  });
  plain = await startScripted((request) => registry.answer(request));
  network = await startNetwork({
    'registry.test:443': server.port,
    'registry.test:80': plain.port,
    'registry.test:5000': server.port,
    'registry.test:6000': strict.port,
    'registry.test:7000': plain.port,
  });
});

beforeEach(() => {
  for (const each of [server, strict, plain]) each.requests.length = 0;
  network.calls.length = 0;
});

afterAll(async () => {
  await network.stop();
  await Promise.all([server.stop(), strict.stop(), plain.stop()]);
});

function inspect(
  name: string,
  options: string[] = [],
  env: Record<string, string> = {},
): Promise<CliResult> {
  const args = ['inspect', '--retry', '0', ...options, name];
  const config = folder.dockerConfig(auths('registry.test', 'alice', 'secret-word'));
  return runCli(args, { env: { ...network.env, DOCKER_CONFIG: config, ...env } });
}

/** A home with a directory of certificates for a host. */
function homeWith(host: string, files: Record<string, string>, kind = 'containers'): string {
  const home = folder.directory();
  const directory = path.join(home, '.config', kind, 'certs.d', host);
  mkdirSync(directory, { recursive: true });
  for (const [name, file] of Object.entries(files)) copyFileSync(file, path.join(directory, name));
  return home;
}

describe('authorities', () => {
  it('without any, the certificate is refused, and the hint says where to put one', async () => {
    const result = await inspect('registry.test:5000/x');
    expectCode(result, 5);
    expect(result.stderr).toMatch(
      /registry\.test:5000: its certificate is .*authority.*\(CN=test authority\)/,
    );
    expect(result.stderr).toMatch(/^hint: .*--ca-file.*certs\.d\/registry\.test:5000/m);
    expect(server.requests).toEqual([]);
  });

  it('--ca-file', async () => {
    expectCode(await inspect('registry.test/x', ['--ca-file', authority.caFile]), 0);
  });

  it('--ca-file of another authority', async () => {
    expectCode(await inspect('registry.test/x', ['--ca-file', stranger.caFile]), 5);
  });

  it.each([
    ['that is not there', (): string => path.join(folder.path, 'absent.crt')],
    ['that is no certificate', (): string => folder.write('rubbish.crt', 'rubbish')],
  ])('--ca-file %s is an error of its own', async (_, file) => {
    const result = await inspect('registry.test/x', ['--ca-file', file()]);
    expectCode(result, 2);
    expect(result.stderr).toMatch(/reading CA file \S+ failed/);
  });

  it('SSL_CERT_FILE', async () => {
    expectCode(await inspect('registry.test/x', [], { SSL_CERT_FILE: authority.caFile }), 0);
  });

  it.each(['containers', 'docker'])('~/.config/%s/certs.d/HOST', async (kind) => {
    const HOME = homeWith('registry.test:5000', { 'ca.crt': authority.caFile }, kind);
    expectCode(await inspect('registry.test:5000/x', [], { HOME }), 0);
    // The port has to be the same.
    expectCode(await inspect('registry.test/x', [], { HOME }), 5);
  });

  it('--cert-dir stands for that of every host', async () => {
    const directory = folder.directory();
    copyFileSync(authority.caFile, path.join(directory, 'any.crt'));
    expectCode(await inspect('registry.test/x', ['--cert-dir', directory]), 0);
  });
});

describe('client certificates', () => {
  it('a server that demands one refuses who has none', async () => {
    const result = await inspect('registry.test:6000/x', ['--ca-file', authority.caFile]);
    expectCode(result, 4);
    expect(result.stderr).toMatch(/alert "certificate required": it asks for a client certificate/);
    expect(result.stderr).toMatch(/^hint: .*--cert-file.*certs\.d\/registry\.test:6000/m);
    expect(strict.requests).toEqual([]);
  });

  it('--cert-file and --key-file', async () => {
    const result = await inspect('registry.test:6000/x', [
      '--ca-file',
      authority.caFile,
      '--cert-file',
      authority.client.certFile,
      '--key-file',
      authority.client.keyFile,
    ]);
    expectCode(result, 0);
    expect(strict.requests.every(({ hasClientCertificate }) => hasClientCertificate)).toBe(true);
  });

  it('certs.d', async () => {
    const HOME = homeWith('registry.test:6000', {
      'ca.crt': authority.caFile,
      'client.cert': authority.client.certFile,
      'client.key': authority.client.keyFile,
    });
    expectCode(await inspect('registry.test:6000/x', [], { HOME }), 0);
  });

  it('a half pair in certs.d is an error with the name of the file', async () => {
    const HOME = homeWith('registry.test:6000', {
      'ca.crt': authority.caFile,
      'client.cert': authority.client.certFile,
    });
    const result = await inspect('registry.test:6000/x', [], { HOME });
    expectCode(result, 2);
    expect(result.stderr).toContain('client.cert');
  });

  it.each([
    ['--cert-file', 'certFile'],
    ['--key-file', 'keyFile'],
  ] as const)('%s alone is wrong use', async (option, file) => {
    const result = await inspect('registry.test:6000/x', [option, authority.client[file]]);
    expectCode(result, 2);
    expect(result.stderr).toContain(option === '--cert-file' ? '--key-file' : '--cert-file');
  });

  it('a key that is not that of the certificate is an error that shows no key', async () => {
    const result = await inspect('registry.test:6000/x', [
      '--cert-file',
      authority.client.certFile,
      '--key-file',
      stranger.client.keyFile,
      '--debug',
    ]);
    expectCode(result, 2);
    expect(result.stderr).not.toContain('PRIVATE KEY');
  });
});

describe('--insecure and --plain-http', () => {
  it('--insecure goes without checking, through the proxy', async () => {
    expectCode(await inspect('registry.test/x', ['--insecure']), 0);
    expect(network.calls[0]!.target).toBe('registry.test:443');
    expect(plain.requests).toEqual([]);
  });

  it.each([
    ['registry.test:5000/x', '--insecure=registry.test:5000', 0],
    ['registry.test:5000/x', '--insecure=registry.test', 5],
    ['registry.test/x', '--insecure=registry.test:5000', 5],
    ['registry.test/x', '--insecure=test', 5],
  ])('%s with %s: exit code %i', async (name, option, code) => {
    expectCode(await inspect(name, [option]), code);
  });

  it.each([
    ['registry.test:7000/x', '--plain-http=registry.test:7000', 0],
    ['registry.test/x', '--plain-http', 0],
    ['registry.test/x', '--plain-http=registry.test', 0],
  ])('%s with %s: plain http', async (name, option, code) => {
    expectCode(await inspect(name, [option]), code);
    expect(network.calls.every(({ kind }) => kind === 'forward')).toBe(true);
  });

  it('--plain-http for another host leaves this one in TLS', async () => {
    expectCode(await inspect('registry.test/x', ['--plain-http=other.test']), 5);
    expect(plain.requests).toEqual([]);
  });

  it('a host that speaks no TLS is told of, with what to give', async () => {
    const result = await inspect('registry.test:7000/x');
    expectCode(result, 5);
    expect(result.stderr).toMatch(/^hint: .*--plain-http/m);
    expect(plain.requests).toEqual([]);
  });
});

describe('test 23: never from https to http', () => {
  it.each([
    ['a certificate that nobody vouches for', 'registry.test/x'],
    ['a port of TLS that is closed', 'closed.test/x'],
  ])('%s', async (_, name) => {
    network.hosts.set('closed.test:80', plain.port);
    const config = folder.dockerConfig(auths(name.split('/')[0]!, 'alice', 'secret-word'));
    const result = await inspect(name, [], { DOCKER_CONFIG: config });
    expectCode(result, 5);
    expect(plain.requests).toEqual([]);
    expect(network.calls.every(({ kind }) => kind === 'connect')).toBe(true);
  });

  it('a registry on this machine, where anything is said of its certificate', async () => {
    const name = `localhost:${server.port}/x`;
    const args = ['inspect', '--retry', '0', '--ca-file', stranger.caFile, name];
    const result = await runCli(args);
    expectCode(result, 5);
    expect(result.stderr).toContain('certificate');
    expect(server.requests).toEqual([]);
  });

  it('certs.d with a client pair and NODE_EXTRA_CA_CERTS work together', async () => {
    const HOME = homeWith('registry.test:6000', {
      'ca.crt': stranger.caFile,
      'client.cert': authority.client.certFile,
      'client.key': authority.client.keyFile,
    });
    const { done } = spawnCli(['inspect', 'registry.test:6000/x'], {
      env: { ...network.env, HOME, NODE_EXTRA_CA_CERTS: authority.caFile },
    });
    const { code, stderr } = await done;
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});
