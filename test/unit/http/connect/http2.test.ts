import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http2, { constants, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Http2Negotiation, NotProcessed } from '../../../../src/http/connect/http2.js';
import type { BegunAnswer, HttpRequest } from '../../../../src/http/request.js';
import { makeCertificate } from '../../../support/certificate.js';
import { timeoutsOf } from '../../../support/timeouts.js';

const TIMEOUTS = timeoutsOf(60_000);
const CHUNK = Buffer.alloc(256 * 1024, 'x');

let scratch: string;
let pair: { readonly cert: Buffer; readonly key: Buffer };
let server: Http2SecureServer;
let origin: string;
let answer: (stream: ServerHttp2Stream) => void;
let negotiation: Http2Negotiation;
const never = new AbortController().signal;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'http2-'));
  const { certFile, keyFile } = await makeCertificate(scratch);
  pair = { cert: await readFile(certFile), key: await readFile(keyFile) };
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

beforeEach(async () => {
  answer = (stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  };
  // One stream at a time: a place that is not released blocks the next request.
  server = http2.createSecureServer({ ...pair, settings: { maxConcurrentStreams: 1 } });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  origin = `https://127.0.0.1:${port}`;
  negotiation = negotiationWith((_target, callback) => {
    const options = { host: '127.0.0.1', port, ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = connectTls(options, () => callback(null, socket));
  });
});

afterEach(async () => {
  negotiation.destroy();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

function negotiationWith(connect: Connectors.connector): Http2Negotiation {
  return new Http2Negotiation(origin, {
    connect,
    target: { hostname: '127.0.0.1', protocol: 'https:', port: '443' },
    onHttp2: () => undefined,
    onHttp1: () => undefined,
  });
}

async function connected() {
  const connection = (await negotiation.connection())!;
  const send = (more: Partial<HttpRequest> = {}, signal = never): Promise<BegunAnswer> => {
    const request: HttpRequest = { method: 'GET', url: new URL(origin), maxBytes: 100, ...more };
    return connection.send(request, TIMEOUTS, signal);
  };
  const statusOf = async (begun: Promise<BegunAnswer>): Promise<number> => {
    const { status, body } = await begun;
    for await (const chunk of body) expect(chunk).toHaveLength(0);
    return status;
  };
  return { connection, send, statusOf };
}

test('a connection that fails after the end is reported to its request alone', async () => {
  const failure = new Error('no route');
  const held: (() => void)[] = [];
  const other = negotiationWith((_target, callback) => {
    held.push(() => callback(failure, null));
  });
  const connection = other.connection();
  other.destroy();
  held[0]!();
  await expect(connection).rejects.toBe(failure);
});

describe('a request', () => {
  test('that is aborted before it is sent leaves its place to the next one', async () => {
    const { send, statusOf } = await connected();
    // The limit of the server is known after its first answer.
    expect(await statusOf(send())).toBe(200);
    const reason = new Error('stop');
    await expect(send({}, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await statusOf(send())).toBe(200);
  });

  test('on a connection that was closed has not been processed', async () => {
    const { connection, send, statusOf } = await connected();
    expect(await statusOf(send())).toBe(200);
    connection.destroy();
    await expect(send()).rejects.toBeInstanceOf(NotProcessed);
    await expect(send()).rejects.toBeInstanceOf(NotProcessed);
  });
});

describe('an upload', () => {
  const upload = (open: () => AsyncIterable<Uint8Array>, chunks: number) =>
    ({ method: 'PUT', upload: { length: chunks * CHUNK.length, open } }) as const;

  test('waits for a server that takes it slowly', async () => {
    let received = 0;
    answer = (stream) => {
      stream.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      stream.on('end', () => {
        stream.respond({ ':status': 201 });
        stream.end();
      });
    };
    const { send, statusOf } = await connected();
    const content = async function* content() {
      for (let i = 0; i < 8; i += 1) yield CHUNK;
    };
    expect(await statusOf(send(upload(content, 8)))).toBe(201);
    expect(received).toBe(8 * CHUNK.length);
  });

  test('fails with its source', async () => {
    answer = (stream) => stream.resume();
    const failure = new Error('the source broke');
    const { send } = await connected();
    const content = async function* content() {
      yield CHUNK;
      throw failure;
    };
    await expect(send(upload(content, 2))).rejects.toBe(failure);
  });

  test('ends with an answer that does not wait for it', async () => {
    answer = (stream) => {
      stream.respond({ ':status': 413 });
      stream.end();
    };
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { send, statusOf } = await connected();
    const content = async function* content() {
      yield CHUNK;
      await released;
    };
    expect(await statusOf(send(upload(content, 2)))).toBe(413);
    release();
  });

  test('reads no more of its source once the server has closed the stream', async () => {
    const closed = new Promise<void>((resolve) => {
      answer = (stream) => {
        stream.respond({ ':status': 413 });
        stream.end(() => stream.close(constants.NGHTTP2_NO_ERROR));
        stream.once('close', resolve);
      };
    });
    let isStopped = false;
    let reads = 0;
    const { send, statusOf } = await connected();
    const content = async function* content() {
      try {
        yield CHUNK;
        await closed;
        // Its end has arrived here when the next request is answered.
        answer = (stream) => {
          stream.respond({ ':status': 200 });
          stream.end();
        };
        expect(await statusOf(send())).toBe(200);
        for (;;) {
          reads += 1;
          yield CHUNK;
        }
      } finally {
        isStopped = true;
      }
    };
    expect(await statusOf(send(upload(content, 9)))).toBe(413);
    await expect.poll(() => isStopped).toBe(true);
    expect(reads).toBe(1);
  });
});
