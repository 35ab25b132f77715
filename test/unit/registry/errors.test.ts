import { describe, expect, test } from 'vitest';
import type { ErrorCode, ErrorReason } from '../../../src/errors.js';
import { HttpHeaders, type HttpResponse } from '../../../src/http/request.js';
import {
  answerFailure,
  isUnavailable,
  RegistryError,
  type RequestContext,
} from '../../../src/registry/errors.js';

const HTML = { 'content-type': 'text/html; charset=utf-8' };
const CONTEXT: RequestContext = {
  host: 'registry.test',
  identity: 'as alice with the credentials of config.json',
  isRedirected: false,
};

const answer = (
  status: number,
  body = '',
  headers: Record<string, string> = {},
  attempts = 1,
): HttpResponse => ({
  status,
  headers: new HttpHeaders(headers),
  body: Buffer.from(body),
  url: new URL('https://registry.test/v2/'),
  attempts,
});

const errors = (...list: readonly object[]): string => JSON.stringify({ errors: list });

const failureOf = (response: HttpResponse, context: Partial<RequestContext> = {}) =>
  answerFailure('reading registry.test/a:b', response, { ...CONTEXT, ...context });

describe('the meaning of an answer', () => {
  test.each<[status: number, code: ErrorCode]>([
    [300, 'FAILED'],
    [400, 'FAILED'],
    [401, 'DENIED'],
    [403, 'DENIED'],
    [404, 'NOT_FOUND'],
    [405, 'FAILED'],
    [410, 'NOT_FOUND'],
    [408, 'UNAVAILABLE'],
    [409, 'FAILED'],
    [413, 'FAILED'],
    [429, 'UNAVAILABLE'],
    [500, 'UNAVAILABLE'],
    [501, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
    [507, 'FAILED'],
  ])('%i is %s, whatever its codes', (status, code) => {
    const body = errors({ code: 'MANIFEST_UNKNOWN', message: 'words of the registry' });
    const failure = failureOf(answer(status, body));
    expect(failure.code).toBe(code);
    expect(failure.why).toContain('MANIFEST_UNKNOWN: words of the registry');
    expect(failure.cause).toBeInstanceOf(RegistryError);
  });

  const toWrite = (status: number, body: string, headers = {}) =>
    failureOf(answer(status, body, headers), { purpose: 'write' });

  test.each([400, 403, 405, 409, 412, 423])(
    '%i to a write is REFUSED if a tag is immutable',
    (status) => {
      for (const message of [
        'tag is immutable',
        'it cannot be overwritten',
        "tag 'v1' already exists",
        'The repository has enabled tag immutability',
        'Repository does not allow updating assets: docker-hosted',
        'The tag is locked',
      ]) {
        expect(toWrite(status, errors({ code: 'DENIED', message })).code).toBe('REFUSED');
        expect(toWrite(status, errors({ code: 'DENIED', detail: { reason: message } })).code).toBe(
          'REFUSED',
        );
        expect(toWrite(status, message, { 'content-type': 'text/plain' }).code).toBe('REFUSED');
        expect(toWrite(status, JSON.stringify({ error: message })).code).toBe('REFUSED');
      }
    },
  );

  test.each<[string, HttpResponse, Partial<RequestContext>, ErrorCode]>([
    ['of a read', answer(403, errors({ message: 'the tag is locked' })), {}, 'DENIED'],
    [
      'of a user',
      answer(403, errors({ message: 'Your account is locked' })),
      { purpose: 'write' },
      'DENIED',
    ],
    [
      'that is part of a word',
      answer(403, errors({ message: 'your address is blocked' })),
      { purpose: 'write' },
      'DENIED',
    ],
    ['of a page', answer(403, '<html>locked', HTML), { purpose: 'write' }, 'DENIED'],
    [
      'with a status of its own',
      answer(404, errors({ message: 'immutable' })),
      { purpose: 'write' },
      'NOT_FOUND',
    ],
  ])('a lock %s is not one of a tag', (_, response, context, code) => {
    expect(failureOf(response, context).code).toBe(code);
  });

  test.each<[status: number, codes: readonly string[], code: ErrorCode]>([
    [400, ['MANIFEST_BLOB_UNKNOWN'], 'INCOMPLETE'],
    [400, ['SIZE_INVALID', 'BLOB_UNKNOWN'], 'INCOMPLETE'],
    [404, ['MANIFEST_UNKNOWN'], 'INCOMPLETE'],
    [404, ['NAME_UNKNOWN'], 'NOT_FOUND'],
    [404, [], 'NOT_FOUND'],
    [400, ['MANIFEST_INVALID'], 'FAILED'],
    [500, ['MANIFEST_BLOB_UNKNOWN'], 'UNAVAILABLE'],
  ])('%i with %j for the write of a manifest is %s', (status, codes, code) => {
    const body = errors(...codes.map((each) => ({ code: each })));
    expect(failureOf(answer(status, body), { purpose: 'write' }).code).toBe(code);
  });

  test.each([
    ['429', answer(429)],
    [
      'a 403 of a secondary limit',
      answer(403, errors({ message: 'You have exceeded a secondary rate limit' })),
    ],
  ])('%s limits the rate of requests; the wait it asks for is named', (_, response) => {
    const headers = new HttpHeaders({ 'retry-after': '120' });
    const { code, why } = failureOf({ ...response, headers, attempts: 5 });
    expect(code).toBe('UNAVAILABLE');
    expect(why).toMatch(/^registry\.test limits the rate of requests \(status \d+.*\)/);
    expect(why).toMatch(/ and asks to wait until [-0-9: ]+ UTC \(2 min\) \(5 attempts\)$/);
  });

  test('a web page with 200 is UNAVAILABLE: there is no registry', () => {
    const { code, why } = failureOf(answer(200, '<html>', HTML));
    expect(code).toBe('UNAVAILABLE');
    expect(why).toContain('a web page (status 200)');
  });

  test('a web page with an error is what its status says', () => {
    const { code, why } = failureOf(answer(404, '<html>', HTML));
    expect([code, why]).toEqual(['NOT_FOUND', 'not found (status 404: a web page)']);
    expect(failureOf(answer(413, '<html>', HTML)).why).toContain('(status 413: a web page)');
  });

  test('the scopes that a token needs are named', () => {
    const challenge = 'Bearer realm="https://t.test",scope="repository:a/b:pull,push"';
    const { why } = failureOf(answer(401, '', { 'www-authenticate': challenge }));
    expect(why).toMatch(/; required scope: repository:a\/b:pull,push$/);
  });
});

describe('what to do', () => {
  test.each<[string, number, Partial<RequestContext>, ErrorReason]>([
    ['anonymously', 401, { identity: 'anonymously' }, 'login-required'],
    ['without credentials', 403, { identity: 'without credentials' }, 'login-required'],
    ['as a user', 401, {}, 'credentials-rejected'],
    ['for content of a manifest', 404, { purpose: 'content' }, 'content-missing'],
    ['at another host', 404, { isRedirected: true }, 'content-missing'],
    ['when the registry is down', 503, {}, 'registry-unavailable'],
    ['for a request that is not supported', 501, {}, 'answer-unexpected'],
    ['for an unknown status', 418, {}, 'answer-unexpected'],
  ])('%s, status %i', (_, status, context, reason) => {
    expect(failureOf(answer(status), context)).toMatchObject({ reason, hint: undefined });
  });

  test('names no login for a host that the registry redirects to', () => {
    const { reason, why, hint } = failureOf(answer(403), { isRedirected: true, host: 's.test' });
    expect(why).toMatch(/^not allowed by s\.test/);
    expect([reason, hint]).toEqual([undefined, expect.stringMatching(/may have expired$/)]);
  });
});

describe('the text of a registry', () => {
  test('has code and message of each error', () => {
    const body = errors({ code: 'A', message: 'one' }, { code: 'B' }, { message: 'three' });
    const { codes, text, message } = new RegistryError(answer(400, body));
    expect(codes).toEqual(['A', 'B']);
    expect(text).toBe('A: one; B; three');
    expect(message).toBe('status 400 (A: one; B; three)');
  });

  test.each<[string, unknown, string]>([
    ['a string', 'quota of 5 GiB exceeded', 'C: m (quota of 5 GiB exceeded)'],
    ['an object', { Tag: '1.0', Name: 'a/b' }, 'C: m (Tag: 1.0, Name: a/b)'],
    [
      'a list',
      [{ Digest: 'sha256:a' }, { Digest: 'sha256:b' }],
      'C: m (Digest: sha256:a; Digest: sha256:b)',
    ],
    ['a number', 12, 'C: m (12)'],
    ['null', null, 'C: m'],
    ['a boolean', { a: true, b: false }, 'C: m (a: true, b: false)'],
    ['nothing', {}, 'C: m'],
    ['empty members', { a: '', b: null, c: 'x', d: [] }, 'C: m (c: x)'],
    ['its message', 'm', 'C: m'],
    ['very deep', [[[[[['x']]]]]], 'C: m'],
  ])('has the detail: %s', (_, detail, text) => {
    const body = errors({ code: 'C', message: 'm', detail });
    expect(new RegistryError(answer(400, body)).text).toBe(text);
  });

  test.each([
    ['of another form', '{"error":"canary"}'],
    ['that is no JSON', 'canary'],
    ['with errors that are no list', '{"errors":"canary"}'],
    ['with errors that are no objects', '{"errors":["canary"]}'],
    ['with codes that are no strings', '{"errors":[{"code":["canary"],"message":{"canary":1}}]}'],
  ])('is not shown from a body %s: it may echo a credential', (_, body) => {
    const { text, message } = new RegistryError(answer(400, body));
    expect(`${text} ${message}`).not.toContain('canary');
  });

  test('of a web page is that it is one', () => {
    expect(new RegistryError(answer(502, '<html>', HTML)).text).toBe('a web page');
  });
});

test.each([
  [200, '', false],
  [408, '', true],
  [429, '', true],
  [403, '', false],
  [403, 'secondary rate limit', true],
  [500, '', true],
  [501, '', false],
  [504, '', true],
  [507, '', false],
])('an answer of %i "%s" is about the moment: %s', (status, body, expected) => {
  expect(isUnavailable(answer(status, body))).toBe(expected);
});
