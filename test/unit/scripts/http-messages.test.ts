import { describe, expect, it } from 'vitest';
import { MessageReader } from '../../../scripts/bench/http-messages.mjs';
import { observe, type Seen } from '../../../scripts/bench/observer.mjs';

/** All that a reader is told of `text`, cut into pieces of this size; what follows a head is read from its own field `body`. */
function read(text: string, pieceSize: number): string[] {
  const told: string[] = [];
  const reader = new MessageReader({
    onHead(line, field) {
      told.push(line);
      const body = field('body') ?? '0';
      return body === 'chunked' || body === 'until-close' ? body : Number(body);
    },
    onEnd: () => told.push('end'),
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceSize)
    reader.read(bytes.subarray(at, at + pieceSize));
  reader.close();
  return told;
}

describe.each([1, 2, 3, 5, 1000])('messages in pieces of %i bytes', (size) => {
  it.each([
    ['without a body', 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n', ['GET /a HTTP/1.1', 'end']],
    [
      'with bodies, one after another',
      'PUT /a HTTP/1.1\r\nbody: 5\r\n\r\nGET /GET /b HTTP/1.1\r\n\r\n',
      ['PUT /a HTTP/1.1', 'end', 'GET /b HTTP/1.1', 'end'],
    ],
    [
      'in chunks, with a trailer',
      'HTTP/1.1 200 OK\r\nBody: chunked\r\n\r\n5;x=y\r\nab\r\nc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\nHTTP/1.1 204 No\r\n\r\n',
      ['HTTP/1.1 200 OK', 'end', 'HTTP/1.1 204 No', 'end'],
    ],
    [
      'until the end of the connection',
      'HTTP/1.0 200 OK\r\nbody: until-close\r\n\r\nHTTP/1.1 500 no\r\n\r\n',
      ['HTTP/1.0 200 OK', 'end'],
    ],
    ['that are cut', 'GET /a HTTP/1.1\r\nbody: 9\r\n\r\n1234', ['GET /a HTTP/1.1']],
    ['that are those of TLS', '\x16\x03\x01GET /a HTTP/1.1\r\n\r\n', []],
    ['that are of something else', 'SSH-2.0-x\r\n\r\nGET /a HTTP/1.1\r\n\r\n', []],
  ])('%s', (_, text, told) => {
    expect(read(text, size)).toEqual(told);
  });
});

describe('an observer', () => {
  it('knows which answer is whose, and which have no body', () => {
    const seen: Seen[] = [];
    const { requests, answers } = observe(seen);
    const send = (text: string) => requests.read(Buffer.from(text));
    const answer = (text: string) => answers.read(Buffer.from(text));

    send('HEAD /a HTTP/1.1\r\n\r\n');
    answer('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    send('PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n');
    answer('HTTP/1.1 100 Continue\r\n\r\n');
    expect(seen.map(({ end }) => end !== undefined)).toEqual([true, false]);
    send('3\r\nabc\r\n0\r\n\r\n');
    answer('HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\no');
    expect(seen[1]).toMatchObject({ status: 201, end: undefined });
    answer('k');
    send('GET /c HTTP/1.1\r\n\r\n');
    answer('HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n');

    expect(seen.map(({ method, url, status }) => `${method} ${url} ${status}`)).toEqual([
      'HEAD /a 200',
      'PUT /b 201',
      'GET /c 304',
    ]);
    for (const { start, end } of seen) expect(end).toBeGreaterThanOrEqual(start);
  });
});
