import { describe, expect, test } from 'vitest';
import {
  compose,
  HttpHeaders,
  type HttpRequest,
  type Transport,
} from '../../../src/http/request.js';
import { loopbackScheme, registryOrigins } from '../../../src/http/loopback.js';
import { isLoopbackHost, parseUrl } from '../../../src/http/url.js';

const TLS_ONLY = 'Client sent an HTTP request to an HTTPS server.\n';

/** Sends requests one after another, and gives the URLs that went out. */
async function send(answer: (url: URL) => string | Error, ...urls: string[]) {
  const isTls = urls[0]!.startsWith('https:');
  const sent: string[] = [];
  const next: Transport = async ({ url }) => {
    sent.push(url.href);
    const body = answer(url);
    if (body instanceof Error) throw body;
    return {
      status: body === '' ? 200 : 400,
      headers: new HttpHeaders({}),
      body: Buffer.from(body),
      url,
    };
  };
  const origins = [new URL('http://localhost:5000'), new URL('https://localhost:5000')];
  const layer = compose([loopbackScheme(isTls ? origins.toReversed() : origins)], next);
  const statuses: (number | string)[] = [];
  for (const url of urls) {
    const request: HttpRequest = { method: 'GET', url: new URL(url), maxBytes: 100 };
    statuses.push(await layer(request).then(({ status }) => status, String));
  }
  return { sent, statuses };
}

describe('a registry on this machine', () => {
  test('that speaks plain HTTP is spoken to in it', async () => {
    const { sent } = await send(() => '', 'http://localhost:5000/a', 'http://localhost:5000/b');
    expect(sent).toEqual(['http://localhost:5000/a', 'http://localhost:5000/b']);
  });

  test.each([
    ['says so', TLS_ONLY],
    ['says so as nginx does', '<h1>The plain HTTP request was sent to HTTPS port</h1>'],
    ['says so as Apache does', "You're speaking plain HTTP to an SSL-enabled server port.<br />"],
    ['says so as Tomcat does', 'Bad Request\nThis combination of host and port requires TLS.\n'],
    ['answers with an alert', Object.assign(new Error('x'), { code: 'HPE_INVALID_CONSTANT' })],
  ])('that speaks TLS and %s is spoken to in TLS from then on', async (_what, refusal) => {
    const { sent, statuses } = await send(
      ({ protocol }) => (protocol === 'https:' ? '' : refusal),
      'http://localhost:5000/a',
      'http://localhost:5000/b',
    );
    expect(statuses).toEqual([200, 200]);
    expect(sent).toEqual([
      'http://localhost:5000/a',
      'https://localhost:5000/a',
      'https://localhost:5000/b',
    ]);
  });

  const closed = Object.assign(new Error('closed'), { code: 'UND_ERR_SOCKET' });

  test('that closes plain connections is tried with TLS, and spoken to in it', async () => {
    const { sent, statuses } = await send(
      ({ protocol }) => (protocol === 'https:' ? '' : closed),
      'http://localhost:5000/a',
      'http://localhost:5000/b',
    );
    expect(statuses).toEqual([200, 200]);
    expect(sent).toEqual([
      'http://localhost:5000/a',
      'https://localhost:5000/a',
      'https://localhost:5000/b',
    ]);
  });

  test('that closes plain connections, with a certificate that proves nothing, speaks TLS', async () => {
    const refusal = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const { statuses } = await send(
      ({ protocol }) => (protocol === 'https:' ? refusal : closed),
      'http://localhost:5000/a',
    );
    expect(statuses).toEqual(['Error: x']);
  });

  test.each([
    ['does not speak TLS', new Error('wrong version number')],
    ['closes those of TLS too', closed],
  ])('that closes plain connections and %s has failed', async (_, refusal) => {
    const { statuses } = await send(
      ({ protocol }) => (protocol === 'https:' ? refusal : closed),
      'http://localhost:5000/a',
    );
    expect(statuses).toEqual(['Error: closed']);
  });

  test('that has answered in plain HTTP is not tried with TLS', async () => {
    let count = 0;
    const { sent, statuses } = await send(
      () => ((count += 1) === 1 ? '' : closed),
      'http://localhost:5000/a',
      'http://localhost:5000/b',
    );
    expect(statuses).toEqual([200, 'Error: closed']);
    expect(sent).toEqual(['http://localhost:5000/a', 'http://localhost:5000/b']);
  });

  test('has any other answer or failure as it is', async () => {
    const url = 'http://localhost:5000/';
    expect((await send(() => 'MANIFEST_INVALID', url)).sent).toEqual([url]);
    const { sent, statuses } = await send(() => new Error('reset'), url);
    expect([sent, statuses]).toEqual([[url], ['Error: reset']]);
  });

  test('that does not speak TLS, which was likely, is spoken to in plain HTTP from then on', async () => {
    const { sent, statuses } = await send(
      ({ protocol }) => (protocol === 'https:' ? new Error('wrong version number') : ''),
      'https://localhost:5000/a',
      'https://localhost:5000/b',
    );
    expect(statuses).toEqual([200, 200]);
    expect(sent).toEqual([
      'https://localhost:5000/a',
      'http://localhost:5000/a',
      'http://localhost:5000/b',
    ]);
  });

  test('whose certificate proves nothing stays in TLS', async () => {
    const refusal = Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const { sent } = await send(() => refusal, 'https://localhost:5000/a');
    expect(sent).toEqual(['https://localhost:5000/a']);
  });

  test('on the default port of one scheme keeps it in the other', async () => {
    const sent: string[] = [];
    const layer = loopbackScheme([new URL('http://localhost'), new URL('https://localhost:80')]);
    const next: Transport = async ({ url }) => {
      sent.push(url.href);
      const isTls = url.protocol === 'https:';
      const body = Buffer.from(isTls ? '' : TLS_ONLY);
      return { status: isTls ? 200 : 400, headers: new HttpHeaders({}), body, url };
    };
    const url = new URL('http://localhost/a');
    expect((await compose([layer], next)({ method: 'GET', url, maxBytes: 100 })).status).toBe(200);
    expect(sent).toEqual(['http://localhost/a', 'https://localhost:80/a']);
  });

  test('is the only one that this is for', async () => {
    const { sent, statuses } = await send(() => TLS_ONLY, 'http://other.example/');
    expect([sent, statuses]).toEqual([['http://other.example/'], [400]]);
  });
});

describe('the origins of a registry', () => {
  const origins = (host: string, tls: 'certainly' | 'perhaps' | 'no', isPlain = false) =>
    registryOrigins(host, { plainHttp: () => isPlain, tlsIsMeant: () => tls }).map(
      ({ origin }) => origin,
    );

  test('have TLS', () => {
    expect(origins('r.example', 'no')).toEqual(['https://r.example']);
    expect(origins('docker.io', 'no')).toEqual(['https://registry-1.docker.io']);
  });

  test('have plain HTTP on demand', () => {
    expect(origins('r.example:5000', 'certainly', true)).toEqual(['http://r.example:5000']);
  });

  test('have both on a loopback host, with the same port and the likely one first', () => {
    expect(origins('localhost', 'no')).toEqual(['http://localhost', 'https://localhost:80']);
    expect(origins('localhost:1', 'no')).toEqual(['http://localhost:1', 'https://localhost:1']);
    expect(origins('[::1]', 'perhaps')).toEqual(['https://[::1]', 'http://[::1]:443']);
    expect(origins('localhost', 'certainly')).toEqual(['https://localhost']);
  });
});

describe('isLoopbackHost', () => {
  test.each(['localhost', 'LocalHost', '127.0.0.1', '127.255.0.1', '::1', '[::1]'])(
    '%s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  test.each([
    '',
    'localhost.example',
    'a.localhost',
    '128.0.0.1',
    '127.0.0.1.example',
    '::',
    '[::2]',
    '127',
  ])('not %s', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

test('parseUrl gives nothing for what is no URL', () => {
  expect(parseUrl('https://[')).toBeUndefined();
  expect(parseUrl('x')).toBeUndefined();
  expect(parseUrl('x', new URL('https://a/b/'))?.href).toBe('https://a/b/x');
});
