import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http, { type IncomingHttpHeaders, type RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { HttpResponse } from '../../../../src/http/request.js';
import { proxied, ProxyFailure, type ProxiedOptions } from '../../../../src/http/connect/proxy.js';
import { proxyFor } from '../../../../src/http/connect/proxy-for.js';
import type { TlsSettings } from '../../../../src/http/connect/tls.js';
import { directOrigin } from '../../../../src/http/connect/direct.js';
import { Sockets } from '../../../../src/http/connect/sockets.js';
import { undiciTransport } from '../../../../src/http/undici.js';
import { makeCertificate } from '../../../support/certificate.js';

const PROXY = 'http://proxy.example:3128/';

test.each<[env: Record<string, string>, url: string, proxy: string | undefined]>([
  [{}, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'https://a.example/', PROXY],
  [{ https_proxy: PROXY }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, https_proxy: 'http://other/' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '', https_proxy: PROXY }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, https_proxy: '' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '' }, 'https://a.example/', undefined],
  [{ HTTP_PROXY: PROXY }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'http://a.example/', undefined],
  [{ HTTP_PROXY: PROXY }, 'http://a.example/', PROXY],
  [{ http_proxy: PROXY }, 'http://a.example/', PROXY],
  [{ ALL_PROXY: PROXY, all_proxy: PROXY }, 'http://a.example/', undefined],
  [{ HTTPS_PROXY: 'proxy.example:3128' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: '10.0.0.1:3128' }, 'https://a.example/', 'http://10.0.0.1:3128/'],
  [{ HTTPS_PROXY: 'u:p@proxy.example' }, 'https://a.example/', 'http://u:p@proxy.example/'],
  [{ HTTPS_PROXY: 'HTTPS://proxy.example' }, 'https://a.example/', 'https://proxy.example/'],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: 'a.example' }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: 'x', no_proxy: 'a.example' }, 'https://a.example/', PROXY],
  [{ HTTPS_PROXY: PROXY, NO_PROXY: '', no_proxy: '.example' }, 'https://a.example/', undefined],
  [{ HTTPS_PROXY: PROXY }, 'https://localhost:5000/', undefined],
  [{ HTTP_PROXY: PROXY }, 'http://127.0.0.1:5000/', undefined],
  // What is wrong and not needed does no harm.
  [{ HTTPS_PROXY: 'socks5://x' }, 'https://localhost/', undefined],
  [{ HTTPS_PROXY: PROXY, REQUEST_METHOD: 'GET' }, 'https://a.example/', PROXY],
])('%j, %s: %s', (env, url, proxy) => {
  expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
});

test.each<[variable: string, value: string, why: RegExp]>([
  ['HTTPS_PROXY', 'socks5://u:canary@x:1080', /SOCKS/],
  ['https_proxy', 'SOCKS5h://u:canary@x', /SOCKS/],
  ['HTTPS_PROXY', 'ftp://u:canary@x', /neither/],
  ['HTTPS_PROXY', 'http://u:canary@x:port', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:canary%@x', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:canary#1@x', /not a valid address/],
  ['HTTPS_PROXY', 'http://u:1/canary@x', /not a valid address/],
  ['HTTPS_PROXY', 'canary canary', /not a valid address/],
])('%s=%s is an error that does not repeat it', (variable, value, why) => {
  const act = (): unknown => proxyFor(new URL('https://a.example/'), { [variable]: value });
  expect(act).toThrow(expect.objectContaining({ code: 'CONFIG', why: expect.stringMatching(why) }));
  expect(act).toThrow(`using the proxy of ${variable} failed`);
  expect(act).not.toThrow(/canary/);
});

test('HTTP_PROXY is not trusted in a CGI program', () => {
  const env = { http_proxy: PROXY, REQUEST_METHOD: 'GET' };
  expect(() => proxyFor(new URL('http://a.example/'), env)).toThrow(/http_proxy failed: .*CGI/);
});

/** What a server saw of one request. */
interface Seen {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly clientCertificate: boolean;
}

let scratch: string;
let cert: string;
let key: string;
const running: (http.Server | https.Server | net.Server)[] = [];
const sockets = new Set<net.Socket>();

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'proxy-'));
  const files = await makeCertificate(scratch);
  cert = await readFile(files.certFile, 'utf8');
  key = await readFile(files.keyFile, 'utf8');
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

afterEach(() => {
  for (const server of running.splice(0)) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listen(server: net.Server): Promise<string> {
  running.push(server);
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a server sees of a request; a certificate of the client among it. */
function seenOf(request: http.IncomingMessage): Seen {
  const peer = (request.socket as Partial<TLSSocket>).getPeerCertificate?.() ?? {};
  return {
    line: `${request.method} ${request.url}`,
    headers: request.headers,
    clientCertificate: 'raw' in peer,
  };
}

async function startTarget(
  isTls: boolean,
): Promise<{ origin: string; host: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const answer: RequestListener = (request, response) => {
    seen.push(seenOf(request));
    response.end('target');
  };
  const server = isTls
    ? https.createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, answer)
    : http.createServer(answer);
  const host = await listen(server);
  return { origin: `${isTls ? 'https' : 'http'}://${host}`, host, seen };
}

/** A proxy for http and CONNECT. It removes `Proxy-Authorization`, as proxies do. */
async function startProxy(
  given: { status?: number; credentials?: string; isTls?: boolean } = {},
): Promise<{ host: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const wanted =
    given.credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(given.credentials).toString('base64')}`;
  const refusalOf = (request: http.IncomingMessage): number | undefined => {
    seen.push(seenOf(request));
    const isWelcome = wanted === undefined || request.headers['proxy-authorization'] === wanted;
    return isWelcome ? given.status : 407;
  };
  const server = given.isTls
    ? https.createServer({ cert, key, requestCert: true, rejectUnauthorized: false })
    : http.createServer();
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    socket.on('error', () => socket.destroy());
    const status = refusalOf(request);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = net.connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const status = refusalOf(request);
    if (status !== undefined) {
      response.writeHead(status).end('no');
      return;
    }
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const passed = { method: request.method, headers, agent: false };
    const onward = http.request(request.url ?? '', passed, (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 0)),
    );
    request.pipe(onward);
  });
  return { host: await listen(server), seen };
}

/** Sends requests to one origin. */
async function send(
  origin: string,
  more: Partial<ProxiedOptions> = {},
  count = 1,
): Promise<HttpResponse[]> {
  const tls: TlsSettings = { ca: [cert], rejectUnauthorized: true };
  const limits = {
    connections: 4,
    connectTimeoutMs: 1000,
    maxHeaderSize: 16_384,
    sockets: new Sockets(),
  };
  const { proxy } = more;
  const options = { tls, ...limits, ...more };
  const dispatcher =
    proxy === undefined
      ? directOrigin(origin, options).http1
      : proxied(origin, { ...options, proxy });
  const signal = new AbortController().signal;
  const transport = undiciTransport(() => dispatcher, { headersMs: 5000, idleMs: 5000 }, signal);
  const request = {
    method: 'PUT',
    url: new URL('/v2/x?a=b', origin),
    headers: { authorization: 'Bearer t' },
    body: Buffer.from('body'),
    maxBytes: 1000,
  } as const;
  try {
    return await Promise.all(Array.from({ length: count }, () => transport(request)));
  } finally {
    await dispatcher.destroy();
  }
}

const textOf = (responses: HttpResponse[]): string[] =>
  responses.map(({ status, body }) => `${status} ${Buffer.from(body).toString()}`);

async function failureOf(origin: string, more: Partial<ProxiedOptions>): Promise<ProxyFailure> {
  const error: unknown = await send(origin, more).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ProxyFailure);
  return error as ProxyFailure;
}

test('https goes through CONNECT, with credentials for the proxy alone', async () => {
  const target = await startTarget(true);
  const proxy = await startProxy({ credentials: 'us er:p@ss:ö' });
  const url = new URL(`http://us%20er:p%40ss:%C3%B6@${proxy.host}`);
  expect(textOf(await send(target.origin, { proxy: url }, 6))).toEqual(
    Array.from({ length: 6 }, () => '200 target'),
  );
  expect(proxy.seen.length).toBeGreaterThan(0);
  expect(proxy.seen.length).toBeLessThanOrEqual(4);
  for (const { line, headers } of proxy.seen) {
    expect(line).toBe(`CONNECT ${target.host}`);
    expect(headers.host).toBe(target.host);
    expect(headers).not.toHaveProperty('authorization');
  }
  expect(target.seen).toHaveLength(6);
  for (const { line, headers } of target.seen) {
    expect(line).toBe('PUT /v2/x?a=b');
    expect(headers).toMatchObject({ host: target.host, authorization: 'Bearer t' });
    expect(headers).not.toHaveProperty('proxy-authorization');
  }
  await expect.poll(() => sockets.size).toBe(0);
});

test('http is asked of the proxy by the whole URL', async () => {
  const target = await startTarget(false);
  const proxy = await startProxy({ credentials: 'user:' });
  const url = new URL(`http://user@${proxy.host}`);
  expect(textOf(await send(target.origin, { proxy: url }))).toEqual(['200 target']);
  expect(proxy.seen).toMatchObject([
    {
      line: `PUT ${target.origin}/v2/x?a=b`,
      headers: { host: target.host, 'content-length': '4', authorization: 'Bearer t' },
    },
  ]);
  expect(target.seen).toMatchObject([{ line: 'PUT /v2/x?a=b' }]);
  expect(target.seen[0]?.headers).not.toHaveProperty('proxy-authorization');
  await expect.poll(() => sockets.size).toBe(0);
});

test('without a proxy there is none', async () => {
  for (const isTls of [true, false]) {
    const target = await startTarget(isTls);
    expect(textOf(await send(target.origin))).toEqual(['200 target']);
    expect(target.seen).toMatchObject([{ headers: { host: target.host } }]);
  }
});

test.each([true, false])('a proxy that speaks TLS (target too: %s)', async (isTls) => {
  const target = await startTarget(isTls);
  const proxy = await startProxy({ isTls: true, credentials: 'u:p' });
  const url = new URL(`https://u:p@${proxy.host}`);
  const own = { ca: [cert], cert, key, rejectUnauthorized: false };
  const through = { proxy: url, tls: own, proxyTls: own };
  expect(textOf(await send(target.origin, through))).toEqual(['200 target']);
  // The client's certificate is for the target alone, whatever is given.
  expect(target.seen).toMatchObject([{ clientCertificate: isTls }]);
  expect(proxy.seen).toMatchObject([{ clientCertificate: false }]);
  // --insecure is about the target.
  const failure = await failureOf(target.origin, { proxy: url, tls: own });
  expect(failure.message).toMatch(`the proxy ${proxy.host} cannot be used: self-signed`);
});

test('the certificate of the target is checked through a proxy, unless it is not to be', async () => {
  const target = await startTarget(true);
  const { host } = await startProxy();
  const proxy = new URL(`http://${host}`);
  await expect(
    send(target.origin, { proxy, tls: { rejectUnauthorized: true } }),
  ).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(target.seen).toEqual([]);
  const insecure = { rejectUnauthorized: false };
  expect(textOf(await send(target.origin, { proxy, tls: insecure }))).toEqual(['200 target']);
});

test.each([true, false])('a proxy that refuses is named (https: %s)', async (isTls) => {
  const { origin, host, seen } = await startTarget(isTls);
  const proxy = await startProxy({ credentials: 'u:p' });
  const anonymous = await failureOf(origin, { proxy: new URL(`http://${proxy.host}`) });
  expect(anonymous).toMatchObject({
    message: `the proxy ${proxy.host} asks for credentials (status 407)`,
    proxy: proxy.host,
    status: 407,
  });
  const wrong = await failureOf(origin, { proxy: new URL(`http://u:canary@${proxy.host}`) });
  expect(wrong.message).toBe(
    `the proxy ${proxy.host} does not accept the credentials (status 407)`,
  );
  expect(seen).toEqual([]);

  const broken = await startProxy({ status: 502 });
  const url = new URL(`http://${broken.host}`);
  if (isTls) {
    expect((await failureOf(origin, { proxy: url })).message).toBe(
      `the proxy ${broken.host} refused to connect to ${host} (status 502)`,
    );
  } else {
    // It may be the target's own.
    expect(textOf(await send(origin, { proxy: url }))).toEqual(['502 no']);
  }
});

test.each([true, false])('a proxy that is not there is named (https: %s)', async (isTls) => {
  const target = await startTarget(isTls);
  const proxy = new URL('http://u:canary@127.0.0.1:1');
  const failure = await failureOf(target.origin, { proxy });
  expect(failure.message).toMatch(/^the proxy 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/);
  expect(failure.message).not.toMatch(/canary/);
  expect(failure.cause).toMatchObject({ code: 'ECONNREFUSED' });
});

test('a proxy that does not answer to CONNECT is not waited for longer than for a connection', async () => {
  const target = await startTarget(true);
  const mute = await listen(net.createServer());
  const failure = await failureOf(target.origin, { proxy: new URL(`http://${mute}`) });
  expect(failure.message).toMatch(`the proxy ${mute} cannot be used: Headers Timeout`);
});
