import { describe, expect, test } from 'vitest';
import { Authenticator } from '../../../../src/http/auth/authenticator.js';
import type { Credential, CredentialStore } from '../../../../src/http/auth/credential.js';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Scope,
} from '../../../../src/http/request.js';

const ORIGIN = 'https://r.example';
const BEARER = 'Bearer realm="https://auth.example/t",service="s"';

function password(username: string, source = username): Credential {
  return { kind: 'password', username, password: 'pw', source };
}

/** Several repositories of a registry that accepts any token, and no request without one. */
function setUp(credentials: CredentialStore, repositories: readonly string[]) {
  const sent: string[] = [];
  const asked: { user: string; scopes: string[] }[] = [];
  const respond = ({ url }: HttpRequest, status: number, body = ''): HttpResponse => {
    const headers = new HttpHeaders(status === 401 ? { 'www-authenticate': BEARER } : {});
    return { status, headers, body: Buffer.from(body), url };
  };
  const auth = new Authenticator({
    host: 'r.example',
    isOwn: ({ origin }) => origin === ORIGIN,
    credentials,
    credentialsFirst: false,
    onSecret: () => undefined,
    tokenTransport: async (request) => {
      const basic = request.headers?.['authorization']?.replace('Basic ', '') ?? '';
      const user = Buffer.from(basic, 'base64').toString().split(':')[0]!;
      asked.push({ user, scopes: request.url.searchParams.getAll('scope') });
      await new Promise((resolve) => setImmediate(resolve));
      return respond(request, 200, JSON.stringify({ token: `${user}-${asked.length}` }));
    },
  });
  const layers = new Map(
    repositories.map((repository) => {
      const layer = compose([auth.layer(repository)], async (request) => {
        const authorization = request.headers?.['authorization'];
        sent.push(`${repository} ${authorization ?? '-'}`);
        await new Promise((resolve) => setImmediate(resolve));
        return respond(request, authorization === undefined ? 401 : 200);
      });
      return [repository, layer];
    }),
  );
  const send = async (repository: string, scopes?: readonly Scope[]): Promise<number> => {
    const own = scopes ?? [{ repository, actions: ['pull'] }];
    const url = new URL(`/v2/${repository}/manifests/1`, ORIGIN);
    const expected = repositories.map((each) => ({ repository: each, actions: ['pull'] }));
    const request = { method: 'GET', url, maxBytes: 9, scopes: own, expected } as const;
    return (await layers.get(repository)!(request)).status;
  };
  return { auth, send, sent, asked };
}

const byName = (credentials: Readonly<Record<string, Credential>>): CredentialStore => ({
  get: (_host, repository) => Promise.resolve(credentials[repository]),
});

describe('repositories of one registry', () => {
  test('with different credentials have tokens of their own, and share the challenge', async () => {
    const { auth, send, sent, asked } = setUp(byName({ a: password('al'), b: password('bo') }), [
      'a',
      'b',
    ]);
    expect(await send('a')).toBe(200);
    expect(await send('b')).toBe(200);
    expect(await send('a')).toBe(200);
    expect(sent).toEqual(['a -', 'a Bearer al-1', 'b Bearer bo-2', 'a Bearer al-1']);
    expect(asked).toEqual([
      { user: 'al', scopes: ['repository:a:pull'] },
      { user: 'bo', scopes: ['repository:b:pull'] },
    ]);
    expect(auth.describe('a')).toBe('as al with the credentials of al');
    expect(auth.describe('b')).toBe('as bo with the credentials of bo');
    expect(await auth.sharesCredential('a', 'b')).toBe(false);
  });

  test('with the same credential from two places share a token', async () => {
    const { auth, send, asked } = setUp(
      byName({ a: password('al', 'one file'), b: password('al', 'another') }),
      ['a', 'b'],
    );
    await Promise.all([send('a'), send('b')]);
    expect(asked).toEqual([{ user: 'al', scopes: ['repository:a:pull', 'repository:b:pull'] }]);
    expect(auth.describe('b')).toBe('as al with the credentials of another');
    expect(await auth.sharesCredential('a', 'b')).toBe(true);
  });

  test('of which one has no credential: it is accessed anonymously, by a token of nobody', async () => {
    const { auth, send, asked } = setUp(byName({ a: password('al') }), ['a', 'b']);
    await Promise.all([send('a'), send('b')]);
    expect(asked).toHaveLength(2);
    expect(asked).toContainEqual({ user: 'al', scopes: ['repository:a:pull'] });
    expect(asked).toContainEqual({ user: '', scopes: ['repository:b:pull'] });
    expect(auth.describe('b')).toBe('anonymously');
  });

  test('a request about two of them asks for the scopes of its own user', async () => {
    const { send, asked } = setUp(byName({ a: password('al'), b: password('bo') }), ['a', 'b']);
    const [a, b] = ['a', 'b'].map((repository) => ({ repository, actions: ['push'] }));
    await send('a', [a!, b!]);
    expect(asked).toEqual([{ user: 'al', scopes: ['repository:a:pull,push'] }]);
  });

  test('one whose credential cannot be found does not disturb the others', async () => {
    const thrown = new Error('vault sealed');
    const get = async (_: string, repository: string): Promise<Credential> => {
      if (repository === 'b') throw thrown;
      return password('al');
    };
    const { auth, send, asked } = setUp({ get }, ['a', 'b']);
    expect(await send('a')).toBe(200);
    expect(asked).toEqual([{ user: 'al', scopes: ['repository:a:pull'] }]);
    await expect(send('b')).rejects.toMatchObject({ thrown });
    expect(await auth.sharesCredential('a', 'b')).toBe(false);
  });

  test('are asked for once each, when the registry demands it', async () => {
    const asked: string[] = [];
    const get = async (host: string, repository: string): Promise<undefined> =>
      void asked.push(`${host} ${repository}`);
    const { auth, send } = setUp({ get }, ['a', 'b']);
    expect(await auth.sharesCredential('a', 'b')).toBe(true);
    expect(asked).toEqual([]);
    await Promise.all([send('a'), send('a'), send('b')]);
    expect(asked.toSorted()).toEqual(['r.example a', 'r.example b']);
  });
});

describe('the first request of a burst', () => {
  const burst = async (store: CredentialStore): Promise<string[]> => {
    const { send, sent } = setUp(store, ['a', 'b']);
    await Promise.all([send('a'), send('b'), send('a')]);
    return sent;
  };
  const get = (): Promise<Credential> => Promise.resolve(password('al'));

  test('goes alone if a credential seems to be there', async () => {
    const sent = await burst({ get, has: () => Promise.resolve(true) });
    expect(sent.filter((each) => each.endsWith('-'))).toHaveLength(1);
    expect(sent).toHaveLength(4);
  });

  test.each([
    ['none is there', { get, has: () => Promise.resolve(false) }],
    ['the store does not say', { get }],
  ])('goes with the others if %s', async (_, store) => {
    const sent = await burst(store);
    expect(sent.filter((each) => each.endsWith('-'))).toHaveLength(3);
  });

  test('does not hold up the others by failing', async () => {
    let count = 0;
    const auth = new Authenticator({
      host: 'r.example',
      isOwn: () => true,
      credentials: { get, has: () => Promise.resolve(true) },
      credentialsFirst: false,
      onSecret: () => undefined,
      tokenTransport: () => Promise.reject(new Error('not reached')),
    });
    const layer = compose([auth.layer('a')], async ({ url }) => {
      count += 1;
      if (count === 1) throw new Error('reset');
      return { status: 200, headers: new HttpHeaders({}), body: Buffer.alloc(0), url };
    });
    const send = () => layer({ method: 'GET', url: new URL(ORIGIN), maxBytes: 9 });
    const outcomes = await Promise.allSettled([send(), send(), send()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });

  test('fails with what the store throws', async () => {
    const thrown = new Error('vault sealed');
    const { send } = setUp({ get, has: () => Promise.reject(thrown) }, ['a']);
    await expect(send('a')).rejects.toMatchObject({ thrown });
  });
});
