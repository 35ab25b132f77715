import { describe, expect, test } from 'vitest';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type Transport,
} from '../../../src/http/request.js';
import { requestLog, shownUrl, type RequestRecord } from '../../../src/http/log.js';

describe('shownUrl', () => {
  test.each([
    ['https://r.example/v2/a/manifests/1', 'https://r.example/v2/a/manifests/1'],
    ['http://r.example:5000/v2/', 'http://r.example:5000/v2/'],
    ['https://r.example/v2/?', 'https://r.example/v2/'],
    ['https://u:hunter2@r.example/v2/#f', 'https://r.example/v2/'],
    [
      'https://a.example/t?service=s&scope=repository%3Aa%3Apull&scope=repository:b:pull',
      'https://a.example/t?service=s&scope=repository%3Aa%3Apull&scope=repository:b:pull',
    ],
    [
      'https://r/v2/a/blobs/uploads/?mount=sha256:1&from=b&digest=sha256:2&n=1&last=x&tag=y',
      'https://r/v2/a/blobs/uploads/?mount=sha256:1&from=b&digest=sha256:2&n=1&last=x&tag=y',
    ],
    ['https://r/u?_state=hunter2&digest=sha256:1', 'https://r/u?_state=REDACTED&digest=sha256:1'],
    [
      'https://s3/o?X-Amz-Signature=hunter2&X-Amz-Credential=hunter2',
      'https://s3/o?X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED',
    ],
    ['https://s3/o?sig=hunter2==', 'https://s3/o?sig=REDACTED'],
    [
      'https://s3/o?SCOPE=hunter2&toString=hunter2',
      'https://s3/o?SCOPE=REDACTED&toString=REDACTED',
    ],
  ])('%s is shown as %s', (url, shown) => {
    expect(shownUrl(new URL(url))).toBe(shown);
  });

  test.each([
    'https://s3/o?hunter2',
    'https://s3/o?n=1&hunter2',
    'https://s3/o?a=hunter2&=hunter2',
  ])('%s is shown without what may be a secret', (url) => {
    expect(shownUrl(new URL(url))).not.toContain('hunter2');
  });
});

describe('requestLog', () => {
  const request: HttpRequest = {
    method: 'GET',
    url: new URL('https://r.example/v2/?token=hunter2'),
    maxBytes: 0,
    signedWith: 'the config',
  };
  const logged = async (next: Transport) => {
    const records: RequestRecord[] = [];
    const transport = compose([requestLog((record) => records.push(record))], next);
    const answer = await transport(request).catch(String);
    return { answer, records };
  };

  test('tells of the answer', async () => {
    const response = {
      status: 404,
      headers: new HttpHeaders({}),
      body: Buffer.of(),
      url: request.url,
    };
    const { answer, records } = await logged(async () => response);
    expect(answer).toBe(response);
    expect(records).toEqual([
      {
        method: 'GET',
        url: 'https://r.example/v2/?token=REDACTED',
        outcome: 404,
        milliseconds: expect.any(Number) as number,
        attempt: 1,
        signedWith: 'the config',
      },
    ]);
  });

  test.each([
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error('broken'), 'broken'],
  ])('tells of a failure, and passes it on', async (error, outcome) => {
    const { answer, records } = await logged(async () => {
      throw error;
    });
    expect(answer).toBe(String(error));
    expect(records).toMatchObject([{ outcome }]);
  });
});
