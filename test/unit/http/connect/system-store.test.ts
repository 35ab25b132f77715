import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls, { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemAuthorities } from '../../../../src/http/connect/system-store.js';

let scratch: string;
const [one = '', two = ''] = rootCertificates.map((root) => root.trim());

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'store-'));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(scratch, { recursive: true, force: true });
});

/** Replaces Node's reader of the system's store; it is absent before Node 22.15. */
function storeOfNode(getCACertificates: (() => string[]) | undefined): void {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...tls, getCACertificates });
}

test('a bundle without certificates is left out, and the directories are read', async () => {
  await writeFile(path.join(scratch, 'one.pem'), one);
  const env = { SSL_CERT_FILE: path.join(scratch, 'gone'), SSL_CERT_DIR: scratch };
  expect(await systemAuthorities({ env, platform: 'linux' })).toEqual([one]);
});

test.each(['darwin', 'win32'] as const)(
  'on %s the store of the system is added',
  async (platform) => {
    storeOfNode(() => [one, two]);
    await writeFile(path.join(scratch, 'one.pem'), one);
    const env = { SSL_CERT_FILE: path.join(scratch, 'one.pem') };
    expect(await systemAuthorities({ env, platform })).toEqual([one, two]);
  },
);

test('a version of Node that cannot read the store of the system has none', async () => {
  storeOfNode(undefined);
  expect(await systemAuthorities({ env: {}, platform: 'darwin' })).toEqual([]);
});
