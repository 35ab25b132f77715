import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../../src/http/auth/authenticator.js';
import type { Credential } from '../../../../src/http/auth/credential.js';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
} from '../../../../src/http/request.js';
import { basicAuthorization } from '../../../../src/http/auth/token.js';

const ORIGIN = 'https://r.example';
const BEARER = 'Bearer realm="https://auth.example/t",service="s"';
const PASSWORD: Credential = { kind: 'password', username: 'al', password: 'pw', source: 'cfg' };
const BASIC = basicAuthorization('al', 'pw');

interface Setup {
  /** The Authorization that the registry accepts; it answers 401 and the challenge to others. */
  valid: string;
  challenge: string;
  credential: () => Promise<Credential | undefined>;
  credentialsFirst?: boolean;
  /** The status of a refusal, if not 401. */
  refusal?: number;
}

/**
 * An authenticator, the Authorization of each request, the requests to the token server, and the
 * number of lookups.
 */
function setUp({ valid, challenge, credential, credentialsFirst = false, refusal = 401 }: Setup) {
  const sent: (string | undefined)[] = [];
  const asked: HttpRequest[] = [];
  let lookups = 0;
  const respond = ({ url }: HttpRequest, status: number, body = ''): HttpResponse => {
    const headers = new HttpHeaders(status === 401 ? { 'www-authenticate': challenge } : {});
    return { status, headers, body: Buffer.from(body), url };
  };
  const auth = new Authenticator({
    host: 'r.example',
    isOwn: ({ origin }) => origin === ORIGIN,
    credentials: {
      get: () => {
        lookups += 1;
        return credential();
      },
    },
    credentialsFirst,
    onSecret: () => undefined,
    tokenTransport: async (request) => {
      asked.push(request);
      return respond(request, 200, '{"token":"t"}');
    },
  });
  const expected = [{ repository: 'a', actions: ['pull'] }];
  const layer = compose([auth.layer('a')], async (request) => {
    const authorization = request.headers?.['authorization'];
    sent.push(authorization);
    return respond(request, authorization === valid ? 200 : refusal);
  });
  const send = async (url = `${ORIGIN}/v2/a/manifests/1`): Promise<number> =>
    (await layer({ method: 'GET', url: new URL(url), maxBytes: 100, expected })).status;
  return { auth, send, sent, asked, lookups: () => lookups };
}

describe('a credential', () => {
  test('that is an identity token goes to the token server by POST, and never to the registry', async () => {
    const credential = async () => ({ kind: 'identity-token', token: 'R', source: 'x' }) as const;
    const { send, sent, asked } = setUp({ valid: 'Bearer t', challenge: BEARER, credential });
    expect(await send()).toBe(200);
    expect(asked.map(({ method }) => method)).toEqual(['POST']);
    expect(asked[0]!.headers).not.toHaveProperty('authorization');
    expect(sent).toEqual([undefined, 'Bearer t']);
  });

  test.each<[Credential | undefined, (string | undefined)[], number]>([
    [PASSWORD, [undefined, BASIC], 200],
    [{ ...PASSWORD, password: 'old' }, [undefined, basicAuthorization('al', 'old')], 401],
    [{ kind: 'identity-token', token: 'R', source: 'x' }, [undefined], 401],
    [undefined, [undefined], 401],
  ])('%j answers Basic with %j', async (credential, expected, status) => {
    const challenge = 'BASIC realm="x"';
    const setup = { valid: BASIC, challenge, credential: async () => credential };
    const { send, sent, asked } = setUp(setup);
    expect(await send()).toBe(status);
    expect([sent, asked]).toEqual([expected, []]);
  });

  test.each([BEARER, 'Basic realm="x"'])(
    'that is a registry token answers %s as it is',
    async (challenge) => {
      const credential = async () => ({ kind: 'registry-token', token: 'J', source: 'x' }) as const;
      const { send, sent, asked } = setUp({ valid: 'Bearer J', challenge, credential });
      expect(await send()).toBe(200);
      expect([sent, asked]).toEqual([[undefined, 'Bearer J'], []]);
    },
  );

  test.each([BEARER, 'Basic realm="x"'])(
    'is not for another origin that says %s',
    async (challenge) => {
      const valid = challenge === BEARER ? 'Bearer t' : BASIC;
      const setup = { valid, challenge, credential: async () => PASSWORD };
      const { send, sent, asked, lookups } = setUp(setup);
      const others = ['https://cdn.example/x', `${ORIGIN}:8443/x`, 'https://r2.example/x'];
      const anonymous = challenge === BEARER ? 200 : 401;
      for (const url of others) expect(await send(url)).toBe(anonymous);
      expect(lookups()).toBe(0);
      // Tokens for others are anonymous.
      expect(asked.map(({ headers = {} }) => headers['authorization'])).toEqual(
        challenge === BEARER ? [undefined, undefined, undefined] : [],
      );
      const before = asked.length;
      expect(await send()).toBe(200);
      expect(sent.at(-1)).toBe(valid);
      for (const url of others) expect(await send(url)).toBe(anonymous);
      expect(asked.length - before).toBe(challenge === BEARER ? 1 : 0);
      if (challenge !== BEARER) expect(sent.filter((each) => each === BASIC)).toHaveLength(1);
    },
  );

  test('that cannot be found out is an error, not an anonymous request', async () => {
    const thrown = new Error('helper broke');
    const credential = () => Promise.reject(thrown);
    const { send, asked } = setUp({ valid: '', challenge: BEARER, credential });
    await expect(send()).rejects.toMatchObject({ thrown });
    expect(asked).toEqual([]);
  });

  test('that cannot be found out does not change an answer that demands none', async () => {
    const credential = () => Promise.reject(new Error('helper broke'));
    const { send, sent, lookups } = setUp({
      valid: '-',
      challenge: BEARER,
      credential,
      refusal: 404,
    });
    expect(await send()).toBe(404);
    expect([sent, lookups()]).toEqual([[undefined], 1]);
  });

  test('is looked up before the registry asks only where that is wanted', async () => {
    const thrown = new Error('helper broke');
    const credential = () => Promise.reject(thrown);
    const setup = { valid: '', challenge: BEARER, credential };
    const first = setUp({ ...setup, credentialsFirst: true });
    await expect(first.send()).rejects.toMatchObject({ thrown });
    expect([first.sent, first.lookups()]).toEqual([[], 1]);
    const { send, sent } = setUp({ ...setup, credential: async () => PASSWORD });
    await send();
    expect(sent[0]).toBeUndefined();
  });

  test('is told of by where it came from, and without the secret', async () => {
    const { auth, send } = setUp({
      valid: BASIC,
      challenge: 'Basic',
      credential: async () => PASSWORD,
    });
    expect(auth.describe('a')).toBe('without credentials');
    await send();
    expect(auth.describe('a')).toBe('as al with the credentials of cfg');
  });
});
