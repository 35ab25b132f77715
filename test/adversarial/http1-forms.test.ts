import net, { type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, test } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry } from './support/fake-registry.js';
import type { Seen } from './support/scripted.js';

/** Answers in HTTP/1.1 in other forms than servers usually write, as bytes. */

interface Answer {
  readonly type: string;
  readonly body: Buffer;
}

let server: net.Server;
let requests = 0;

afterEach(() => {
  server.close();
});

/** Inspects an image in a registry that writes its answers as `write` does. */
async function inspect(write: (answer: Answer) => (string | Buffer)[]): Promise<CliResult> {
  const registry = new FakeRegistry();
  registry.addImage('x', '1', { os: 'linux', architecture: 'amd64' });
  requests = 0;
  server = net.createServer((socket) => {
    let buffered = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      buffered += chunk.toString();
      for (let end = buffered.indexOf('\r\n\r\n'); end !== -1; end = buffered.indexOf('\r\n\r\n')) {
        const [method = '', url = ''] = buffered.split(' ');
        buffered = buffered.slice(end + 4);
        requests += 1;
        const { pathname: path, searchParams: query } = new URL(url, 'http://x');
        const seen = { method, url, path, query, headers: {}, body: Buffer.alloc(0) } as Seen;
        const { headers, body } = registry.answer({
          ...seen,
          time: 0,
          hasClientCertificate: false,
        });
        const type = String(headers?.['content-type'] ?? 'application/octet-stream');
        const parts = write({ type, body: Buffer.from(body ?? '') });
        socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return runCli(['inspect', '--plain-http', '--retry', '1', '--retry-delay', '1ms', `${host}/x:1`]);
}

const OK = 'HTTP/1.1 200 OK\r\n';

function head({ type, body }: Answer): string {
  return `${OK}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
}

describe('an answer is read', () => {
  it.each<[string, (answer: Answer) => (string | Buffer)[]]>([
    ['without spaces', (answer) => [head(answer).replaceAll(': ', ':'), answer.body]],
    ['with many spaces', (answer) => [head(answer).replaceAll(': ', ':  \t'), answer.body]],
    ['without a reason phrase', (answer) => [head(answer).replace(' OK', ''), answer.body]],
    [
      'behind informational answers',
      (answer) => ['HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n', head(answer), answer.body],
    ],
    [
      'in chunks with extensions and trailers',
      ({ type, body }) => [
        `${OK}Content-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`,
        `${body.length.toString(16)};a="b"\r\n`,
        body,
        '\r\n0\r\nX-A: b\r\n\r\n',
      ],
    ],
    [
      'compressed, although that was not asked for',
      ({ type, body }) => {
        const zipped = gzipSync(body);
        const encoded = head({ type, body: zipped }).replace(OK, `${OK}Content-Encoding: GZIP\r\n`);
        return [encoded, zipped];
      },
    ],
    [
      'that only says it is compressed',
      (answer) => [head(answer).replace(OK, `${OK}Content-Encoding: gzip\r\n`), answer.body],
    ],
  ])('%s', async (_, write) => {
    expectCode(await inspect(write), 0);
  });
});

describe('an answer in a form that is not valid is named, and not asked for again', () => {
  it.each<[string, (answer: Answer) => (string | Buffer)[], RegExp]>([
    [
      '100',
      (answer) => ['HTTP/1.1 100 Continue\r\n\r\n', head(answer)],
      /it sent an unrequested 100 Continue/,
    ],
    [
      '101',
      () => ['HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
      /it switched to/,
    ],
    ['LF alone', (answer) => [head(answer).replaceAll('\r', '')], /Missing expected CR/],
    [
      'a folded line',
      (answer) => [head(answer).replace(OK, `${OK}X-A: b\r\n c\r\n`)],
      /whitespace after header value/,
    ],
    [
      'headers that are too large',
      (answer) => [head(answer).replace(OK, `${OK}X-A: ${'b'.repeat(70_000)}\r\n`)],
      /its headers are larger than 64 KiB/,
    ],
    ['another protocol', () => ['SSH-2.0-OpenSSH_9.2\r\n'], /Expected HTTP/],
  ])('%s', async (_, write, reason) => {
    const { code, stderr } = await inspect(write);
    expect(code).toBe(5);
    expect(stderr).toMatch(/the answer of 127\.0\.0\.1:\d+ is not valid HTTP: /);
    expect(stderr).toMatch(reason);
    expect(requests).toBe(1);
  });
});

test('a compressed answer that is too large or damaged is an error', async () => {
  const zip = (body: Buffer): ReturnType<Parameters<typeof inspect>[0]> => [
    head({ type: 'application/json', body }).replace(OK, `${OK}Content-Encoding: gzip\r\n`),
    body,
  ];
  const large = await inspect(() => zip(gzipSync(Buffer.alloc(50_000_000, ' '))));
  expect(large.stderr).toMatch(/the answer is larger than/);
  server.close();
  const damaged = await inspect(() => zip(Buffer.of(0x1f, 0x8b, 0, 0, 0)));
  expect(damaged.stderr).toMatch(/its answer cannot be decompressed \(2 attempts\)/);
});
