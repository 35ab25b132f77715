import { describe, expect, test } from 'vitest';
import { now } from '../../../../src/clock.js';
import type { Credential } from '../../../../src/http/auth/credential.js';
import { HttpHeaders, type HttpRequest } from '../../../../src/http/request.js';
import { basicAuthorization, requestToken, TokenRefused } from '../../../../src/http/auth/token.js';

const PASSWORD: Credential = { kind: 'password', username: 'al', password: 's:é', source: 'cfg' };
const IDENTITY: Credential = { kind: 'identity-token', token: 'R+/=', source: 'helper' };
const SCOPES = [
  { repository: 'target/a', actions: ['pull', 'push'] },
  { repository: 'source', actions: ['pull'] },
];

interface Setup {
  status?: number;
  answer?: unknown;
  realm?: string;
  service?: string | undefined;
  credential?: Credential | undefined;
  scopes?: typeof SCOPES;
}

/** Requests a token; resolves to it and the request that was sent. */
async function ask(setup: Setup) {
  const { status = 200, answer = { token: 't' }, realm = 'https://auth.example/token' } = setup;
  const sent: HttpRequest[] = [];
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
  const token = await requestToken(
    async (request) => {
      sent.push(request);
      const body = Buffer.from(text);
      return { status, headers: new HttpHeaders({}), body, url: request.url };
    },
    {
      realm: new URL(realm),
      service: 'service' in setup ? setup.service : 's',
      scopes: setup.scopes ?? SCOPES,
      credential: setup.credential,
      host: 'example.com',
    },
  );
  expect(sent).toHaveLength(1);
  return { token, request: sent[0]! };
}

describe('the request for a token', () => {
  test('is a GET with the scopes one by one, in their order', async () => {
    const { request } = await ask({});
    expect(request.method).toBe('GET');
    expect([...request.url.searchParams]).toEqual([
      ['service', 's'],
      ['scope', 'repository:target/a:pull,push'],
      ['scope', 'repository:source:pull'],
    ]);
    expect(request.headers ?? {}).toEqual({});
    expect(request.body).toBeUndefined();
  });

  test('keeps the query of the realm as it is, and leaves out a service that is not named', async () => {
    const realm = 'https://auth.example/token?a=%2F~%20&b';
    const { request } = await ask({ realm, service: undefined, scopes: [] });
    expect(request.url.href).toBe(realm);
    expect((await ask({ realm, scopes: [] })).request.url.href).toBe(`${realm}&service=s`);
  });

  test('carries a password as Basic', async () => {
    const { request } = await ask({ credential: PASSWORD });
    const basic = `Basic ${Buffer.from('al:s:é').toString('base64')}`;
    expect(request.headers).toEqual({ authorization: basic });
    expect(basicAuthorization('al', 's:é')).toBe(basic);
  });

  test('carries an identity token in the body of a POST, and nowhere else', async () => {
    const { request } = await ask({ credential: IDENTITY });
    expect(request).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(request.url.href).toBe('https://auth.example/token');
    expect([...new URLSearchParams(Buffer.from(request.body!).toString())]).toEqual([
      ['grant_type', 'refresh_token'],
      ['service', 's'],
      ['client_id', 'manifest-tool'],
      ['scope', 'repository:target/a:pull,push repository:source:pull'],
      ['refresh_token', 'R+/='],
    ]);
  });

  test('does not ask for an offline token, and reads no more than 128 KiB', async () => {
    for (const credential of [PASSWORD, IDENTITY]) {
      const { request } = await ask({ credential });
      expect(request.url.href + Buffer.from(request.body ?? []).toString()).not.toContain(
        'offline',
      );
      expect(request.maxBytes).toBe(128 * 1024);
    }
  });
});

describe('the answer', () => {
  test.each([
    ['token', { token: 'a' }, 'a'],
    ['access_token', { access_token: 'a' }, 'a'],
    ['both', { token: 'b', access_token: 'a' }, 'a'],
    ['an empty access_token', { token: 'b', access_token: '' }, 'b'],
  ])('gives the token from %s', async (_what, answer, value) => {
    expect((await ask({ answer })).token.value).toBe(value);
  });

  test.each([
    ['no member', {}],
    ['an empty one', { token: '' }],
    ['one that is no text', { token: 1 }],
    ['no object', '["hunter2"]'],
    ['null', 'null'],
    ['no JSON', 'hunter2'],
    ['a line break in it', { token: 'hunter2\r\nx: y' }],
    ['a blank in it', { token: 'hunter2 x' }],
    ['letters that no header can hold', { token: 'hunter2é' }],
  ])('without a token is an error that does not print it: %s', async (_what, answer) => {
    const failed = ask({ answer });
    await expect(failed).rejects.toMatchObject({ code: 'FAILED' });
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });

  test('that is a web page comes from something else than a token server', async () => {
    const failed = ask({ answer: '<html>hunter2</html>' });
    await expect(failed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });

  test.each([
    [undefined, 55],
    [null, 55],
    [0, 55],
    [1, 55],
    [-5, 55],
    ['300', 295],
    [300, 295],
    [3600.5, 3595.5],
    ['soon', 55],
  ])('with expires_in %j is renewed after %d s', async (lifetime, seconds) => {
    const before = now();
    // The server's clock is a day behind or ahead.
    const issued = new Date(Date.now() - 86_400_000).toISOString();
    const answer = { token: 't', expires_in: lifetime, issued_at: issued };
    const { renewAt } = (await ask({ answer })).token;
    expect(renewAt - before).toBeGreaterThanOrEqual(seconds * 1000);
    expect(renewAt - before).toBeLessThan(seconds * 1000 + 2000);
  });

  test.each([400, 401, 403, 404, 405])('of status %i is a refusal', async (status) => {
    const failed = ask({ status, answer: 'hunter2', credential: PASSWORD });
    await expect(failed).rejects.toBeInstanceOf(TokenRefused);
    await expect(failed).rejects.toMatchObject({ code: 'DENIED' });
    await expect(failed).rejects.toThrow(/cfg/);
    await expect(failed).rejects.not.toThrow(/hunter2|s:é/);
  });

  test('that refuses nobody says how to log in', async () => {
    await expect(ask({ status: 401 })).rejects.toMatchObject({
      why: expect.stringContaining('without credentials') as string,
      hint: expect.stringContaining('log in') as string,
    });
  });

  test.each([429, 500, 502, 503])('of status %i is no refusal', async (status) => {
    const failed = ask({ status, credential: PASSWORD });
    await expect(failed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(failed).rejects.not.toBeInstanceOf(TokenRefused);
  });
});
