import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directOrigin } from '../../../../src/http/connect/direct.js';
import { sharedLookup } from '../../../../src/http/connect/lookup.js';
import { Sockets } from '../../../../src/http/connect/sockets.js';
import {
  HostTls,
  SecureContexts,
  tlsIsMeant,
  tlsSettings,
  type SharedTls,
  type TlsOptions,
  type TlsSettings,
} from '../../../../src/http/connect/tls.js';
import { wire } from '../../../../src/http/wire.js';
import { makeCertificate, type Certificate } from '../../../support/certificate.js';
import { timeoutsOf } from '../../../support/timeouts.js';

const HOST = 'registry.example:5000';

let scratch: string;
let server: Certificate;
let client: Certificate;
let other: Certificate;
let pem: Record<'server' | 'client' | 'other', string>;
let hostDirectory: string;

async function certificate(name: string): Promise<Certificate> {
  await mkdir(path.join(scratch, name), { recursive: true });
  return makeCertificate(path.join(scratch, name));
}

const read = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim();

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'tls-'));
  server = await certificate('server');
  client = await certificate('client');
  other = await certificate('other');
  pem = {
    server: await read(server.certFile),
    client: await read(client.certFile),
    other: await read(other.certFile),
  };
  hostDirectory = path.join(scratch, 'roots', HOST);
  await mkdir(hostDirectory, { recursive: true });
  await writeFile(path.join(hostDirectory, 'ca.crt'), pem.server);
  await writeFile(path.join(hostDirectory, 'client.cert'), pem.client);
  await writeFile(path.join(hostDirectory, 'client.key'), await read(client.keyFile));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

function options(more: Partial<TlsOptions> = {}): TlsOptions {
  const certsRoots = [path.join(scratch, 'roots')];
  return { env: {}, insecure: false, isRegistry: true, isTls: true, certsRoots, ...more };
}

const settings = (more?: Partial<TlsOptions>, host = 'a.example'): Promise<TlsSettings> =>
  tlsSettings(host, options(more));

/** Which of the test's own authorities are trusted in addition to Node's. */
function added({ authorities }: TlsSettings): string[] {
  expect(new Set(authorities).size).toBe(authorities.length);
  return authorities.map(
    (text) => Object.keys(pem).find((name) => pem[name as keyof typeof pem] === text) ?? text,
  );
}

/** What the hosts of one client share, with the authorities of a system. */
function sharedTls(system: () => string[] = () => []): SharedTls {
  return {
    contexts: new SecureContexts(),
    systemAuthorities: () => Promise.resolve(system()),
  };
}

const NOTHING = { authorities: [], clients: [], rejectUnauthorized: true };

test('nothing is set by default, or by NODE_EXTRA_CA_CERTS, which Node reads itself', async () => {
  const { certFile } = server;
  expect(await settings()).toEqual(NOTHING);
  expect(await settings({ insecure: true })).toEqual({ ...NOTHING, rejectUnauthorized: false });
  for (const env of [
    { NODE_EXTRA_CA_CERTS: certFile },
    { NODE_EXTRA_CA_CERTS: certFile, SSL_CERT_FILE: path.join(scratch, '.', 'server/tls.crt') },
    { SSL_CERT_FILE: '' },
    { SSL_CERT_FILE: path.join(scratch, 'gone') },
    { SSL_CERT_FILE: server.keyFile },
  ]) {
    expect(await settings({ env })).toEqual(NOTHING);
  }
});

test('every source adds to the authorities of Node', async () => {
  const env = { NODE_EXTRA_CA_CERTS: server.certFile };
  expect(added(await settings({ env: { SSL_CERT_FILE: client.certFile } }))).toEqual(['client']);
  // Node would lose what it has read itself.
  expect(added(await settings({ env: { ...env, SSL_CERT_FILE: client.certFile } }))).toEqual([
    'client',
    'server',
  ]);
  expect(added(await settings({ env, caFile: other.certFile }))).toEqual(['other', 'server']);
  const gone = { NODE_EXTRA_CA_CERTS: path.join(scratch, 'gone') };
  expect(added(await settings({ env: gone, caFile: other.certFile }))).toEqual(['other']);
  expect(added(await settings({ caFile: other.certFile }, HOST))).toEqual(['server', 'other']);
  expect(added(await settings({ certDir: hostDirectory }))).toEqual(['server']);
  expect(added(await settings({ caFile: other.certFile, isTls: false }))).toEqual([]);
});

test('bundled authorities are not added again, whatever the length of their lines', async () => {
  const bundle = path.join(scratch, 'bundle.crt');
  const roots = rootCertificates.slice(0, 3).map((root) => {
    const encoded = root.trim().split('\n').slice(1, -1).join('');
    const lines = encoded.match(/.{1,64}/g)!.join('\n');
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  });
  const env = { NODE_EXTRA_CA_CERTS: bundle, SSL_CERT_FILE: client.certFile };
  for (const text of [roots.join(''), rootCertificates.slice(0, 3).join('\n')]) {
    await writeFile(bundle, text);
    expect(added(await settings({ env }))).toEqual(['client']);
    await writeFile(bundle, `${text}\n${pem.other}\n${pem.other}`);
    expect(added(await settings({ env }))).toEqual(['client', 'other']);
  }
});

test('a CA file must hold a certificate', async () => {
  const gone = path.join(scratch, 'gone');
  await expect(settings({ caFile: gone })).rejects.toThrow(
    expect.objectContaining({
      code: 'CONFIG',
      message: `reading CA file ${gone} failed: no such file or directory`,
    }),
  );
  const broken = path.join(scratch, 'broken.pem');
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  for (const caFile of [server.keyFile, broken]) {
    await expect(settings({ caFile })).rejects.toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: `reading CA file ${caFile} failed: it contains no certificate in PEM format`,
      }),
    );
  }
});

test('a client certificate comes from the options, then from the directory of certificates', async () => {
  const fromOptions = { certFile: other.certFile, keyFile: other.keyFile };
  expect((await settings(fromOptions)).clients[0]?.cert.trim()).toBe(pem.other);
  expect((await settings(fromOptions, HOST)).clients[0]?.cert.trim()).toBe(pem.other);
  expect((await settings({}, HOST)).clients).toEqual([
    { cert: pem.client, key: await read(client.keyFile) },
  ]);
  expect((await settings({ certDir: hostDirectory })).clients[0]?.cert).toBe(pem.client);
  const empty = path.join(scratch, 'empty');
  await mkdir(empty);
  expect(await settings({ certDir: empty }, HOST)).toEqual(NOTHING);
});

test('no host but a registry gets a client certificate, unless it is in a directory of its own', async () => {
  const isRegistry = false;
  const fromOptions = { certFile: other.certFile, keyFile: other.keyFile };
  const clientsOf = async (more: Partial<TlsOptions>, host?: string): Promise<number> =>
    (await settings({ isRegistry, ...more }, host)).clients.length;
  expect(await clientsOf(fromOptions)).toBe(0);
  expect(await clientsOf({ certDir: hostDirectory })).toBe(0);
  expect(await clientsOf({}, HOST)).toBe(1);
});

test('a token server without a directory of its own is served by that of its registry', async () => {
  const of = (host: string): Promise<TlsSettings> =>
    settings({ isRegistry: false, tokenServerOf: HOST }, host);
  expect(added(await of('auth.example'))).toEqual(['server']);
  // A client certificate of the registry is not for another host.
  expect((await of('auth.example')).clients).toEqual([]);
  expect((await of('registry.example:5001')).clients).toHaveLength(1);
  const own = path.join(scratch, 'roots', 'own.example');
  await mkdir(own, { recursive: true });
  expect(added(await of('own.example'))).toEqual([]);
});

test('a client certificate without its key, or the other way round, is an error', async () => {
  await expect(settings({ certFile: 'x' })).rejects.toThrow(
    expect.objectContaining({ code: 'USAGE', reason: 'client-key-missing' }),
  );
  await expect(settings({ keyFile: 'x' })).rejects.toThrow(
    expect.objectContaining({ code: 'USAGE', reason: 'client-certificate-missing' }),
  );
  const gone = path.join(scratch, 'gone');
  await expect(settings({ certFile: gone, keyFile: 'x' })).rejects.toThrow(
    expect.objectContaining({ code: 'CONFIG', what: `reading client certificate ${gone}` }),
  );
});

test('a certificate with the key of another one is an error', async () => {
  const found = await settings({ certFile: client.certFile, keyFile: other.keyFile });
  expect(() => new HostTls('a.example', found, sharedTls())).toThrow(
    expect.objectContaining({ code: 'CONFIG', what: 'loading the certificates for a.example' }),
  );
});

test('hosts with the same settings share one context', async () => {
  const shared = sharedTls();
  const contextOf = async (more: Partial<TlsOptions>, host?: string) =>
    new HostTls(host ?? '', await settings(more, host), shared).secureContext;
  const context = await contextOf({});
  expect(await contextOf({ insecure: true }, 'b.example')).toBe(context);
  const trusting = await contextOf({ caFile: other.certFile });
  expect(trusting).not.toBe(context);
  expect(await contextOf({ caFile: other.certFile }, 'b.example')).toBe(trusting);
  expect(await contextOf({ caFile: other.certFile }, HOST)).not.toBe(trusting);
});

test('what the system trusts is added once a chain needs it', async () => {
  let reads = 0;
  const shared = sharedTls(() => {
    reads += 1;
    return [rootCertificates[0]!, pem.other];
  });
  const tls = new HostTls('', await settings(), shared);
  const before = tls.secureContext;
  await Promise.all([tls.trustSystem(), tls.trustSystem()]);
  expect(reads).toBe(1);
  expect(tls.secureContext).not.toBe(before);
  const bundled = new HostTls(
    '',
    await settings(),
    sharedTls(() => [rootCertificates[0]!]),
  );
  const same = bundled.secureContext;
  await bundled.trustSystem();
  expect(bundled.secureContext).toBe(same);
});

test('the next client certificate follows one that was refused, once for all connections', async () => {
  const client1 = { cert: pem.client, key: await read(client.keyFile) };
  const client2 = { cert: pem.other, key: await read(other.keyFile) };
  const tls = new HostTls('', { ...NOTHING, clients: [client1, client2] }, sharedTls());
  const first = tls.secureContext;
  expect(tls.useNextClient(first)).toBe(true);
  const second = tls.secureContext;
  expect(second).not.toBe(first);
  // Another connection was refused with the first one at the same time.
  expect(tls.useNextClient(first)).toBe(true);
  expect(tls.secureContext).toBe(second);
  expect(tls.useNextClient(second)).toBe(false);
});

test('TLS is meant for a host that anything is set for', async () => {
  const meant = (host: string, one = {}) => tlsIsMeant(host, { ...options(one), insecure: false });
  expect(meant(HOST)).toBe('certainly');
  expect(meant('registry.example')).toBe('no');
  for (const one of [{ caFile: 'x' }, { certFile: 'x' }, { keyFile: 'x' }, { certDir: 'x' }]) {
    expect(meant('localhost:5000', one)).toBe('perhaps');
  }
  expect(tlsIsMeant('localhost:5000', { ...options(), insecure: true })).toBe('perhaps');
});

/** A server that lets in only clients with the certificate of `client`, and answers with its name. */
async function startServer(): Promise<{ origin: string; listener: Server; seen: boolean[] }> {
  const seen: boolean[] = [];
  const listener = createServer(
    {
      cert: pem.server,
      key: await read(server.keyFile),
      ca: pem.client,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      seen.push((request.socket as TLSSocket).authorized);
      response.end('yes');
    },
  );
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `https://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    listener,
    seen,
  };
}

test('the client authenticates itself to a server that it trusts', async () => {
  const { origin, listener, seen } = await startServer();
  const shared = sharedTls();
  const get = async (found: TlsSettings): Promise<number> => {
    const opened = directOrigin(origin, {
      tls: new HostTls('', found, shared),
      connections: 2,
      connectTimeoutMs: 2000,
      maxHeaderSize: 16_384,
      sockets: new Sockets(),
      lookup: sharedLookup(),
    });
    const send = wire({
      originOf: () => Promise.resolve(opened),
      timeouts: timeoutsOf(2000),
      signal: new AbortController().signal,
    });
    try {
      return (await send({ method: 'GET', url: new URL(origin), maxBytes: 100 })).status;
    } finally {
      await opened.destroy();
    }
  };
  try {
    expect(await get(await settings({}, HOST))).toBe(200);
    expect(await get(await settings({ isRegistry: false, certDir: hostDirectory }))).toBe(200);
    expect(await get(await settings({ insecure: true }))).toBe(200);
    expect(seen).toEqual([true, false, false]);
    await expect(get(await settings())).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      issuer: expect.stringContaining('CN=') as string,
    });
    await expect(get(await settings({ caFile: other.certFile }))).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/),
    });
  } finally {
    listener.closeAllConnections();
    listener.close();
  }
});

describe('a directory of certs.d that this user may not read', () => {
  // Root may read everything: for root, the test acts as another user for a while.
  const { geteuid, seteuid } = process;
  const isRoot = geteuid?.() === 0;
  const asOther = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isRoot) seteuid?.(65_534);
    try {
      return await work();
    } finally {
      if (isRoot) seteuid?.(0);
    }
  };

  test.skipIf(process.platform === 'win32')(
    'is a warning, and the error if an authority lacks',
    async () => {
      const roots = await mkdtemp(path.join(tmpdir(), 'roots-'));
      await mkdir(path.join(roots, HOST));
      const directory = path.join(roots, HOST);
      await chmod(roots, 0o755);
      await chmod(directory, 0);
      try {
        const warnings: string[] = [];
        const onWarning = (text: string): void => void warnings.push(text);
        const found = await asOther(() =>
          tlsSettings(HOST, options({ certsRoots: [roots], onWarning })),
        );
        expect(found).toMatchObject({ authorities: [], clients: [] });
        expect(found.unreadable).toMatchObject({ code: 'CONFIG', what: `reading ${directory}` });
        expect(warnings).toEqual([
          `reading ${directory} failed: it is unreadable (EACCES); its certificates are not used`,
        ]);
        // One that the user names must be readable.
        await expect(
          asOther(() => tlsSettings(HOST, options({ certDir: directory }))),
        ).rejects.toMatchObject({ code: 'CONFIG', what: `reading ${directory}` });
      } finally {
        await rm(roots, { recursive: true, force: true });
      }
    },
  );
});
