import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder, pathWith } from './support/files.js';
import {
  failure,
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
const ERROR = /^manifest-tool: \S[^\n]* failed: \S[^\n]*\nhint: [^\n]+\n$/;
let server: ScriptedServer;
let registry: FakeRegistry;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => special(request) ?? registry.answer(request));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('team/app');
  special = () => undefined;
});

afterAll(() => server.stop());

function run(
  args: readonly string[],
  config: object = {},
  env: Record<string, string> = {},
): Promise<CliResult> {
  return runCli(args, { env: { DOCKER_CONFIG: folder.dockerConfig(config), ...env } });
}

const inspect = (config?: object, env?: Record<string, string>): Promise<CliResult> =>
  run(['inspect', '--retry-delay', '5ms', `${server.host}/team/app:linux-amd64`], config, env);

/** One error line, one hint, and nothing on standard output. */
function expectError(result: CliResult, code: number): void {
  expectCode(result, code);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(ERROR);
}

describe('3: not found', () => {
  it('an image', async () => {
    const result = await run(['inspect', `${server.host}/team/app:absent`]);
    expectError(result, 3);
    expect(result.stderr).toContain(`${server.host}/team/app:absent`);
  });

  it('a source of a push, and no tag is written', async () => {
    const args = pushArguments(`${server.host}/team/app`, `${server.host}/team/app`, { count: 3 });
    const result = await run(args);
    expectError(result, 3);
    expect(result.stderr).toContain(`${server.host}/team/app:linux-s390x`);
    expect(server.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it('with --ignore-missing only what is not found is left out', async () => {
    const args = pushArguments(`${server.host}/team/app`, `${server.host}/team/app`, { count: 3 });
    const result = await run([...args, '--ignore-missing']);
    expectCode(result, 0);
    expect(result.stderr).toMatch(/warning: .*linux-s390x/);
    for (const [status, code] of [
      [401, 4],
      [403, 4],
      [500, 5],
      [429, 5],
    ] as const) {
      special = ({ path }) => (path.endsWith('linux-s390x') ? { status } : undefined);
      expectCode(await run([...args, '--ignore-missing']), code);
    }
  });
});

describe('4: not allowed', () => {
  const basic = { 'www-authenticate': 'Basic realm="r"' };

  it.each([401, 403])('%i as nobody: says so, and how to log in', async (status) => {
    special = () => failure(status, 'DENIED', 'requested access to the resource is denied', basic);
    const result = await inspect();
    expectError(result, 4);
    expect(result.stderr).toContain(`${server.host}/team/app:linux-amd64`);
    expect(result.stderr).toMatch(/anonymously|without credentials/);
    expect(result.stderr).toMatch(/^hint: .*docker login/m);
  });

  it.each([401, 403])(
    '%i as somebody: names the user and where the password came from',
    async (status) => {
      special = ({ headers }) =>
        failure(headers.authorization === undefined ? 401 : status, 'DENIED', 'no', basic);
      const result = await inspect(auths(server.host, 'alice', 'secret-word'));
      expectError(result, 4);
      expect(result.stderr).toContain(`${server.host}/team/app:linux-amd64`);
      expect(result.stderr).toContain('alice');
      expect(result.stderr).toContain('config.json');
    },
  );

  it('names the helper', async () => {
    const bin = folder.directory();
    folder.helper(bin, 'who', `echo '{"Username":"bob","Secret":"secret-word"}'`);
    special = () => failure(401, 'UNAUTHORIZED', 'no', basic);
    const result = await inspect(
      { credHelpers: { [server.host]: 'who' } },
      { PATH: pathWith(bin) },
    );
    expectError(result, 4);
    expect(result.stderr).toContain('docker-credential-who');
    expect(result.stderr).toContain('bob');
  });

  it('a wrong password does not turn into nobody', async () => {
    special = (request) =>
      request.headers.authorization?.startsWith('Basic') === true
        ? { status: 401, headers: basic }
        : { status: 401, headers: basic };
    await inspect(auths(server.host, 'alice', 'wrong-word'));
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]!.headers.authorization).toMatch(/^Basic /);
  });

  it('names the scope that the registry asks for', async () => {
    special = (request) => {
      if (request.path === '/t') return json(200, { token: 'little-token' });
      return {
        status: 401,
        headers: {
          'www-authenticate': `Bearer realm="${server.url}/t",scope="repository:team/app:pull",error="insufficient_scope"`,
        },
      };
    };
    const result = await inspect();
    expectError(result, 4);
    expect(result.stderr).toContain('repository:team/app:pull');
  });
});

describe('5: unavailable, with what was tried', () => {
  it.each([500, 502, 503, 504, 429, 408])('%i', async (status) => {
    special = () => ({ status });
    const result = await inspect();
    expectCode(result, 5);
    expect(result.stderr).toMatch(/^manifest-tool: .*5 attempts/m);
    expect(result.stderr).toContain(String(status));
    expect(server.requests).toHaveLength(5);
  });

  it('a host that is not known is not tried again', async () => {
    const result = await run(['inspect', 'no-such-host.invalid/x']);
    expectError(result, 5);
    expect(result.stderr).toContain('no-such-host.invalid');
  });

  it('a web page is no registry', async () => {
    special = () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' });
    const result = await inspect();
    expectError(result, 5);
    expect(result.stderr).toContain('not a registry');
  });

  it('nobody is told to log in again by a redirect target', async () => {
    const other = await startScripted(() => ({ status: 403 }));
    try {
      special = ({ path }) =>
        path.includes('/blobs/')
          ? { status: 307, headers: { location: `${other.url}${path}` } }
          : undefined;
      const result = await inspect(auths(server.host, 'alice', 'secret-word'));
      expectError(result, 4);
      // The storage host said no, and it has never seen the user.
      expect(result.stderr).toContain(other.host);
      expect(result.stderr).not.toContain('alice');
    } finally {
      await other.stop();
    }
  });
});

describe('2: wrong use and wrong configuration', () => {
  it.each([
    ['no command', ['--raw']],
    ['an unknown command', ['inspekt']],
    ['an unknown option', ['inspect', '--inscure', 'x']],
    ['no reference', ['inspect']],
    ['a reference that is none', ['inspect', 'team//app']],
    ['a number of tries that is none', ['inspect', '--retry', 'many', 'x']],
    ['a time that is none', ['inspect', '--timeout', 'soon', 'x']],
    ['a password without a user', ['inspect', '--password', 'secret-word', 'x']],
    ['--password-stdin without a user', ['inspect', '--password-stdin', 'x']],
    ['two passwords', ['inspect', '-u', 'a', '-p', 'secret-word', '--password-stdin', 'x']],
    ['--insecure of no host', ['inspect', '--insecure=', 'x']],
    ['--ca-file that is not there', ['inspect', '--ca-file', '/nowhere/ca.crt', '127.0.0.1:1/x']],
    ['--authfile that is not there', ['inspect', '--authfile', '/nowhere/a.json', '127.0.0.1:1/x']],
  ])('%s', async (_, args) => {
    const result = await run(args);
    expectError(result, 2);
    expect(result.stderr).not.toContain('secret-word');
    expect(server.requests).toEqual([]);
  });
});
