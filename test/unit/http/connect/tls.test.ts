import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directOrigin } from '../../../../src/http/connect/direct.js';
import { sharedLookup } from '../../../../src/http/connect/lookup.js';
import { Sockets } from '../../../../src/http/connect/sockets.js';
import {
  SecureContexts,
  tlsIsMeant,
  tlsSettings,
  type TlsOptions,
  type TlsSettings,
} from '../../../../src/http/connect/tls.js';
import { wire } from '../../../../src/http/wire.js';
import { makeCertificate, type Certificate } from '../../../support/certificate.js';

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

const settings = (more?: Partial<TlsOptions>, host = 'a.example'): TlsSettings =>
  tlsSettings(host, options(more));

/** Which of the test's own authorities are trusted in addition to Node's. */
function added({ authorities }: TlsSettings): string[] {
  expect(new Set(authorities).size).toBe(authorities.length);
  return authorities.map(
    (text) => Object.keys(pem).find((name) => pem[name as keyof typeof pem] === text) ?? text,
  );
}

const NOTHING = { authorities: [], client: undefined, rejectUnauthorized: true };

test('nothing is set by default, or by NODE_EXTRA_CA_CERTS, which Node reads itself', () => {
  const { certFile } = server;
  expect(settings()).toEqual(NOTHING);
  expect(settings({ insecure: true })).toEqual({ ...NOTHING, rejectUnauthorized: false });
  for (const env of [
    { NODE_EXTRA_CA_CERTS: certFile },
    { NODE_EXTRA_CA_CERTS: certFile, SSL_CERT_FILE: path.join(scratch, '.', 'server/tls.crt') },
    { SSL_CERT_FILE: '' },
    { SSL_CERT_FILE: path.join(scratch, 'gone') },
    { SSL_CERT_FILE: server.keyFile },
  ]) {
    expect(settings({ env })).toEqual(NOTHING);
  }
});

test('every source adds to the authorities of Node', () => {
  const env = { NODE_EXTRA_CA_CERTS: server.certFile };
  expect(added(settings({ env: { SSL_CERT_FILE: client.certFile } }))).toEqual(['client']);
  // Node would lose what it has read itself.
  expect(added(settings({ env: { ...env, SSL_CERT_FILE: client.certFile } }))).toEqual([
    'client',
    'server',
  ]);
  expect(added(settings({ env, caFile: other.certFile }))).toEqual(['other', 'server']);
  const gone = { NODE_EXTRA_CA_CERTS: path.join(scratch, 'gone') };
  expect(added(settings({ env: gone, caFile: other.certFile }))).toEqual(['other']);
  expect(added(settings({ caFile: other.certFile }, HOST))).toEqual(['server', 'other']);
  expect(added(settings({ certDir: hostDirectory }))).toEqual(['server']);
  expect(added(settings({ caFile: other.certFile, isTls: false }))).toEqual([]);
});

test('bundled authorities are not added again, whatever the length of their lines', async () => {
  const bundle = path.join(scratch, 'bundle.crt');
  const roots = rootCertificates.slice(0, 3).map((root) => {
    const encoded = root.trim().split('\n').slice(1, -1).join('');
    const lines = encoded.match(/.{1,64}/g)!.join('\n');
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  });
  const env = { SSL_CERT_FILE: bundle };
  for (const text of [roots.join(''), rootCertificates.slice(0, 3).join('\n')]) {
    await writeFile(bundle, text);
    expect(added(settings({ env }))).toEqual([]);
    await writeFile(bundle, `${text}\n${pem.other}\n${pem.other}`);
    expect(added(settings({ env }))).toEqual(['other']);
  }
});

test('a CA file must hold a certificate', async () => {
  const gone = path.join(scratch, 'gone');
  expect(() => settings({ caFile: gone })).toThrow(
    expect.objectContaining({
      code: 'CONFIG',
      message: `reading CA file ${gone} failed: there is no such file or directory`,
    }),
  );
  const broken = path.join(scratch, 'broken.pem');
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  for (const caFile of [server.keyFile, broken]) {
    expect(() => settings({ caFile })).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: `reading CA file ${caFile} failed: it holds no certificate in PEM form`,
      }),
    );
  }
});

test('a client certificate comes from the options, then from the directory of certificates', async () => {
  const fromOptions = { certFile: other.certFile, keyFile: other.keyFile };
  expect(settings(fromOptions).client?.cert.trim()).toBe(pem.other);
  expect(settings(fromOptions, HOST).client?.cert.trim()).toBe(pem.other);
  expect(settings({}, HOST).client).toEqual({
    cert: pem.client,
    key: await read(client.keyFile),
  });
  expect(settings({ certDir: hostDirectory }).client?.cert).toBe(pem.client);
  const empty = path.join(scratch, 'empty');
  await mkdir(empty);
  expect(settings({ certDir: empty }, HOST)).toEqual(NOTHING);
});

test('no host but a registry gets a client certificate', () => {
  const isRegistry = false;
  for (const more of [
    { certFile: other.certFile, keyFile: other.keyFile },
    { certDir: hostDirectory },
    {},
  ]) {
    const found = settings({ ...more, isRegistry }, HOST);
    expect(found.client).toBeUndefined();
    expect(added(found)).toEqual(['server']);
  }
});

test('a client certificate without its key, or the other way round, is an error', () => {
  expect(() => settings({ certFile: 'x' })).toThrow(
    expect.objectContaining({ code: 'USAGE', reason: 'client-key-missing' }),
  );
  expect(() => settings({ keyFile: 'x' })).toThrow(
    expect.objectContaining({ code: 'USAGE', reason: 'client-certificate-missing' }),
  );
  const gone = path.join(scratch, 'gone');
  expect(() => settings({ certFile: gone, keyFile: 'x' })).toThrow(
    expect.objectContaining({ code: 'CONFIG', what: `reading client certificate ${gone}` }),
  );
});

test('a certificate with the key of another one is an error', () => {
  const found = settings({ certFile: client.certFile, keyFile: other.keyFile });
  expect(() => new SecureContexts().get('a.example', found)).toThrow(
    expect.objectContaining({ code: 'CONFIG', what: 'loading the certificates for a.example' }),
  );
});

test('hosts with the same settings share one context', () => {
  const contexts = new SecureContexts();
  const context = contexts.get('a.example', settings());
  expect(contexts.get('b.example', settings({ insecure: true }))).toBe(context);
  const trusting = contexts.get('a.example', settings({ caFile: other.certFile }));
  expect(trusting).not.toBe(context);
  expect(contexts.get('b.example', settings({ caFile: other.certFile }))).toBe(trusting);
  expect(contexts.get(HOST, settings({ caFile: other.certFile }, HOST))).not.toBe(trusting);
});

test('TLS is meant for a host that anything is set for', () => {
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
  const contexts = new SecureContexts();
  const get = async ({ rejectUnauthorized, ...tls }: TlsSettings): Promise<number> => {
    const opened = directOrigin(origin, {
      tls: { secureContext: contexts.get('', tls), rejectUnauthorized },
      connections: 2,
      connectTimeoutMs: 2000,
      maxHeaderSize: 16_384,
      sockets: new Sockets(),
      lookup: sharedLookup(),
    });
    const send = wire({
      originOf: () => opened,
      timeouts: { headersMs: 2000, idleMs: 2000 },
      signal: new AbortController().signal,
    });
    try {
      return (await send({ method: 'GET', url: new URL(origin), maxBytes: 100 })).status;
    } finally {
      await opened.destroy();
    }
  };
  try {
    expect(await get(settings({}, HOST))).toBe(200);
    expect(await get(settings({ isRegistry: false }, HOST))).toBe(200);
    expect(await get(settings({ insecure: true }))).toBe(200);
    expect(seen).toEqual([true, false, false]);
    await expect(get(settings())).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await expect(get(settings({ caFile: other.certFile }))).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/),
    });
  } finally {
    listener.closeAllConnections();
    listener.close();
  }
});
