import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { makeAuthority, type Authority } from './support/authority.js';
import { base64, Folder, pathWith } from './support/files.js';
import { expectHint } from './support/hints.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
let authority: Authority;
let server: ScriptedServer;

beforeAll(async () => {
  authority = await makeAuthority(path.join(folder.path, 'authority'));
  server = await startScripted(() => ({ status: 404 }), authority.server);
});

afterAll(() => server.stop());

const inspect = (...options: string[]): string[] => {
  return ['inspect', '--retry', '0', ...options, `${server.host}/team/app:1`];
};

type Row = readonly [name: string, options: () => string[], says: RegExp, hint: RegExp];

describe('certificates', () => {
  /** A home with a directory of certificates for the server. */
  const home = (files: Record<string, string>): string => {
    const made = folder.directory();
    const directory = path.join(made, '.config/containers/certs.d', server.host);
    mkdirSync(directory, { recursive: true });
    for (const [name, file] of Object.entries(files))
      copyFileSync(file, path.join(directory, name));
    return made;
  };
  const rubbish = (): string => folder.write('rubbish.pem', 'rubbish');

  it.each<Row>([
    [
      '--ca-file that is not there',
      () => ['--ca-file', '/no/ca'],
      /no such file/,
      /^check the path$/,
    ],
    ['--ca-file that is a directory', () => ['--ca-file', '/etc'], /EISDIR/, /^use a file in it$/],
    [
      '--ca-file of something else',
      () => ['--ca-file', rubbish()],
      /no certificate in PEM form/,
      /^`openssl x509 -inform der -in \S+rubbish\.pem` converts a certificate/,
    ],
    [
      '--cert-file alone',
      () => ['--cert-file', authority.client.certFile],
      /using client certificate \S+ failed: its key is missing/,
      /^pass its key with --key-file FILE$/,
    ],
    [
      '--key-file that is not there',
      () => ['--cert-file', authority.client.certFile, '--key-file', '/no/key'],
      /reading client key \/no\/key failed: no such file/,
      /^check the path$/,
    ],
    [
      'a key of another certificate',
      () => ['--cert-file', authority.client.certFile, '--key-file', authority.server.keyFile],
      /loading the certificates for/,
      /^check that certificate and key are in PEM form, belong together/,
    ],
    [
      '--cert-dir that is not there',
      () => ['--cert-dir', '/no/dir'],
      /no such/,
      /^check the path$/,
    ],
  ])('%s', async (_, options, says, hint) => {
    await expectHint({ args: inspect(...options()), says, hint });
  });

  it('of which one half is missing', async () => {
    const { certFile, keyFile } = authority.client;
    await expectHint({
      args: inspect(),
      env: { HOME: home({ 'a.cert': certFile }) },
      says: /a\.key is missing beside it/,
      hint: /^the certificate of an authority is named \*\.crt$/,
    });
    await expectHint({
      args: inspect(),
      env: { HOME: home({ 'a.key': keyFile }) },
      says: /a\.cert is missing beside it/,
      hint: /^a client certificate needs both: add it, or remove the key$/,
    });
  });

  it('that nobody here trusts', async () => {
    await expectHint({
      args: inspect('--ca-file', authority.client.certFile),
      code: 5,
      says: /signed by an authority that is not trusted here/,
      hint: /^trust its authority with --ca-file FILE or \/etc\/docker\/certs\.d/,
    });
  });
});

describe('a redirect', () => {
  it('from https to http', async () => {
    server.script = () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/' } });
    await expectHint({
      args: inspect('--insecure'),
      code: 1,
      says: /a redirect from https to http/,
      hint: /^if the registry is yours, have it redirect to https: X-Forwarded-Proto behind a proxy$/,
    });
  });
});

describe('credentials', () => {
  const config = (text: string): string[] => ['--docker-cfg', folder.write('config.json', text)];
  const FORM = /^correct it, or move it away and log in again \(docker login, podman login\)$/;
  const AGAIN = /^log in to the registry again \(docker login, podman login\)/;
  const entry = (value: unknown): string[] =>
    config(JSON.stringify({ auths: { [server.host]: value } }));

  it.each<Row>([
    ['no JSON', () => config('{"auths": '), /it is not JSON/, /^JSON allows no comments/],
    ['no object', () => config('[]'), /it is JSON, but not an object/, FORM],
    ['auths of a list', () => config('{"auths":[]}'), /auths is not an object/, FORM],
    ['a store of a number', () => config('{"credsStore":1}'), /credsStore is not a string/, FORM],
    ['an entry of a text', () => entry('x'), /is not an object/, AGAIN],
    ['an auth that is no base64', () => entry({ auth: '?' }), /not base64 of UTF-8/, AGAIN],
    ['an auth without colon', () => entry({ auth: base64('x') }), /without a colon/, AGAIN],
    ['an auth without user', () => entry({ auth: base64(':x') }), /without a user/, AGAIN],
    ['a password alone', () => entry({ password: 'canary' }), /without a user name/, AGAIN],
    ['a number for a name', () => entry({ username: 1 }), /username that is not a string/, AGAIN],
    [
      'too large a file',
      () => config(' '.repeat(2 ** 21)),
      /larger than 1048576 bytes/,
      /^check that it is the right file$/,
    ],
    [
      '--authfile that is not there',
      () => ['--authfile', '/no'],
      /does not exist/,
      /^correct --authf/,
    ],
    [
      '--authfile of a directory',
      () => ['--authfile', '/etc'],
      /a directory/,
      /^use a file in it$/,
    ],
    [
      '--authfile of nothing',
      () => ['--authfile', ''],
      /--authfile is empty/,
      /^pass a path, or omit/,
    ],
    [
      '--docker-cfg of nothing',
      () => ['--docker-cfg', ''],
      /--docker-cfg is empty/,
      /^pass a path, or omit/,
    ],
    [
      '--docker-cfg in a file',
      () => ['--docker-cfg', path.join(folder.write('file', '{}'), 'config.json')],
      /a part of the path is not a directory/,
      /^check the path$/,
    ],
    [
      '--authfile in a file',
      () => ['--authfile', path.join(folder.write('file', '{}'), 'auth.json')],
      /a part of the path is not a directory/,
      /^check the path$/,
    ],
    [
      'no such helper',
      () => config('{"credsStore":"not-there"}'),
      /docker-credential-not-there .* is not installed/,
      /^install docker-credential-not-there in an absolute directory of PATH/,
    ],
    [
      'no name of a helper',
      () => config('{"credsStore":"a/b"}'),
      /"a\/b" .* is not a credential helper/,
      /^use the part of the program name after docker-credential-/,
    ],
  ])('%s', async (_, options, says, hint) => {
    await expectHint({ args: inspect('--insecure', ...options()), says, hint });
  });

  it('whose helper fails', async () => {
    const bin = folder.directory();
    folder.helper(bin, 'broken', 'exit 3');
    await expectHint({
      args: inspect('--insecure', ...config('{"credsStore":"broken"}')),
      env: { PATH: pathWith(bin) },
      says: /docker-credential-broken .* failed with exit code 3/,
      hint: /^try `docker-credential-broken list`/,
    });
  });

  it.each([
    [
      'DOCKER_CONFIG',
      /config\.json failed: DOCKER_CONFIG is set to something that is not a directory/,
    ],
    ['XDG_CONFIG_HOME', /auth\.json failed: XDG_CONFIG_HOME is set to something that is not a dir/],
    ['XDG_RUNTIME_DIR', /auth\.json failed: XDG_RUNTIME_DIR is set to something that is not a dir/],
  ])('of %s, which is a file', async (variable, says) => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    await expectHint({
      args: inspect('--insecure'),
      env: { [variable]: folder.write('config.json', '{}') },
      says,
      hint: new RegExp(`^set ${variable} to the directory of the file, or unset it$`),
    });
  });

  it('of REGISTRY_AUTH_FILE, which is in a file', async () => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    await expectHint({
      args: inspect('--insecure'),
      env: { REGISTRY_AUTH_FILE: path.join(folder.write('file', '{}'), 'auth.json') },
      says: /a part of the path is not a directory/,
      hint: /^check the path$/,
    });
  });

  it('of ~/.docker, which is a file', async () => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    const home = folder.directory();
    writeFileSync(path.join(home, '.docker'), '{}');
    await expectHint({
      args: inspect('--insecure'),
      env: { HOME: home },
      says: /a part of the path is not a directory/,
      hint: /^check the path$/,
    });
  });

  it('of a home that is not a directory: there are none', async () => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    await expectHint({
      args: inspect('--insecure'),
      env: { HOME: '/dev/null' },
      code: 4,
      says: /anonymously/,
      hint: /^log in/,
    });
  });

  it('of REGISTRY_AUTH_FILE, which is not there is not there', async () => {
    server.script = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } });
    await expectHint({
      args: inspect('--insecure'),
      env: { REGISTRY_AUTH_FILE: '/no/auth.json' },
      says: /REGISTRY_AUTH_FILE is set to this file, which does not exist/,
      hint: /^correct REGISTRY_AUTH_FILE, or unset it to use the default files$/,
    });
  });
});

describe('a proxy', () => {
  const FORM = /^write HTTPS_PROXY as http:\/\/host:port, or as .* percent-encoded$/;

  it.each<readonly [proxy: string, code: number, says: RegExp, hint: RegExp]>([
    ['socks5://127.0.0.1:1', 2, /SOCKS proxies are not supported/, FORM],
    ['ftp://127.0.0.1:1', 2, /neither an http nor an https address/, FORM],
    ['http://127.0.0.1:99999', 2, /not a valid address/, FORM],
    [
      'http://127.0.0.1:1',
      5,
      /the proxy 127\.0\.0\.1:1 cannot be used/,
      /^check HTTPS_PROXY, HTTP/,
    ],
  ])('%s', async (proxy, code, says, hint) => {
    const args = ['inspect', '--retry', '0', 'registry.test/x'];
    await expectHint({ args, env: { HTTPS_PROXY: proxy }, code, says, hint });
  });

  it('of a CGI program', async () => {
    await expectHint({
      args: ['inspect', '--plain-http', 'registry.test/x'],
      env: { HTTP_PROXY: 'http://127.0.0.1:1', REQUEST_METHOD: 'GET' },
      says: /cannot be trusted in a CGI program/,
      hint: /^unset HTTP_PROXY, or list the registry in NO_PROXY$/,
    });
  });
});
