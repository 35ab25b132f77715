import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { HttpClient } from '../../src/http/client.js';
import { connectionFailure } from '../../src/http/errors.js';
import type { HttpRequest, HttpResponse } from '../../src/http/request.js';
import { runCli } from '../support/cli.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { Folder } from './support/files.js';
import { startHttp2 } from './support/http2-server.js';

/**
 * Servers that keep an answer coming without ever ending it: no limit on silence ends these, so
 * that each test ends by the limit for whole answers, or not at all.
 */

const folder = new Folder();
let authority: Authority;
let ends: (() => unknown)[] = [];

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end()));
  ends = [];
});

/** Repeats something until the connection is closed. */
function drip(target: { readonly destroyed: boolean }, what: () => void): void {
  const timer = setInterval(() => {
    if (target.destroyed) clearInterval(timer);
    else what();
  }, 10);
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

const DRIPS: [string, (socket: Socket) => void][] = [
  [
    'a body with a length',
    (socket) => {
      socket.write(`${HEAD}Content-Length: 1000000\r\n\r\n`);
      drip(socket, () => socket.write(' '));
    },
  ],
  [
    'a body in chunks',
    (socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      drip(socket, () => socket.write('1\r\n \r\n'));
    },
  ],
  [
    'a body until the connection ends',
    (socket) => {
      socket.write(`${HEAD}\r\n`);
      drip(socket, () => socket.write(' '));
    },
  ],
  [
    'trailers',
    (socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n`);
      drip(socket, () => socket.write('x'));
    },
  ],
  [
    'a head',
    (socket) => {
      socket.write(HEAD);
      drip(socket, () => socket.write('x'));
    },
  ],
  ['a status line', (socket) => drip(socket, () => socket.write('\r\n'))],
  [
    'informational answers',
    (socket) => drip(socket, () => socket.write('HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n')),
  ],
];

/** Starts a server that answers the first bytes of each connection, in TLS with `isHttp2`. */
async function startDripping(
  answer: (socket: Socket) => void,
  { isHttp2 = false } = {},
): Promise<string> {
  const open = new Set<Socket>();
  const onConnection = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => undefined).once('data', () => answer(socket));
  };
  const server = isHttp2
    ? tls.createServer({ ...authority.server, ALPNProtocols: ['h2'] }, onConnection)
    : net.createServer(onConnection);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ends.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A frame of HTTP/2 for a stream (RFC 9113 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, stream]);
  header.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([header, payload]);
}

const [HEADERS, SETTINGS, CONTINUATION] = [1, 4, 9] as const;
/** `:status: 200`, and `x: y` as a literal that is not indexed (RFC 7541). */
const STATUS_200 = Buffer.from([0x88]);
const FIELD = Buffer.from([0x00, 0x01, 0x78, 0x01, 0x79]);

/** Sends one request with short limits, and none on silence that a test could reach. */
async function send(
  host: string,
  request: Partial<HttpRequest>,
  { isTls = false, retries = 0, controller = new AbortController(), answerMs = 300 } = {},
): Promise<HttpResponse> {
  const client = new HttpClient({
    env: {},
    insecure: () => true,
    plainHttp: () => !isTls,
    credentials: { get: () => Promise.resolve(undefined) },
    signal: controller.signal,
    retries,
    retryDelayMs: 1,
    timeoutMs: 100_000,
    bounds: { answerMs, leastRate: { bytes: 10_000, perMs: 200 } },
  });
  ends.push(() => {
    controller.abort();
    return client.close();
  });
  const { origin, transport } = client.registry(host);
  const url = new URL('/v2/x/manifests/1', origin);
  return transport('x')({ method: 'GET', url, maxBytes: 1_000_000, ...request });
}

/** The message for a request that must fail. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { code, message } = connectionFailure('reading', 'HOST', error);
  expect(code).toBe('UNAVAILABLE');
  return message;
}

const NOT_IN_FULL = /^reading failed: HOST did not send a complete response within 0.3 s/;

describe.each(DRIPS)('a drip of %s', (_, answer) => {
  it('ends after the time for whole answers, tries included', async () => {
    const host = await startDripping(answer);
    const message = await failure(send(host, {}, { retries: 4 }));
    expect(message).toMatch(NOT_IN_FULL);
    expect(message).not.toMatch(/attempts/);
  });

  it('ends with an interrupt', async () => {
    const controller = new AbortController();
    const host = await startDripping((socket) => {
      answer(socket);
      setTimeout(() => controller.abort(), 50);
    });
    const args = ['inspect', '--plain-http', `${host}/x:1`];
    expect((await runCli(args, { signal: controller.signal })).code).toBe(130);
  });
});

test('a drip over HTTP/2 ends after the time for whole answers, or with an interrupt', async () => {
  const server = await startHttp2(() => ({ status: 200 }), authority.server);
  ends.push(() => server.stop());
  let onDrip = (): void => undefined;
  server.script = ({ stream }) => {
    stream.respond({ ':status': 200 });
    drip(stream, () => stream.write(' '));
    onDrip();
  };
  expect(await failure(send(server.host, {}, { isTls: true }))).toMatch(NOT_IN_FULL);
  server.script = ({ stream }) => {
    drip(stream, () => stream.additionalHeaders({ ':status': 102 }));
    onDrip();
  };
  expect(await failure(send(server.host, {}, { isTls: true }))).toMatch(NOT_IN_FULL);
  const controller = new AbortController();
  onDrip = () => void setTimeout(() => controller.abort(), 50);
  const args = ['inspect', '--insecure', `${server.host}/x:1`];
  expect((await runCli(args, { signal: controller.signal })).code).toBe(130);
});

test('a head over HTTP/2 that is continued without end is given up', async () => {
  const host = await startDripping(
    (socket) => {
      socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
      socket.write(frame(HEADERS, 0, 1, STATUS_200));
      drip(socket, () => socket.write(frame(CONTINUATION, 0, 1, FIELD)));
    },
    { isHttp2: true },
  );
  await failure(send(host, {}, { isTls: true }));
});

test('endless informational answers at full speed take no memory', async () => {
  const flood = Buffer.from('HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n'.repeat(1000));
  let sent = 0;
  const host = await startDripping((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(flood)) sent += flood.length;
    };
    socket.on('drain', more);
    more();
  });
  const before = process.memoryUsage().rss;
  expect(await failure(send(host, {}, { answerMs: 1000 }))).toMatch(
    /did not send a complete response/,
  );
  expect(sent).toBeGreaterThan(1_000_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

describe('a blob that is read as a stream', () => {
  async function read(
    host: string,
    isTls = false,
    controller = new AbortController(),
  ): Promise<number> {
    const { stream } = await send(host, { streamed: true }, { isTls, controller });
    let length = 0;
    for await (const chunk of stream!) length += chunk.length;
    return length;
  }

  it('ends when it is slower than the least rate', async () => {
    const slow = await startDripping(DRIPS[0]![1]);
    expect(await failure(read(slow))).toMatch(/HOST sent less than 10000 bytes in 0.2 s/);
    const server = await startHttp2(() => ({ status: 200 }), authority.server);
    ends.push(() => server.stop());
    server.script = ({ stream }) => {
      stream.respond({ ':status': 200 });
      drip(stream, () => stream.write(' '));
    };
    expect(await failure(read(server.host, true))).toMatch(/HOST sent less than 10000 bytes/);
  });

  it('ends with an interrupt, and with the reason for it', async () => {
    const controller = new AbortController();
    const host = await startDripping((socket) => {
      DRIPS[0]![1](socket);
      setTimeout(() => controller.abort(new Error('interrupted')), 50);
    });
    await expect(read(host, false, controller)).rejects.toThrow('interrupted');
  });

  it('may take longer than other answers otherwise', async () => {
    const host = await startDripping((socket) => {
      socket.write(`${HEAD}Content-Length: 100000000\r\n\r\n`);
      let left = 100;
      drip(socket, () => {
        if (left > 0) socket.write(Buffer.alloc(1_000_000));
        left -= 1;
      });
    });
    expect(await read(host)).toBe(100_000_000);
  });
});

test('an upload has no deadline as long as its pieces are taken, and its answer has one', async () => {
  let received = 0;
  const host = await startDripping((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
  });
  const upload = {
    length: 60,
    async *open() {
      for (let piece = 0; piece < 60; piece += 1) {
        yield Buffer.of(65);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
  expect(await failure(send(host, { method: 'PUT', upload }))).toMatch(NOT_IN_FULL);
  expect(received).toBeGreaterThan(40);
});
