import { describe, expect, test } from 'vitest';
import type { ErrorCode, ErrorReason } from '../../../src/errors.js';
import { HttpHeaders, type HttpResponse } from '../../../src/http/request.js';
import {
  answerFailure,
  isUnavailable,
  isWebPage,
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
    [408, 'UNAVAILABLE'],
    [409, 'FAILED'],
    [413, 'FAILED'],
    [429, 'UNAVAILABLE'],
    [500, 'UNAVAILABLE'],
    [501, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
  ])('%i is %s, whatever its codes', (status, code) => {
    const body = errors({ code: 'MANIFEST_UNKNOWN', message: 'words of the registry' });
    const failure = failureOf(answer(status, body));
    expect(failure.code).toBe(code);
    expect(failure.why).toContain('MANIFEST_UNKNOWN: words of the registry');
    expect(failure.cause).toBeInstanceOf(RegistryError);
  });

  test.each([400, 403, 409, 412])('%i is REFUSED if a tag is immutable', (status) => {
    for (const message of [
      'tag is immutable',
      'it cannot be overwritten',
      "tag 'v1' already exists",
    ]) {
      const failure = failureOf(answer(status, errors({ code: 'DENIED', message })));
      expect(failure.code).toBe('REFUSED');
    }
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
    expect(why).toMatch(/ and asks to wait 2 min \(5 tries\)$/);
  });

  test('a web page is UNAVAILABLE: there is no registry', () => {
    const { code, why } = failureOf(answer(200, '<html>', HTML));
    expect(code).toBe('UNAVAILABLE');
    expect(why).toContain('a web page (status 200)');
  });

  test('the scopes that a token needs are named', () => {
    const challenge = 'Bearer realm="https://t.test",scope="repository:a/b:pull,push"';
    const { why } = failureOf(answer(401, '', { 'www-authenticate': challenge }));
    expect(why).toMatch(/; it asks for repository:a\/b:pull,push$/);
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
])('an answer of %i "%s" is about the moment: %s', (status, body, expected) => {
  expect(isUnavailable(answer(status, body))).toBe(expected);
});

test.each<[string, HttpResponse, boolean]>([
  ['a type', answer(200, '', HTML), true],
  ['a doctype', answer(200, ' \n<!DOCTYPE html>'), true],
  ['an element', answer(200, '<HTML lang="en">'), true],
  ['JSON', answer(200, '{"a":"<html>"}', { 'content-type': 'application/json' }), false],
  ['nothing', answer(200), false],
])('a web page is known by %s', (_, response, expected) => {
  expect(isWebPage(response)).toBe(expected);
});
