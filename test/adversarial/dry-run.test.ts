import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/* A dry run opens an upload in each target repository and cancels it: may the credentials push? */

const folder = new Folder();
let server: ScriptedServer;
let registry: FakeRegistry;
/** Answers to some requests in place of the registry's. */
let instead: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
  server.script = (request) => instead(request) ?? registry.answer(request);
});

beforeEach(async () => {
  server.requests.length = 0;
  instead = () => undefined;
  registry = new FakeRegistry();
  registry.addImage('x/app', 'amd64', { architecture: 'amd64' });
  registry.addImage('x/app', 'arm64', { architecture: 'arm64', text: 'of arm64' });
  registry.addImage('x/app', 's390x', { architecture: 's390x', text: 'of s390x' });
  const { host } = server;
  const sources = [`${host}/x/app:amd64`, `${host}/x/app:arm64`];
  expectCode(await runCli(['create', '--target', `${host}/x/app:list`, ...sources]), 0);
  server.requests.length = 0;
});

afterAll(() => server.stop());

const isUpload = ({ method, path }: Seen): boolean =>
  method === 'POST' && path.endsWith('/blobs/uploads/');
const writes = (): string[] =>
  server.requests
    .filter(({ method }) => method !== 'GET' && method !== 'HEAD')
    .map(({ method, path }) => `${method} ${path.replace(/session.*$/, '')}`);

const CHECK = (repository: string): string[] => [
  `POST /v2/${repository}/blobs/uploads/`,
  `DELETE /v2/${repository}/blobs/uploads/`,
];

const run = (args: readonly string[]): Promise<CliResult> => {
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(server.host, 'alice', 'secret-word')) };
  return runCli([...args, '--dry-run', '--retry-delay', '5ms'], { env });
};

type Make = (host: string) => string[];

const COMMANDS: readonly (readonly [name: string, repository: string, args: Make])[] = [
  ['create', 'x/out', (h) => ['create', '--target', `${h}/x/out:1`, `${h}/x/app:amd64`]],
  ['copy', 'x/out', (h) => ['copy', `${h}/x/app:list`, `${h}/x/out:1`]],
  ['add', 'x/app', (h) => ['add', `${h}/x/app:list`, `${h}/x/app:s390x`]],
  ['remove', 'x/app', (h) => ['remove', `${h}/x/app:list`, '--platform', 'linux/amd64']],
  [
    'annotate',
    'x/app',
    (h) => ['annotate', `${h}/x/app:list`, '--platform', 'linux/amd64', '--os-version', '1'],
  ],
  [
    'push from-args',
    'x/out',
    (h) => [
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/arm64',
      '--template',
      `${h}/x/app:ARCH`,
      '--target',
      `${h}/x/out:1`,
    ],
  ],
];

describe.each(COMMANDS)('a dry run of %s', (_, repository, args) => {
  it('opens one upload and cancels it, and writes nothing else', async () => {
    expectCode(await run(args(server.host)), 0);
    expect(writes()).toEqual(CHECK(repository));
  });

  it.each([401, 403])(
    'ends with exit code 4 if %i refuses it, and shows the result',
    async (status) => {
      const allowed = await run(args(server.host));
      instead = (request) =>
        isUpload(request)
          ? json(status, { errors: [{ code: 'DENIED', message: 'no' }] })
          : undefined;
      const result = await run(args(server.host));
      expectCode(result, 4);
      expect(result.stdout).toBe(allowed.stdout);
      expect(result.stdout).toMatch(/sha256:/);
      const name = `${server.host}/${repository}`;
      expect(result.stderr).toContain(`checking the right to push to ${name} failed: not allowed`);
      expect(result.stderr).toMatch(/^hint: /m);
    },
  );
});

describe('the check of a dry run', () => {
  const create = (...more: string[]): Promise<CliResult> => {
    const { host } = server;
    return run(['create', '--target', `${host}/x/out:1`, `${host}/x/app:amd64`, ...more]);
  };

  it.each([401, 403, 404, 405, 500])('is not failed by a %i to the cancel', async (status) => {
    const challenge = { 'www-authenticate': 'Basic realm="r"' };
    instead = ({ method }) => (method === 'DELETE' ? { status, headers: challenge } : undefined);
    expectCode(await create(), 0);
    // After a 401 to an anonymous request, once more with the password.
    expect([...new Set(writes())]).toEqual(CHECK('x/out'));
  });

  it('asks for no other token to cancel', async () => {
    const challenge = `Bearer realm="${server.url}/t",service="s"`;
    instead = ({ method, path, headers }) => {
      if (path === '/t') return json(200, { token: 't' });
      const scope = method === 'DELETE' ? ',scope="repository:x/out:delete"' : '';
      if (headers.authorization === undefined || method === 'DELETE')
        return { status: 401, headers: { 'www-authenticate': challenge + scope } };
      return undefined;
    };
    expectCode(await create(), 0);
    const asked = server.requests.filter(({ path }) => path === '/t');
    expect(asked).toHaveLength(1);
    expect(asked[0]!.query.getAll('scope')[0]).toBe('repository:x/out:pull,push');
    expect(server.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });

  it.each([
    ['grants less', (): Answer => json(200, { token: 'pull-only' })],
    ['refuses to push', (): Answer => json(403, {})],
  ])('finds that a token server %s', async (_, refuse) => {
    const challenge = { 'www-authenticate': `Bearer realm="${server.url}/t",service="s"` };
    instead = ({ method, path, query, headers }) => {
      if (path === '/t')
        return query.getAll('scope').some((scope) => scope.includes('push'))
          ? refuse()
          : json(200, { token: 'pull-only' });
      const isRead = method === 'GET' || method === 'HEAD';
      if (headers.authorization === undefined || !isRead)
        return { status: 401, headers: challenge };
      return undefined;
    };
    const result = await create();
    expectCode(result, 4);
    expect(result.stdout).toMatch(/sha256:/);
    expect(result.stderr).not.toMatch(/log in/);
  });

  it('finds that a repository does not exist', async () => {
    instead = (request) =>
      isUpload(request)
        ? json(404, { errors: [{ code: 'NAME_UNKNOWN', message: 'no such repository' }] })
        : undefined;
    const result = await create();
    expectCode(result, 3);
    expect(result.stdout).toMatch(/sha256:/);
  });

  it('warns of an answer that says nothing about the right', async () => {
    instead = (request) => (isUpload(request) ? { status: 405 } : undefined);
    const result = await create();
    expectCode(result, 0);
    expect(result.stderr).toMatch(/status 405.*a push may fail/);
  });

  it('shows the rest if a tag cannot be read', async () => {
    instead = ({ path }) => (path === '/v2/x/out/manifests/1' ? json(403, {}) : undefined);
    const { host } = server;
    const result = await create('-t', `${host}/x/out:2`);
    expectCode(result, 0);
    expect(result.stderr).toContain(`the changes to ${host}/x/out:1 cannot be shown: `);
    expect(result.stdout).toContain(`\ntag ${host}/x/out:1 would move to sha256:`);
    expect(result.stdout).toContain(`\ntag ${host}/x/out:2 is new, and would point to sha256:`);
    expect(result.stdout.match(/^--- nothing$/gm)).toHaveLength(1);
  });

  it('shows the rest if referrers cannot be listed', async () => {
    const { host } = server;
    expectCode(await runCli(['copy', `${host}/x/app:s390x`, `${host}/x/out:1`]), 0);
    instead = ({ path }) => (path.includes('/referrers/') ? json(403, {}) : undefined);
    const result = await create();
    expectCode(result, 0);
    expect(result.stderr).toContain(
      `cannot determine which referrers of ${host}/x/out:1 would be left behind: `,
    );
    expect(result.stdout).toMatch(/^\+ linux\/amd64 {2}sha256:/m);
  });

  it('is made once for each repository of several targets, and names what refuses', async () => {
    instead = (request) =>
      isUpload(request) && request.path.includes('x/closed') ? json(403, {}) : undefined;
    const { host } = server;
    const result = await create('-t', `${host}/x/out:2`, '-t', `${host}/x/closed:1`);
    expectCode(result, 4);
    expect(
      server.requests
        .filter(isUpload)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['/v2/x/closed/blobs/uploads/', '/v2/x/out/blobs/uploads/']);
    expect(result.stderr).toContain(`${host}/x/closed`);
    expect(result.stderr).toMatch(/1 of 2 failed/);
    expect(result.stdout).toMatch(/sha256:/);
  });

  it('is in the document of --json', async () => {
    instead = (request) => (isUpload(request) ? json(403, {}) : undefined);
    const result = await create('--json');
    expectCode(result, 4);
    expect(JSON.parse(result.stdout)).toMatchObject({
      dryRun: true,
      failed: [{ target: `${server.host}/x/out:1`, error: { code: 'DENIED' } }],
    });
  });

  it('is not made for layouts', async () => {
    const layout = `oci-layout://${folder.directory()}/out:1`;
    expectCode(await run(['copy', `${server.host}/x/app:amd64`, layout]), 0);
    expect(writes()).toEqual([]);
  });

  it('is not made by a command that publishes', async () => {
    const { host } = server;
    const args = ['create', '--target', `${host}/x/app:2`, `${host}/x/app:amd64`];
    expectCode(await runCli(args), 0);
    expect(writes()).toEqual(['PUT /v2/x/app/manifests/2']);
  });
});
