import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http, { type IncomingHttpHeaders, type RequestListener } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HttpResponse } from '../../../../src/http/request.js';
import {
  proxiedOrigin,
  ProxyFailure,
  type ProxyOptions,
} from '../../../../src/http/connect/proxy.js';
import { Dispatchers, type NetworkOptions } from '../../../../src/http/connect/dispatchers.js';
import { HostTls, SecureContexts } from '../../../../src/http/connect/tls.js';
import { directOrigin } from '../../../../src/http/connect/direct.js';
import { sharedLookup } from '../../../../src/http/connect/lookup.js';
import { Sockets } from '../../../../src/http/connect/sockets.js';
import { wire } from '../../../../src/http/wire.js';
import { makeCertificate } from '../../../support/certificate.js';
import { timeoutsOf } from '../../../support/timeouts.js';

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

const shared = {
  contexts: new SecureContexts(),
  systemAuthorities: (): Promise<string[]> => Promise.resolve([]),
};

/** TLS with the authority of the tests, or without it. */
const tlsWith = (authorities: readonly string[], rejectUnauthorized = true): HostTls =>
  new HostTls('', { authorities, clients: [], rejectUnauthorized }, shared);

/** Sends requests to one origin. */
async function send(
  origin: string,
  more: Partial<ProxyOptions> = {},
  count = 1,
): Promise<HttpResponse[]> {
  const { proxy } = more;
  const options = {
    tls: tlsWith([cert]),
    connections: 4,
    connectTimeoutMs: 1000,
    maxHeaderSize: 16_384,
    sockets: new Sockets(),
    lookup: sharedLookup(),
    ...more,
  };
  const opened =
    proxy === undefined
      ? directOrigin(origin, options)
      : proxiedOrigin(origin, { ...options, proxy });
  const transport = wire({
    originOf: () => Promise.resolve(opened),
    timeouts: timeoutsOf(5000),
    signal: new AbortController().signal,
  });
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
    await opened.destroy();
  }
}

const textOf = (responses: HttpResponse[]): string[] =>
  responses.map(({ status, body }) => `${status} ${Buffer.from(body).toString()}`);

async function failureOf(origin: string, more: Partial<ProxyOptions>): Promise<ProxyFailure> {
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
  const through = { proxy: new URL(`https://u:p@${proxy.host}`), proxyTls: tlsWith([cert]) };
  expect(textOf(await send(target.origin, through))).toEqual(['200 target']);
  const failure = await failureOf(target.origin, { ...through, proxyTls: tlsWith([]) });
  expect(failure.message).toMatch(`the proxy ${proxy.host} cannot be used: self-signed`);
});

describe('of the settings for a registry, a proxy in TLS gets only the authorities', () => {
  /** Sends a request to a registry at an address that is not a loopback one, and so is proxied. */
  const sendTo = async (
    port: string,
    proxy: string,
    options: Partial<NetworkOptions>,
  ): Promise<number> => {
    const origin = `https://0.0.0.0:${port}`;
    const env = { HTTPS_PROXY: `https://${proxy}` };
    const pair = {
      certFile: path.join(scratch, 'tls.crt'),
      keyFile: path.join(scratch, 'tls.key'),
    };
    const dispatchers = new Dispatchers({ env, insecure: () => true, ...pair, ...options });
    dispatchers.addRegistry(origin, `0.0.0.0:${port}`);
    const transport = wire({
      originOf: (url) => dispatchers.get(url),
      timeouts: timeoutsOf(5000),
      signal: new AbortController().signal,
    });
    try {
      return (await transport({ method: 'GET', url: new URL(origin), maxBytes: 99 })).status;
    } finally {
      await dispatchers.destroy();
    }
  };

  test('and no client certificate', async () => {
    const [target, proxy] = [await startTarget(true), await startProxy({ isTls: true })];
    const caFile = path.join(scratch, 'tls.crt');
    expect(await sendTo(target.host.split(':')[1]!, proxy.host, { caFile })).toBe(200);
    expect(target.seen).toMatchObject([{ clientCertificate: true }]);
    expect(proxy.seen).toMatchObject([{ clientCertificate: false }]);
  });

  test('and its certificate is checked, even if that of the registry is not', async () => {
    const [target, proxy] = [await startTarget(true), await startProxy({ isTls: true })];
    await expect(sendTo(target.host.split(':')[1]!, proxy.host, {})).rejects.toThrow(
      `the proxy ${proxy.host} cannot be used: self-signed`,
    );
  });
});

test('the certificate of the target is checked through a proxy, unless it is to be accepted unchecked', async () => {
  const target = await startTarget(true);
  const { host } = await startProxy();
  const proxy = new URL(`http://${host}`);
  await expect(send(target.origin, { proxy, tls: tlsWith([]) })).rejects.toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    issuer: 'CN=localhost',
  });
  expect(target.seen).toEqual([]);
  const insecure = tlsWith([], false);
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
