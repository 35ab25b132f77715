import { readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli, type CliResult } from '../support/cli.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, base64, Folder, pathWith } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { expectNoSecret } from './support/secrets.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
const PASSWORD = 'canary-Pass/+=?&word:~é';
const IDENTITY = 'canary-Identity/+=token';
const REGISTRY_TOKEN = 'canary-RegistryToken.a-b_c~d';
const BEARER = `canary-Bearer.${'aB3-_'.repeat(40)}`;
const REFRESH = 'canary-RefreshToken-of-the-answer';
const PROXY = 'canary-Proxy p@ss/word';
const SIGNATURE = 'canary-Signature-1234567890';
const COOKIE = 'canary-Cookie-1234567890';
const SECRETS = [
  PASSWORD,
  `robert:${PASSWORD}`,
  IDENTITY,
  REGISTRY_TOKEN,
  BEARER,
  REFRESH,
  PROXY,
  `proxyuser:${PROXY}`,
  SIGNATURE,
  COOKIE,
];

let authority: Authority;
let server: ScriptedServer;
let auth: ScriptedServer;
let plain: ScriptedServer;
let network: Network;
let registry: FakeRegistry;
let bin: string;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  server = await startScripted(() => ({ status: 500 }), authority.server);
  auth = await startScripted(() => ({ status: 500 }), authority.server);
  plain = await startScripted(() => ({ status: 500 }));
  network = await startNetwork({});
  bin = folder.directory();
  folder.helper(bin, 'password', `echo '{"Username":"robert","Secret":"${PASSWORD}"}'`);
  folder.helper(bin, 'identity', `echo '{"Username":"<token>","Secret":"${IDENTITY}"}'`);
  folder.helper(bin, 'broken', `echo '{"Username":"robert","Secret":"${PASSWORD}"}'; exit 3`);
});

beforeEach(() => {
  registry = new FakeRegistry();
  registry.addPlatforms('x');
  for (const [host, port] of [
    ['registry.test:443', server.port],
    ['auth.test:443', auth.port],
    ['cdn.test:443', auth.port],
    ['registry.test:80', plain.port],
  ] as const)
    network.hosts.set(host, port);
  network.wants = undefined;
  scheme = bearer;
  fault = () => undefined;
  tokenFault = () => undefined;
  server.script = answer;
  plain.script = answer;
  auth.script = (request) =>
    tokenFault(request) ??
    json(200, { token: BEARER, access_token: BEARER, refresh_token: REFRESH, expires_in: 300 });
});

afterAll(async () => {
  await network.stop();
  await Promise.all([server.stop(), auth.stop(), plain.stop()]);
});

const bearer = 'Bearer realm="https://auth.test/t",service="s"';
const basic = 'Basic realm="r"';
let scheme: string;
let fault: (request: Seen) => Answer | undefined;
let tokenFault: (request: Seen) => Answer | undefined;

function answer(request: Seen): Answer {
  if (request.headers.authorization === undefined)
    return {
      status: 401,
      headers: { 'www-authenticate': scheme, 'set-cookie': `session=${COOKIE}` },
    };
  return fault(request) ?? registry.answer(request);
}

interface Way {
  readonly config?: object;
  readonly options?: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The places where a user's secret can be configured. */
const WAYS: [string, Way][] = [
  ['config.json', { config: auths('registry.test', 'robert', PASSWORD) }],
  ['a helper', { config: { credHelpers: { 'registry.test': 'password' } } }],
  ['an identity token of a helper', { config: { credsStore: 'identity' } }],
  ['an identity token', { config: { auths: { 'registry.test': { identitytoken: IDENTITY } } } }],
  [
    'a registry token',
    { config: { auths: { 'registry.test': { registrytoken: REGISTRY_TOKEN } } } },
  ],
  ['--password', { options: ['-u', 'robert', '-p', PASSWORD] }],
  ['--password-stdin', { options: ['-u', 'robert', '--password-stdin'], stdin: `${PASSWORD}\n` }],
  [
    'DOCKER_AUTH_CONFIG',
    { env: { DOCKER_AUTH_CONFIG: JSON.stringify(auths('registry.test', 'robert', PASSWORD)) } },
  ],
];

async function push({ config = {}, options = [], stdin, env = {} }: Way): Promise<CliResult> {
  const proxy = network.proxy.replace('//', `//proxyuser:${encodeURIComponent(PROXY)}@`);
  const run = stdin === undefined ? {} : { stdin };
  return runCli(
    [
      ...pushArguments('registry.test/x', 'registry.test/y'),
      '--debug',
      '--retry',
      '0',
      '--timeout',
      '500ms',
      '--ca-file',
      authority.caFile,
      ...options,
    ],
    {
      env: {
        PATH: pathWith(bin),
        HTTPS_PROXY: proxy,
        HTTP_PROXY: proxy,
        DOCKER_CONFIG: folder.dockerConfig(config),
        ...env,
      },
      ...run,
    },
  );
}

/** The forms in which a server can echo the credentials that it received. */
const echo = (status: number, { headers }: Seen): Answer => {
  const value = headers.authorization ?? '';
  const bare = value.replace(/^\S+ /, '');
  const texts = [value, bare, encodeURIComponent(bare), Buffer.from(bare, 'base64').toString()];
  return failure(status, `CODE ${bare}`, texts.join(' | '));
};

/** Every request of a push. */
const PLACES: [string, (request: Seen) => boolean][] = [
  ['the manifest', ({ method, path }) => method === 'GET' && path.includes('/manifests/')],
  ['the configuration', ({ method, path }) => method === 'GET' && path.includes('/blobs/')],
  ['the mount', ({ method }) => method === 'POST'],
  ['the tag', ({ method, path }) => method === 'PUT' && path.endsWith('/out')],
];

/** Faults of an answer. */
const FAULTS: [string, (request: Seen) => Answer][] = [
  ['400 with an echo', (request) => echo(400, request)],
  ['401 with an echo', (request) => echo(401, request)],
  ['403 with an echo', (request) => echo(403, request)],
  ['404 with an echo', (request) => echo(404, request)],
  ['500 with an echo', (request) => echo(500, request)],
  ['429 with an echo', (request) => echo(429, request)],
  [
    'the XML of S3',
    ({ headers }) => ({
      status: 400,
      headers: { 'content-type': 'application/xml' },
      body: `<Error><ArgumentValue>${headers.authorization ?? ''}</ArgumentValue></Error>`,
    }),
  ],
  [
    'a web page',
    ({ headers }) => ({
      status: 403,
      headers: { 'content-type': 'text/html' },
      body: `<html>${headers.authorization ?? ''}</html>`,
    }),
  ],
  ['a reset', () => 'reset'],
  [
    'an answer that is no HTTP',
    () => (response) => void response.socket?.end(`HTTP/9 ${SIGNATURE}\r\n\r\n`),
  ],
  ['rubbish', () => ({ status: 200, body: SIGNATURE })],
  [
    'a signed redirect',
    ({ path }) => ({
      status: 307,
      headers: { location: `https://cdn.test${path}?X-Amz-Signature=${SIGNATURE}&${SIGNATURE}` },
    }),
  ],
  [
    'a signed redirect to http',
    ({ path }) => ({
      status: 307,
      headers: { location: `http://cdn.test${path}?sig=${SIGNATURE}` },
    }),
  ],
  [
    'a signed redirect with 302',
    ({ path }) => ({
      status: 302,
      headers: { location: `https://cdn.test${path}?sig=${SIGNATURE}` },
    }),
  ],
  [
    'a redirect with a password',
    ({ path }) => ({
      status: 307,
      headers: { location: `https://u:${SIGNATURE}@cdn.test${path}` },
    }),
  ],
  [
    'a redirect to no address',
    () => ({ status: 307, headers: { location: `https://[${SIGNATURE}?sig=${SIGNATURE}` } }),
  ],
  [
    'an upload with a state',
    () => ({
      status: 202,
      headers: { location: `https://registry.test/v2/y/blobs/uploads/a?_state=${SIGNATURE}` },
    }),
  ],
  [
    'a challenge with a secret realm',
    () => ({
      status: 401,
      headers: {
        'www-authenticate': `Bearer realm="https://u:${SIGNATURE}@auth.test/t?key=${SIGNATURE}",service="s"`,
      },
    }),
  ],
];

describe('test 25: a canary in every place, on every failing path, with --debug', () => {
  describe.each(WAYS)('by %s', (_, way) => {
    const own = FAULTS.filter(
      (_each, index) => (index + WAYS.findIndex(([, each]) => each === way)) % 3 === 0,
    );

    it.each(own)('%s', async (name, make) => {
      // Each fault at each request in one way, and in all ways at one request: the whole product takes
      // minutes.
      const turn =
        FAULTS.findIndex(([each]) => each === name) + WAYS.findIndex(([, each]) => each === way);
      const [, is] = PLACES[turn % PLACES.length]!;
      scheme = turn % 3 === 0 ? basic : bearer;
      fault = (request) => (is(request) ? make(request) : undefined);
      const result = await push(way);
      // A rejected command line would test nothing.
      expect(result.stderr).toContain('debug: GET https://registry.test/');
      expectNoSecret(result, SECRETS);
    });

    it('a token server that fails in every way', async () => {
      for (const make of [
        ...FAULTS.map(([, each]) => each).filter((_each, index) => index % 6 === 1),
        ({ body }: Seen): Answer => ({ status: 401, body: body.toString() }),
        (): Answer => json(200, { refresh_token: REFRESH, id_token: BEARER }),
        (): Answer => json(200, { token: `${BEARER}\n` }),
        (): Answer => ({ status: 200, body: `{"token":"${BEARER}` }),
      ]) {
        tokenFault = make;
        expectNoSecret(await push(way), SECRETS);
      }
    });
  });

  it('a message that is cut in the middle of a token', async () => {
    // Any part of a token that is too long to be a word.
    const piece = BEARER.slice(0, 24);
    for (let length = 960; length <= 1020; length += 20) {
      fault = () => failure(400, 'X', `${'x'.repeat(length)} ${BEARER}`);
      const { stderr } = await push({ config: auths('registry.test', 'robert', PASSWORD) });
      expect(stderr).not.toContain(piece);
    }
  });

  it.each([
    ['a proxy that wants other credentials', () => void (network.wants = 'Basic x')],
    ['a proxy that reaches nothing', () => network.hosts.clear()],
    ['a token server that is not there', () => network.hosts.delete('auth.test:443')],
  ])('%s', async (_, arrange) => {
    arrange();
    for (const [, way] of WAYS) expectNoSecret(await push(way), SECRETS);
  });

  it('in plain http, where the proxy sees it all and says so', async () => {
    scheme = basic;
    for (const [, make] of FAULTS) {
      fault = make;
      const way = {
        config: auths('registry.test', 'robert', PASSWORD),
        options: ['--plain-http'],
      };
      expectNoSecret(await push(way), SECRETS);
    }
    plain.script = () => failure(400, 'X', `proxyuser:${PROXY} ${base64(`proxyuser:${PROXY}`)}`);
    expectNoSecret(await push({ options: ['--plain-http'] }), SECRETS);
  });

  it.each([
    ['a helper that breaks', { config: { credHelpers: { 'registry.test': 'broken' } } }],
    [
      'a helper whose name is a secret',
      { config: { credHelpers: { 'registry.test': `../${'x'.repeat(200)}` } } },
    ],
    [
      'an auth without a colon',
      { config: { auths: { 'registry.test': { auth: base64(PASSWORD.replace(':', '')) } } } },
    ],
    [
      'an auth that is a number',
      { config: { auths: { 'registry.test': { auth: 5, password: PASSWORD } } } },
    ],
    [
      'a password without a user',
      { config: { auths: { 'registry.test': { password: PASSWORD } } } },
    ],
    [
      'a DOCKER_AUTH_CONFIG that is no JSON',
      { env: { DOCKER_AUTH_CONFIG: `{"auths": ${PASSWORD}` } },
    ],
    ['a password in the wrong place', { options: ['--password', PASSWORD] }],
    ['an option with one letter wrong', { options: ['-u', 'robert', `--pasword=${PASSWORD}`] }],
    ['a password as a word', { options: [PASSWORD] }],
  ] as [string, Way][])('%s', async (name, way) => {
    const result = await push(way);
    const secrets = name === 'a password as a word' ? [] : SECRETS;
    expectNoSecret(result, [...secrets, PASSWORD.replace(':', '')].slice(0, secrets.length + 1));
  });

  it('a certificate that nobody vouches for, and a host that speaks no TLS', async () => {
    network.hosts.set('registry.test:443', plain.port);
    for (const [, way] of WAYS) expectNoSecret(await push(way), SECRETS);
    network.hosts.set('registry.test:443', server.port);
    const result = await push({
      config: auths('registry.test', 'robert', PASSWORD),
      env: { SSL_CERT_FILE: '' },
      options: ['--insecure=other.test'],
    });
    expectNoSecret(result, SECRETS);
  });

  it('no file of ours is left in the temporary folder', async () => {
    const ours = (): string[] =>
      readdirSync(tmpdir()).filter((name) => {
        try {
          return /manifest-tool/.test(name) && statSync(`${tmpdir()}/${name}`).isFile();
        } catch {
          return false;
        }
      });
    const before = ours();
    await push({ config: auths('registry.test', 'robert', PASSWORD) });
    expect(ours()).toEqual(before);
  });
});
