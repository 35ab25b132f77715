import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Attempts, withRestarts } from '../../../src/attempts.js';
import { ManifestToolError } from '../../../src/errors.js';
import {
  compose,
  DamagedBody,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
} from '../../../src/http/request.js';
import { RetryPolicy, type RetryEvent } from '../../../src/http/retry.js';
import { RetriesExhausted } from '../../../src/http/errors.js';

// That of the process cannot be turned; this one goes with the timers.
vi.mock('../../../src/clock.js', () => ({ now: () => performance.now() }));

const HOUR_MS = 3_600_000;
const url = new URL('http://registry.test/v2/a/manifests/b');
const request: HttpRequest = { method: 'GET', url, maxBytes: 0 };

const answer = (status: number, headers: Record<string, string> = {}, body = ''): HttpResponse => ({
  status,
  headers: new HttpHeaders(headers),
  body: Buffer.from(body),
  url,
});
const failure = (code: string): Error => Object.assign(new Error(code), { code });

let waits: RetryEvent[];
/** When each request was sent, in milliseconds from the first. */
let sent: number[];
let script: (request: HttpRequest) => HttpResponse | Error;
let controller: AbortController;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  waits = [];
  sent = [];
  controller = new AbortController();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function makePolicy(retries = 2, concurrency = 4, answerMs = Infinity) {
  const start = performance.now();
  const policy = new RetryPolicy({
    retries,
    delayMs: 100,
    answerMs,
    concurrency: () => concurrency,
    signal: controller.signal,
    onWait: (wait) => waits.push(wait),
  });
  const layer = compose([policy.layer], async (each) => {
    sent.push(performance.now() - start);
    const result = script(each);
    if (result instanceof Error) throw result;
    return result;
  });
  return { policy, layer };
}

/** Lets all timers run, and gives how the promise ended. */
async function ended<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const settled = Promise.allSettled([promise]);
  await vi.advanceTimersByTimeAsync(HOUR_MS);
  return (await settled)[0];
}

describe('a request', () => {
  test.each([408, 429, 500, 502, 503, 504])('is sent N + 1 times after %i', async (status) => {
    script = () => answer(status);
    const { layer } = makePolicy();
    expect(await ended(layer(request))).toMatchObject({ value: { status, attempts: 3 } });
    expect(sent).toEqual([0, 100, 300]);
    expect(waits).toEqual([
      {
        host: 'registry.test',
        reason: `status ${status}`,
        milliseconds: 100,
        attempt: 2,
        attempts: 3,
      },
      {
        host: 'registry.test',
        reason: `status ${status}`,
        milliseconds: 200,
        attempt: 3,
        attempts: 3,
      },
    ]);
  });

  test.each([200, 307, 400, 401, 403, 404, 405, 409, 412, 413, 501])(
    'is sent once after %i',
    async (status) => {
      script = () => answer(status);
      expect(await ended(makePolicy().layer(request))).toMatchObject({
        value: { status, attempts: 1 },
      });
      expect(sent).toHaveLength(1);
    },
  );

  test.each(['ECONNREFUSED', 'ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'EAI_AGAIN'])(
    'is sent N + 1 times after %s',
    async (code) => {
      script = () => failure(code);
      const { reason } = (await ended(makePolicy().layer(request))) as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(RetriesExhausted);
      expect(reason).toMatchObject({ attempts: 3, cause: { code } });
      expect(sent).toEqual([0, 100, 300]);
    },
  );

  test.each(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])(
    'is sent again at once after the first %s: the connection was idle',
    async (code) => {
      script = () => failure(code);
      await ended(makePolicy().layer(request));
      expect(sent).toEqual([0, 0, 200]);
      expect(waits.map(({ attempt }) => attempt)).toEqual([3]);
    },
  );

  test('is not sent again if the wait would pass the time for a whole answer', async () => {
    script = () => answer(503);
    const { layer } = makePolicy(9, 4, 250);
    expect(await ended(layer(request))).toMatchObject({ value: { status: 503, attempts: 2 } });
    expect(sent).toEqual([0, 100]);
  });

  test.each(['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ERR_UNKNOWN'])(
    'is sent once after %s',
    async (code) => {
      script = () => failure(code);
      expect(await ended(makePolicy().layer(request))).toMatchObject({ reason: { code } });
      expect(sent).toHaveLength(1);
    },
  );

  test('whose body fails is not sent again: its source has made all attempts', async () => {
    const cause = failure('ECONNRESET');
    const error = new ManifestToolError('UNAVAILABLE', 'reading', 'lost', { cause });
    script = () => error;
    expect(await ended(makePolicy().layer(request))).toMatchObject({ reason: error });
    expect(sent).toHaveLength(1);
  });

  test('whose answer does not pass its check is sent again', async () => {
    script = () => answer(200);
    let checks = 0;
    const check = (): void => {
      checks += 1;
      if (checks < 3) throw new DamagedBody('it is damaged');
    };
    expect(await ended(makePolicy().layer({ ...request, check }))).toMatchObject({
      value: { status: 200, attempts: 3 },
    });
    expect(waits[0]).toMatchObject({ reason: 'it is damaged' });
  });

  test('may have fewer retries than others', async () => {
    script = () => answer(503);
    await ended(makePolicy(4).layer({ ...request, retries: 1 }));
    expect(sent).toHaveLength(2);
    expect(waits).toMatchObject([{ attempt: 2, attempts: 2 }]);
  });

  test('is not sent again after an abort', async () => {
    script = () => answer(503);
    const { layer } = makePolicy();
    const settled = Promise.allSettled([layer(request)]);
    await vi.advanceTimersByTimeAsync(50);
    controller.abort(new Error('stopped'));
    expect(await settled).toMatchObject([{ reason: { message: 'stopped' } }]);
    expect(sent).toHaveLength(1);
  });
});

describe('a wait', () => {
  test.each([
    ['2', 2000],
    [new Date(5000).toUTCString(), 5000],
    ['0', 100],
    ['-5', 100],
    ['soon', 100],
  ])('is what Retry-After: %s asks for, and the back-off at least', async (value, milliseconds) => {
    vi.setSystemTime(0);
    script = () => (sent.length === 1 ? answer(429, { 'retry-after': value }) : answer(200));
    await ended(makePolicy().layer(request));
    expect(sent).toEqual([0, milliseconds]);
  });

  test.each([
    ['a 429', 429, 'retry-after: 650.464ms, allowed: 2000/minute'],
    ['a 403 of a secondary limit', 403, 'secondary rate limit; retry-after: 650.464ms'],
  ])('may be asked for in the text of %s', async (_, status, body) => {
    script = () => (sent.length === 1 ? answer(status, {}, body) : answer(200));
    await ended(makePolicy().layer(request));
    expect(waits).toMatchObject([{ milliseconds: 651 }]);
  });

  test('of more than a minute is not made: the answer is final', async () => {
    script = () => answer(429, { 'retry-after': '61' });
    expect(await ended(makePolicy().layer(request))).toMatchObject({
      value: { status: 429, attempts: 1 },
    });
    expect(sent).toEqual([0]);
  });

  test('ends with five minutes in all', async () => {
    script = () => answer(429, { 'retry-after': '60' });
    await ended(makePolicy(100).layer(request));
    expect(sent).toHaveLength(6);
  });

  test('never exceeds a minute by back-off', async () => {
    script = () => answer(503);
    await ended(makePolicy(100).layer(request));
    expect(Math.max(...waits.map(({ milliseconds }) => milliseconds))).toBe(60_000);
  });

  test('is kept by all requests to the host, those in the queue too', async () => {
    script = () => (sent.length === 1 ? answer(429, { 'retry-after': '1' }) : answer(200));
    const { layer } = makePolicy(2, 1);
    await ended(Promise.all([layer(request), layer(request), layer(request)]));
    expect(sent[0]).toBe(0);
    for (const time of sent.slice(1)) expect(time).toBeGreaterThanOrEqual(1000);
  });

  test('is not kept by requests to other hosts', async () => {
    script = ({ url: { host } }) =>
      host === url.host && sent.length === 1 ? answer(429, { 'retry-after': '1' }) : answer(200);
    const { layer } = makePolicy();
    const other = { ...request, url: new URL('http://other.test/') };
    await ended(Promise.all([layer(request), layer(other)]));
    expect(sent).toEqual([0, 0, 1000]);
  });
});

describe('an operation of several requests', () => {
  const operation = async (
    layer: (request: HttpRequest) => Promise<HttpResponse>,
    attempts: Attempts,
    names: readonly string[],
  ): Promise<void> => {
    for (const name of names) {
      const { status } = await layer({ ...request, url: new URL(name, url), attempts });
      if (status !== 200) throw new Error(`${name} has status ${status}`);
    }
  };

  test('starts again from its beginning, N + 1 attempts in all', async () => {
    const paths: string[] = [];
    script = ({ url: { pathname } }) => {
      paths.push(pathname);
      return answer(pathname === '/put' ? 503 : 200);
    };
    const { layer } = makePolicy();
    const attempts = new Attempts(true);
    const names = ['/post', '/put'];
    const result = await ended(withRestarts(attempts, () => operation(layer, attempts, names)));
    expect(result).toMatchObject({ reason: { message: '/put has status 503' } });
    expect(paths).toEqual(['/post', '/put', '/post', '/put', '/post', '/put']);
    expect(attempts.number).toBe(3);
    expect(sent).toEqual([0, 0, 100, 100, 300, 300]);
  });

  test('has no more attempts when different requests fail', async () => {
    const paths: string[] = [];
    script = ({ url: { pathname } }) => {
      paths.push(pathname);
      // Each fails every other time.
      return answer(paths.filter((path) => path === pathname).length % 2 === 1 ? 503 : 200);
    };
    const { layer } = makePolicy();
    const attempts = new Attempts(true);
    const names = ['/one', '/two', '/three'];
    await ended(withRestarts(attempts, () => operation(layer, attempts, names)));
    expect(paths.filter((path) => path === '/one')).toHaveLength(3);
  });

  test('does not start again after a failure that is not transient', async () => {
    script = () => answer(404);
    const { layer } = makePolicy();
    const attempts = new Attempts(true);
    await ended(withRestarts(attempts, () => operation(layer, attempts, ['/one'])));
    expect(sent).toHaveLength(1);
  });

  test('does not start again for a failure that it got over by itself', async () => {
    script = () => answer(sent.length === 1 ? 503 : 404);
    const { layer } = makePolicy();
    const attempts = new Attempts(true);
    await withRestarts(attempts, async () => {
      await layer({ ...request, attempts });
    });
    const rest = withRestarts(attempts, () => operation(layer, attempts, ['/two']));
    expect(await ended(rest)).toMatchObject({ reason: { message: '/two has status 404' } });
    expect(sent).toHaveLength(2);
  });

  test('is granted another attempt for a stream that was cut, as long as there is one', () => {
    const { policy } = makePolicy();
    const attempts = new Attempts(true);
    expect(policy.grant(attempts, url, failure('UND_ERR_SOCKET'))).toBe(true);
    expect(policy.grant(attempts, url, failure('ENOTFOUND'))).toBe(false);
    expect(policy.grant(attempts, url, new DamagedBody('it is damaged'))).toBe(true);
    expect(policy.grant(attempts, url, failure('UND_ERR_SOCKET'))).toBe(false);
    expect(attempts).toMatchObject({ number: 3, isLast: true, waitedMs: 300 });
  });
});
