import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directOrigin } from '../../../../src/http/connect/direct.js';
import { Sockets } from '../../../../src/http/connect/sockets.js';
import {
  tlsIsMeant,
  secureContextOf,
  tlsSettings,
  type TlsOptions,
  type TlsSettings,
} from '../../../../src/http/connect/tls.js';
import { undiciTransport } from '../../../../src/http/undici.js';
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

/** Which of the test's own authorities are trusted; undefined where the roots of Node are to be kept as they are. */
function added({ ca }: TlsSettings): string[] | undefined {
  if (ca === undefined) return undefined;
  const roots = rootCertificates.map((root) => root.trim());
  expect(ca).toEqual(expect.arrayContaining(roots));
  expect(new Set(ca).size).toBe(ca.length);
  return Object.entries(pem)
    .filter(([, text]) => ca.includes(text))
    .map(([name]) => name);
}

test('nothing is set where nothing is said, or only NODE_EXTRA_CA_CERTS', () => {
  const { certFile } = server;
  expect(settings()).toEqual({ rejectUnauthorized: true });
  expect(settings({ insecure: true })).toEqual({ rejectUnauthorized: false });
  for (const env of [
    { NODE_EXTRA_CA_CERTS: certFile },
    { NODE_EXTRA_CA_CERTS: certFile, SSL_CERT_FILE: path.join(scratch, '.', 'server/tls.crt') },
    { SSL_CERT_FILE: '' },
    { SSL_CERT_FILE: path.join(scratch, 'gone') },
    { SSL_CERT_FILE: server.keyFile },
  ]) {
    expect(settings({ env })).toEqual({ rejectUnauthorized: true });
  }
});

test('every source adds to the roots of Node', () => {
  const env = { NODE_EXTRA_CA_CERTS: server.certFile };
  expect(added(settings({ env: { SSL_CERT_FILE: client.certFile } }))).toEqual(['client']);
  expect(added(settings({ env: { ...env, SSL_CERT_FILE: client.certFile } }))).toEqual([
    'server',
    'client',
  ]);
  expect(added(settings({ env, caFile: other.certFile }))).toEqual(['server', 'other']);
  const gone = { NODE_EXTRA_CA_CERTS: path.join(scratch, 'gone') };
  expect(added(settings({ env: gone, caFile: other.certFile }))).toEqual(['other']);
  expect(added(settings({ caFile: other.certFile }, HOST))).toEqual(['server', 'other']);
  expect(added(settings({ certDir: hostDirectory }))).toEqual(['server']);
});

test('a source with roots that Node has anyway costs nothing', async () => {
  const bundle = path.join(scratch, 'bundle.crt');
  await writeFile(bundle, rootCertificates.slice(0, 3).join('\n'));
  expect(settings({ env: { SSL_CERT_FILE: bundle }, caFile: bundle })).toEqual({
    rejectUnauthorized: true,
  });
});

test('--ca-file has to hold a certificate', async () => {
  const gone = path.join(scratch, 'gone');
  expect(() => settings({ caFile: gone })).toThrow(
    expect.objectContaining({
      code: 'CONFIG',
      message: `reading --ca-file ${gone} failed: there is no such file or directory`,
    }),
  );
  const broken = path.join(scratch, 'broken.pem');
  await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  for (const caFile of [server.keyFile, broken]) {
    expect(() => settings({ caFile })).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: `reading --ca-file ${caFile} failed: it holds no certificate in PEM form`,
      }),
    );
  }
});

test('a client certificate comes from the options, then from --cert-dir or certs.d', async () => {
  const fromOptions = { certFile: other.certFile, keyFile: other.keyFile };
  expect(settings(fromOptions).cert?.trim()).toBe(pem.other);
  expect(settings(fromOptions, HOST).cert?.trim()).toBe(pem.other);
  expect(settings({}, HOST)).toMatchObject({
    cert: pem.client,
    key: await read(client.keyFile),
  });
  expect(settings({ certDir: hostDirectory }).cert).toBe(pem.client);
  const empty = path.join(scratch, 'empty');
  await mkdir(empty);
  expect(settings({ certDir: empty }, HOST)).toEqual({ rejectUnauthorized: true });
});

test('no host but a registry gets a client certificate', () => {
  const isRegistry = false;
  for (const more of [
    { certFile: other.certFile, keyFile: other.keyFile },
    { certDir: hostDirectory },
    {},
  ]) {
    const found = settings({ ...more, isRegistry }, HOST);
    expect(found).not.toHaveProperty('cert');
    expect(found).not.toHaveProperty('key');
    expect(added(found)).toEqual(['server']);
  }
});

test('one half of --cert-file and --key-file is wrong use', () => {
  for (const half of [{ certFile: 'x' }, { keyFile: 'x' }]) {
    expect(() => settings(half)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  }
  expect(() => settings({ certFile: path.join(scratch, 'gone'), keyFile: 'x' })).toThrow(
    expect.objectContaining({ code: 'CONFIG', what: expect.stringContaining('--cert-file') }),
  );
});

test('a certificate whose key is another is an error of the configuration', () => {
  const found = settings({ certFile: client.certFile, keyFile: other.keyFile });
  expect(() => secureContextOf('a.example', found)).toThrow(
    expect.objectContaining({ code: 'CONFIG', what: 'loading the certificates for a.example' }),
  );
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

test('the client proves itself to a server that it trusts', async () => {
  const { origin, listener, seen } = await startServer();
  const get = async (tls: TlsSettings): Promise<number> => {
    const limits = {
      connections: 2,
      connectTimeoutMs: 2000,
      maxHeaderSize: 16_384,
      sockets: new Sockets(),
    };
    const dispatcher = directOrigin(origin, { tls, ...limits }).http1;
    const timeouts = { headersMs: 2000, idleMs: 2000 };
    const send = undiciTransport(() => dispatcher, timeouts, new AbortController().signal);
    try {
      const request = { method: 'GET', url: new URL(origin), maxBytes: 100 } as const;
      return (await send(request)).status;
    } finally {
      await dispatcher.destroy();
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
