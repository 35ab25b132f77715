import { describe, expect, test } from 'vitest';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../src/http/request.js';
import { redirects } from '../../../src/http/redirects.js';

type Answer = { status: number; location?: string };

/** A transport that answers in turn, and the requests that it got. */
function scripted(answers: readonly Answer[]) {
  const seen: HttpRequest[] = [];
  const next = async (each: HttpRequest): Promise<HttpResponse> => {
    const { status, location } = answers[seen.length] ?? { status: 200 };
    seen.push(each);
    return { status, headers: new HttpHeaders({ location }), body: Buffer.of(), url: each.url };
  };
  return { next, seen };
}

/** A transport that follows the redirects of `next`. */
const follow = (next: Transport, onlySameOrigin = false): Transport =>
  compose([redirects({ onlySameOrigin })], next);

function request(
  method: HttpRequest['method'] = 'GET',
  url = 'https://r.example/v2/a',
): HttpRequest {
  return {
    method,
    url: new URL(url),
    maxBytes: 10,
    headers: { accept: 'x' },
    body: Buffer.from('b'),
  };
}

describe('redirects', () => {
  test.each([301, 302, 303, 307, 308])('a read follows status %i', async (status) => {
    for (const method of ['GET', 'HEAD'] as const) {
      const { next, seen } = scripted([{ status, location: 'https://cdn.example/x?sig=a%2Fb' }]);
      const response = await follow(next)(request(method));
      expect(response.status).toBe(200);
      expect(response.url.href).toBe('https://cdn.example/x?sig=a%2Fb');
      expect(seen.map((each) => each.method)).toEqual([method, method]);
    }
  });

  test.each([307, 308])('a write follows status %i with its body', async (status) => {
    const { next, seen } = scripted([{ status, location: '/elsewhere' }]);
    await follow(next)(request('PUT'));
    expect(seen[1]).toMatchObject({ method: 'PUT', body: Buffer.from('b'), maxBytes: 10 });
    expect(seen[1]!.url.href).toBe('https://r.example/elsewhere');
  });

  test.each([301, 302, 303])('a write does not follow status %i', async (status) => {
    for (const method of ['PUT', 'POST', 'DELETE'] as const) {
      const { next, seen } = scripted([{ status, location: 'https://o.example/' }]);
      await expect(follow(next)(request(method))).rejects.toMatchObject({
        why: expect.stringContaining('https://o.example') as string,
      });
      expect(seen).toHaveLength(1);
    }
  });

  test.each([200, 201, 300, 304, 305, 400, 401, 404, 500])(
    'status %i is an answer',
    async (status) => {
      const { next, seen } = scripted([{ status, location: 'https://o.example/' }]);
      expect((await follow(next)(request())).status).toBe(status);
      expect(seen).toHaveLength(1);
    },
  );

  test.each([
    ['https://o.example/x', 'https://o.example/x'],
    ['//o.example/x', 'https://o.example/x'],
    ['/x', 'https://r.example/x'],
    ['x', 'https://r.example/v2/x'],
    ['?q', 'https://r.example/v2/a?q'],
  ])('Location %s leads to %s', async (location, url) => {
    const { next } = scripted([{ status: 307, location }]);
    expect((await follow(next)(request())).url.href).toBe(url);
  });

  test('Location is read from where the redirect came', async () => {
    const { next } = scripted([
      { status: 307, location: 'https://o.example/b/c' },
      { status: 302, location: 'd' },
    ]);
    expect((await follow(next)(request())).url.href).toBe('https://o.example/b/d');
  });

  test.each([
    ['no Location', undefined],
    ['an address that is none', 'https://['],
    ['another scheme', 'ftp://o.example/'],
    ['a file', 'file:///etc/passwd'],
    ['plain http', 'http://r.example/v2/a'],
    ['plain http elsewhere', 'http://o.example/'],
    ['credentials', 'https://u:hunter2@r.example/'],
  ])('from https, %s is refused', async (_what, location) => {
    const { next, seen } = scripted([{ status: 307, ...(location ? { location } : {}) }]);
    const failed = follow(next)(request());
    await expect(failed).rejects.toMatchObject({ code: 'FAILED' });
    await expect(failed).rejects.not.toThrow(/hunter2/);
    expect(seen).toHaveLength(1);
  });

  test('plain http may become https, and never goes back', async () => {
    const location = 'https://r.example/';
    const up = scripted([{ status: 307, location }]);
    expect((await follow(up.next)(request('GET', 'http://r.example/'))).url.href).toBe(location);
    const down = scripted([
      { status: 307, location },
      { status: 307, location: 'http://r.example/' },
    ]);
    await expect(follow(down.next)(request('GET', 'http://r.example/'))).rejects.toThrow(
      /from https to http/,
    );
  });

  test('follows five, and no more', async () => {
    const answers = (count: number): Answer[] =>
      Array.from({ length: count }, () => ({ status: 307, location: '/again' }));
    expect((await follow(scripted(answers(5)).next)(request())).status).toBe(200);
    const endless = scripted(answers(99));
    await expect(follow(endless.next)(request())).rejects.toThrow(/more than 5 redirects/);
    expect(endless.seen).toHaveLength(6);
  });

  test.each([
    ['https://r.example/x', true],
    ['https://r.example:443/x', true],
    ['https://r.example:8443/x', false],
    ['https://o.example/x', false],
    ['https://sub.r.example/x', false],
  ])('where only the same origin is allowed, %s: %s', async (location, follows) => {
    const { next, seen } = scripted([{ status: 307, location }]);
    const answer = follow(next, true)(request());
    if (follows) await expect(answer).resolves.toMatchObject({ status: 200 });
    else await expect(answer).rejects.toThrow(/another host/);
    expect(seen).toHaveLength(follows ? 2 : 1);
  });

  test('an error does not show the query, which may be signed', async () => {
    const { next } = scripted([{ status: 307 }]);
    const failed = follow(next)(request('GET', 'https://r.example/v2/a?sig=hunter2'));
    await expect(failed).rejects.toMatchObject({ what: 'GET https://r.example/v2/a' });
  });
});
