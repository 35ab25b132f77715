import { describe, expect, test } from 'vitest';
import { Authenticator, type AuthOptions } from '../../../../src/http/auth/authenticator.js';
import type { Credential } from '../../../../src/http/auth/credential.js';
import { basicAuthorization } from '../../../../src/http/auth/token.js';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Scope,
} from '../../../../src/http/request.js';

const ORIGIN = 'https://r.example';
const BEARER = 'Bearer realm="https://auth.example/t",service="s"';
const TARGET: Scope = { repository: 'target', actions: ['pull', 'push'] };
const SOURCE: Scope = { repository: 'source', actions: ['pull'] };
const PASSWORD: Credential = { kind: 'password', username: 'al', password: 'pw', source: 'cfg' };
const BASIC = basicAuthorization('al', 'pw');

type Answer = { status: number; challenge?: string | undefined; body?: string };

interface Setup {
  /** The registry's answer to a value of Authorization. */
  registry: (authorization: string | undefined, request: HttpRequest) => Answer | Promise<Answer>;
  /** The token server's answer to its nth request (default: the token `tN`). */
  tokens?: (request: HttpRequest, count: number) => Answer | Promise<Answer>;
  credential?: Credential | undefined;
  scopes?: Scope[];
}

function respond(request: HttpRequest, { status, challenge, body = '' }: Answer): HttpResponse {
  const headers = new HttpHeaders({ 'www-authenticate': challenge });
  return { status, headers, body: Buffer.from(body), url: request.url };
}

/** An authenticator with a scripted registry and token server, and the requests to both. */
function setUp({ registry, tokens, credential, scopes = [TARGET] }: Setup) {
  const sent: (string | undefined)[] = [];
  const asked: HttpRequest[] = [];
  let lookups = 0;
  const options: AuthOptions = {
    host: 'r.example',
    isOwn: (url) => url.origin === ORIGIN,
    credentials: {
      get: async () => {
        lookups += 1;
        return credential;
      },
    },
    credentialsFirst: false,
    onSecret: () => undefined,
    tokenTransport: async (request) => {
      asked.push(request);
      const count = asked.length;
      await new Promise((resolve) => setImmediate(resolve));
      const token = { status: 200, body: JSON.stringify({ token: `t${count}` }) };
      return respond(request, (await tokens?.(request, count)) ?? token);
    },
  };
  const auth = new Authenticator(options);
  const layer = compose([auth.layer('target')], async (request) => {
    sent.push(request.headers?.['authorization']);
    await new Promise((resolve) => setImmediate(resolve));
    return respond(request, await registry(request.headers?.['authorization'], request));
  });
  const send = (path = '/v2/target/manifests/1', own: Scope[] = [TARGET]): Promise<HttpResponse> =>
    layer({
      method: 'GET',
      url: new URL(path, ORIGIN),
      maxBytes: 100,
      scopes: own,
      expected: scopes,
    });
  return { auth, send, sent, asked, lookups: () => lookups };
}

const scopesOf = (request: HttpRequest): string[] => request.url.searchParams.getAll('scope');
const takes = (valid: string) => (authorization?: string) =>
  authorization === valid ? { status: 200 } : { status: 401, challenge: BEARER };
/** A registry that accepts the first token and sends this challenge. */
const challenging = (challenge: string) => (authorization?: string) => ({
  ...takes('Bearer t1')(authorization),
  challenge,
});

describe('a registry that wants no authentication', () => {
  test.each([200, 400, 500])('is sent none, and answers %i', async (status) => {
    const { send, sent, asked, lookups, auth } = setUp({
      registry: () => ({ status }),
      credential: PASSWORD,
    });
    expect((await send()).status).toBe(status);
    expect([sent, asked, lookups()]).toEqual([[undefined], [], 0]);
    expect(auth.describe('target')).toBe('without credentials');
  });

  test.each([403, 404])('is asked once for a challenge after %i', async (status) => {
    const paths: string[] = [];
    const { send, sent, asked, auth } = setUp({
      registry: (_authorization, { url }) => {
        paths.push(url.pathname);
        return { status: url.pathname === '/v2/' ? 200 : status };
      },
      credential: PASSWORD,
    });
    expect((await send()).status).toBe(status);
    expect((await send()).status).toBe(status);
    expect(paths.filter((path) => path === '/v2/')).toHaveLength(1);
    expect([sent, asked]).toEqual([[undefined, undefined, undefined], []]);
    expect(auth.describe('target')).toBe('without credentials');
  });

  test.each([403, 404])(
    'is asked for no challenge after %i without credentials',
    async (status) => {
      const { send, sent } = setUp({ registry: () => ({ status }) });
      expect((await send()).status).toBe(status);
      expect(sent).toEqual([undefined]);
    },
  );

  test.each([undefined, 'Negotiate', 'Digest realm="x"'])(
    'or names no way that is known (%s) has its 401 returned',
    async (challenge) => {
      const { send, sent } = setUp({
        registry: () => ({ status: 401, challenge }),
        credential: PASSWORD,
      });
      expect((await send()).status).toBe(401);
      expect(sent).toEqual([undefined, undefined]);
    },
  );
});

describe('a Bearer challenge', () => {
  test('is answered with a token, which then serves every request', async () => {
    const { send, sent, asked, lookups, auth } = setUp({
      registry: takes('Bearer t1'),
      credential: PASSWORD,
    });
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(200);
    expect(sent).toEqual([undefined, 'Bearer t1', 'Bearer t1']);
    expect(asked.map((request) => request.headers?.['authorization'])).toEqual([BASIC]);
    expect(lookups()).toBe(1);
    expect(auth.describe('target')).toBe('as al with the credentials of cfg');
  });

  test('to many requests at once is answered with one token', async () => {
    const { send, asked, lookups } = setUp({ registry: takes('Bearer t1'), credential: PASSWORD });
    const answers = await Promise.all(Array.from({ length: 20 }, () => send()));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect([asked.length, lookups()]).toEqual([1, 1]);
  });

  test('is preferred to Basic, whatever their order', async () => {
    for (const challenge of [`BASIC realm="a, b", ${BEARER}`, `${BEARER}, Basic realm="x"`]) {
      const { send, sent } = setUp({
        registry: challenging(challenge),
        credential: PASSWORD,
      });
      expect((await send()).status).toBe(200);
      expect(sent).not.toContain(BASIC);
    }
  });

  test('asks for all that is planned, the target first, and for what the challenge names beside', async () => {
    const challenge = `${BEARER},scope="repository:source:pull repository:other:pull"`;
    const { send, asked } = setUp({
      registry: challenging(challenge),
      scopes: [TARGET, SOURCE],
    });
    await send('/v2/source/manifests/1', [SOURCE]);
    expect(asked.map(scopesOf)).toEqual([
      ['repository:target:pull,push', 'repository:source:pull', 'repository:other:pull'],
    ]);
  });

  test.each([BEARER, `${BEARER},scope="*"`])(
    'asks for its own scope after %s',
    async (challenge) => {
      const { send, asked } = setUp({ registry: challenging(challenge) });
      expect((await send()).status).toBe(200);
      expect(asked.map(scopesOf)).toEqual([['repository:target:pull,push']]);
    },
  );

  test('to a token that holds less than was asked for ends with the second 401', async () => {
    const { send, sent, asked } = setUp({
      registry: () => ({ status: 401, challenge: BEARER }),
      credential: PASSWORD,
    });
    expect((await send()).status).toBe(401);
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(sent.length).toBeLessThanOrEqual(2);
    const before = asked.length;
    expect((await send()).status).toBe(401);
    expect(asked.length - before).toBeLessThanOrEqual(1);
  });

  test('to a token that the server gives again and again ends as well', async () => {
    const { send, sent } = setUp({
      registry: () => ({ status: 401, challenge: BEARER }),
      tokens: () => ({ status: 200, body: '{"token":"same"}' }),
    });
    await send();
    const before = sent.length;
    expect((await send()).status).toBe(401);
    expect(sent.length - before).toBeLessThanOrEqual(2);
  });

  test.each<[string, Answer]>([
    ['401', { status: 401, challenge: BEARER }],
    ['401 without challenge', { status: 401 }],
    ['400 that says so (ECR Public)', { status: 400, body: 'Your token has expired.' }],
  ])('an expired token that is answered with %s is renewed once', async (_what, expired) => {
    let valid = 'Bearer t1';
    const { send, sent, asked } = setUp({
      registry: (authorization) => {
        if (authorization === valid) return { status: 200 };
        return authorization === undefined ? { status: 401, challenge: BEARER } : expired;
      },
    });
    expect((await send()).status).toBe(200);
    valid = 'Bearer t2';
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(asked).toHaveLength(2);
    expect(new Set(sent)).toEqual(new Set([undefined, 'Bearer t1', 'Bearer t2']));
  });

  test('another 400 is an answer', async () => {
    const { send, asked } = setUp({
      registry: (authorization) =>
        authorization
          ? { status: 400, body: 'MANIFEST_INVALID' }
          : { status: 401, challenge: BEARER },
    });
    expect((await send()).status).toBe(400);
    expect(asked).toHaveLength(1);
  });
});

describe('a token server', () => {
  test('that refuses several scopes at once (Docker Hub) is asked for the own one alone', async () => {
    const { send, asked } = setUp({
      registry: takes('Bearer t2'),
      scopes: [TARGET, SOURCE],
      tokens: (request, count) =>
        scopesOf(request).length > 1
          ? { status: 400 }
          : { status: 200, body: `{"token":"t${count}"}` },
    });
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(200);
    expect(asked.map((request) => scopesOf(request).length)).toEqual([2, 1]);
  });

  test('that refuses the own scope is not asked again', async () => {
    const { send, asked, sent } = setUp({ registry: takes('-'), tokens: () => ({ status: 401 }) });
    await expect(send()).rejects.toMatchObject({ code: 'DENIED' });
    expect([asked.length, sent.length]).toEqual([1, 1]);
  });

  test('that cannot answer for the own scope alone is an error', async () => {
    const { send, asked } = setUp({
      registry: takes('-'),
      scopes: [TARGET, SOURCE],
      tokens: (_request, count) =>
        count === 1 ? { status: 200, body: '{"token":"t1"}' } : { status: 503 },
    });
    await expect(send()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(asked.map((request) => scopesOf(request).length)).toEqual([2, 1]);
  });

  test('that could not answer once is asked again by the next request', async () => {
    const { send, asked } = setUp({
      registry: takes('Bearer t2'),
      tokens: (_request, count) =>
        count === 1 ? { status: 503 } : { status: 200, body: '{"token":"t2"}' },
    });
    await expect(send()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await send()).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  test('at a refused address is sent nothing', async () => {
    const { send, asked } = setUp({
      registry: () => ({ status: 401, challenge: 'Bearer realm="http://169.254.169.254/"' }),
      credential: PASSWORD,
    });
    await expect(send()).rejects.toMatchObject({ code: 'DENIED' });
    expect(asked).toEqual([]);
  });
});

describe('requests that are answered side by side', () => {
  /** A promise and the function that resolves it. */
  function gate() {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  }

  test('a challenge of one is kept when that of the version arrives', async () => {
    const { open, opened } = gate();
    const { send, auth } = setUp({
      credential: PASSWORD,
      registry: async (authorization, { url }) => {
        if (url.pathname === '/v2/hidden') return { status: 404 };
        if (url.pathname !== '/v2/') return takes('Bearer t1')(authorization);
        await opened;
        return { status: 401, challenge: 'Basic realm="other"' };
      },
    });
    const hidden = send('/v2/hidden');
    expect((await send()).status).toBe(200);
    open();
    expect((await hidden).status).toBe(404);
    expect(auth.scheme()).toBe('bearer');
    expect((await send()).status).toBe(200);
  });

  test('no token is asked for after the registry has changed to Basic', async () => {
    const { open, opened } = gate();
    let isChanged = false;
    const { send, asked, auth } = setUp({
      credential: PASSWORD,
      scopes: [TARGET, SOURCE],
      registry: async (authorization, { url }) => {
        if (!isChanged) return takes('Bearer t1')(authorization);
        if (url.pathname === '/v2/source/manifests/1') await opened;
        return authorization === BASIC
          ? { status: 200 }
          : { status: 401, challenge: 'Basic realm="r"' };
      },
    });
    expect((await send()).status).toBe(200);
    isChanged = true;
    const late = send('/v2/source/manifests/1', [SOURCE]);
    expect((await send()).status).toBe(200);
    expect(auth.scheme()).toBe('basic');
    const before = asked.length;
    open();
    expect((await late).status).toBe(200);
    expect(asked).toHaveLength(before);
  });
});
