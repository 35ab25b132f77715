import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic } from '../support/http.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

/*
 * The credential of --username: for the registry of the first target, or of what is read. A second
 * registry, which demands a password as well, gets what the files have for it.
 */

const folder = new Folder();
const TYPED = basic('typed', 'typed-secret');
const FILED = basic('filed', 'filed-secret');
const USER = ['-u', 'typed', '-p', 'typed-secret'];

let own: ScriptedServer;
let other: ScriptedServer;
let ownRegistry: FakeRegistry;
let otherRegistry: FakeRegistry;

/** Demands Basic, and accepts any password. */
function demanding(server: ScriptedServer, registry: () => FakeRegistry): void {
  server.script = (request) =>
    request.headers.authorization === undefined
      ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
      : registry().answer(request);
}

beforeAll(async () => {
  own = await startScripted(({ path }) => json(500, { path }));
  other = await startScripted(({ path }) => json(500, { path }));
  demanding(own, () => ownRegistry);
  demanding(other, () => otherRegistry);
});

beforeEach(() => {
  own.requests.length = 0;
  other.requests.length = 0;
  ownRegistry = new FakeRegistry();
  otherRegistry = new FakeRegistry();
});

afterAll(() => Promise.all([own.stop(), other.stop()]));

const sentTo = ({ requests }: ScriptedServer): Set<string | undefined> =>
  new Set(requests.flatMap(({ headers }) => headers.authorization ?? []));

const run = (args: readonly string[], stdin?: string | Uint8Array): Promise<CliResult> => {
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(other.host, 'filed', 'filed-secret')) };
  return runCli([...args, '--retry-delay', '5ms'], { env, ...(stdin !== undefined && { stdin }) });
};

describe('the password of the command line', () => {
  it.each<[string, (a: string, b: string) => string[]]>([
    ['create', (a, b) => ['create', '--target', `${a}/x/out:1`, `${b}/y/app:1`]],
    ['create -t', (a, b) => ['create', '-t', `${a}/x/out:1`, `${b}/y/app:1`]],
    ['copy', (a, b) => ['copy', `${b}/y/app:1`, `${a}/x/out:1`]],
    [
      'push from-args',
      (a, b) => [
        'push',
        'from-args',
        '--platforms',
        'linux/amd64',
        '--template',
        `${b}/y/app:1`,
        '--target',
        `${a}/x/out:1`,
      ],
    ],
    ['copy to two registries', (a, b) => ['copy', `${a}/x/app:1`, `${a}/x/out:1`, `${b}/y/out:1`]],
  ])('of %s goes to the registry of the first target alone', async (_, args) => {
    ownRegistry.addImage('x/app', '1');
    otherRegistry.addImage('y/app', '1');
    expectCode(await run([...args(own.host, other.host), ...USER]), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
    expect(sentTo(other)).toEqual(new Set([FILED]));
  });

  it('of push from-spec goes to the registry of its target', async () => {
    otherRegistry.addImage('y/app', '1');
    const spec = `image: ${own.host}/x/out:1\nmanifests:\n  - image: ${other.host}/y/app:1\n    platform: {os: linux, architecture: amd64}\n`;
    expectCode(await run(['push', 'from-spec', '-', ...USER], spec), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
    expect(sentTo(other)).toEqual(new Set([FILED]));
  });

  it('of add goes to the registry of the index', async () => {
    ownRegistry.addImage('x/out', '1', { architecture: 'arm64' });
    otherRegistry.addImage('y/app', '1');
    expectCode(await run(['add', `${own.host}/x/out:1`, `${other.host}/y/app:1`, ...USER]), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
    expect(sentTo(other)).toEqual(new Set([FILED]));
  });

  it('of verify goes to the registry of the reference, not to that of --same-as', async () => {
    ownRegistry.addImage('x/app', '1');
    otherRegistry.addImage('y/app', '1');
    const sameAs = ['--same-as', `${other.host}/y/app:1`];
    expectCode(await run(['verify', `${own.host}/x/app:1`, ...sameAs, ...USER]), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
    expect(sentTo(other)).toEqual(new Set([FILED]));
  });

  it.each([['inspect'], ['query'], ['verify'], ['spec', 'from']])(
    'of %s goes to the registry of the reference',
    async (...command) => {
      ownRegistry.addImage('x/app', '1');
      await run([...command, `${own.host}/x/app:1`, ...USER]);
      expect(sentTo(own)).toEqual(new Set([TYPED]));
    },
  );

  it('of a copy to a layout goes to the registry of the source', async () => {
    ownRegistry.addImage('x/app', '1');
    const layout = `oci-layout://${folder.directory()}/out:1`;
    expectCode(await run(['copy', `${own.host}/x/app:1`, layout, ...USER]), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
  });

  it('wins over the files for its registry', async () => {
    otherRegistry.addImage('y/app', '1');
    expectCode(await run(['inspect', `${other.host}/y/app:1`, ...USER]), 0);
    expect(sentTo(other)).toEqual(new Set([TYPED]));
  });

  it.each([
    ['a byte order mark', Buffer.from('\uFEFFtyped-secret\n')],
    ['the line end of Windows', Buffer.from('typed-secret\r\n')],
    ['both', Buffer.from('\uFEFFtyped-secret\r\n')],
  ])('from standard input is without %s', async (_, stdin) => {
    ownRegistry.addImage('x/app', '1');
    const args = ['inspect', `${own.host}/x/app:1`, '-u', 'typed', '--password-stdin'];
    expectCode(await run(args, stdin), 0);
    expect(sentTo(own)).toEqual(new Set([TYPED]));
  });

  it.each([
    ['-u alone', ['-u', 'typed'], /--username needs a password/],
    ['-u with an empty password', ['-u', 'typed', '-p', ''], /--username needs a password/],
    ['-p alone', ['-p', 'typed-secret'], /--password needs a user name/],
    ['-p with an empty user', ['-u', '', '-p', 'typed-secret'], /--password needs a user name/],
    ['--password-stdin alone', ['--password-stdin'], /--password-stdin needs --username/],
    ['with an empty user', ['-u', '', '--password-stdin'], /--password-stdin needs --username/],
  ])('%s is an error, and nothing is sent', async (_, options, message) => {
    const result = await run(['inspect', `${own.host}/x/app:1`, ...options], 'typed-secret');
    expectCode(result, 2);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^hint: /m);
    expect(result.stderr).not.toContain('typed-secret');
    expect(own.requests).toEqual([]);
  });

  it('both empty count as not given, as in manifest-tool', async () => {
    otherRegistry.addImage('y/app', '1');
    expectCode(await run(['inspect', `${other.host}/y/app:1`, '-u', '', '-p', '']), 0);
    expect(sentTo(other)).toEqual(new Set([FILED]));
  });
});

describe('the hint to log in', () => {
  const CHALLENGES = [
    ['Basic', () => 'Basic realm="r"'],
    ['Bearer', () => `Bearer realm="${other.url}/t",service="s"`],
  ] as const;

  it.each(CHALLENGES)(
    'names --username for the registry that it is for alone: %s',
    async (_, challenge) => {
      const original = other.script;
      other.script = ({ path }) =>
        path === '/t'
          ? { status: 401 }
          : { status: 401, headers: { 'www-authenticate': challenge() } };
      ownRegistry.addImage('x/app', '1');
      const env = { DOCKER_CONFIG: folder.dockerConfig(auths(own.host, 'filed', 'filed-secret')) };
      const hintOf = async (...args: string[]): Promise<string> => {
        const result = await runCli([...args, '--retry', '0'], { env });
        expectCode(result, 4);
        return /^hint: (.*)$/m.exec(result.stderr)![1]!;
      };
      const login = `log in with "docker login ${other.host}"`;
      try {
        expect(await hintOf('copy', `${other.host}/y/app:1`, `${own.host}/x/out:1`)).toBe(login);
        const both = `${login}, or pass --username and --password-stdin`;
        expect(await hintOf('inspect', `${other.host}/y/app:1`)).toBe(both);
        expect(await hintOf('copy', `${own.host}/x/app:1`, `${other.host}/y/out:1`)).toBe(both);
      } finally {
        other.script = original;
      }
    },
  );
});

describe('hints after credentials were sent', () => {
  const CHALLENGES = [
    ['Basic', () => 'Basic realm="r"'],
    ['Bearer', () => `Bearer realm="${own.url}/t",service="s"`],
  ] as const;

  it.each(CHALLENGES)('do not say "log in": %s', async (_, challenge) => {
    for (const [status, tokenStatus] of [
      [401, 200],
      [401, 401],
      [403, 200],
      [404, 200],
      [429, 200],
    ] as const) {
      const original = own.script;
      own.script = ({ path, headers }) => {
        if (path === '/t') return json(tokenStatus, { token: 't' });
        const isSigned = headers.authorization !== undefined;
        return { status: isSigned ? status : 401, headers: { 'www-authenticate': challenge() } };
      };
      const args = ['inspect', `${own.host}/x/app:1`, '--retry', '0', ...USER];
      const result = await run(args);
      own.script = original;
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/^hint: /m);
      expect(result.stderr).not.toMatch(/log in|login/);
    }
  });
});
