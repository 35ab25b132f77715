import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Folder } from '../adversarial/support/files.js';
import { makeAuthority, type Authority } from '../adversarial/support/authority.js';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { startRegistry, type Registry } from '../support/registry.js';

const folder = new Folder();
let authority: Authority;
let stranger: Authority;
let registry: Registry;

beforeAll(async () => {
  authority = await makeAuthority(path.join(folder.path, 'authority'));
  stranger = await makeAuthority(path.join(folder.path, 'stranger'));
  registry = await startRegistry({ tls: true, clientCaFile: authority.caFile });
});

afterAll(() => registry.stop());

/** A home whose certs.d has these pairs for the registry, beside its authority. */
function homeWith(pairs: Readonly<Record<string, Authority>>): string {
  const home = folder.directory();
  const directory = path.join(home, '.config', 'containers', 'certs.d', registry.host);
  mkdirSync(directory, { recursive: true });
  copyFileSync(registry.caFile!, path.join(directory, 'ca.crt'));
  for (const [name, { client }] of Object.entries(pairs)) {
    copyFileSync(client.certFile, path.join(directory, `${name}.cert`));
    copyFileSync(client.keyFile, path.join(directory, `${name}.key`));
  }
  return home;
}

/** Exit code 3 means that the registry has let the client in: there is no image. */
const inspect = (HOME: string, options: readonly string[] = []): Promise<CliResult> =>
  runCli(['inspect', ...options, `${registry.host}/x:1`], { env: { HOME } });

describe('a registry that demands a client certificate', () => {
  it('ends the command at once if there is none', async () => {
    const result = await inspect(homeWith({}));
    expectCode(result, 4);
    expect(result.stderr).toContain('it asks for a client certificate, but none is configured');
    expect(result.stderr).not.toContain('attempts');
  });

  it('and if it refuses the one that it got', async () => {
    const result = await inspect(homeWith({ a: stranger }));
    expectCode(result, 4);
    expect(result.stderr).toMatch(/the alert "[a-z ]+": it refuses the client certificate/);
    expect(result.stderr).toMatch(/^hint: pass one that the registry trusts: --cert-file/m);
  });

  it('gets the second pair of its directory where it refuses the first', async () => {
    expectCode(await inspect(homeWith({ a: stranger, b: authority })), 3);
    expectCode(await inspect(homeWith({ a: authority, b: stranger })), 3);
  });
});

describe('an authority that only the system knows', () => {
  it('is found in SSL_CERT_DIR', async () => {
    const SSL_CERT_DIR = folder.directory();
    copyFileSync(registry.caFile!, path.join(SSL_CERT_DIR, 'private.pem'));
    const { client } = authority;
    const args = ['inspect', '--cert-file', client.certFile, '--key-file', client.keyFile];
    const name = `${registry.host}/x:1`;
    expectCode(await runCli([...args, name], { env: { SSL_CERT_DIR, HOME: folder.path } }), 3);
    expectCode(await runCli([...args, name], { env: { HOME: folder.path } }), 5);
  });
});
