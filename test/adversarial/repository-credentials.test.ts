import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { basic, sha256 } from '../support/http.js';
import { FakeRegistry, pushArguments, type MadeImage } from './support/fake-registry.js';
import { base64, Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Reply,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

/*
 * Auth files with a user for each namespace of a host, "HOST/a" and "HOST/b"
 * (containers-auth.json(5)): a request carries the credentials of its repository and no others.
 */

const folder = new Folder();
/** The owner of all repositories of a namespace. */
const USERS: Readonly<Record<string, string>> = { a: 'alice', b: 'bob', c: 'alice' };
let server: ScriptedServer;
let registry: FakeRegistry;
let image: MadeImage;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  image = registry.addImage('a/app', '1');
  for (const repository of ['a/app', 'b/app']) registry.addPlatforms(repository);
});

afterAll(() => server.stop());

const ownerOf = (repository: string): string => USERS[repository.split('/')[0]!]!;

const passwordOf = (user: string): string => `${user}-secret-word`;

/** An auth file with an entry for each of these namespaces of the host. */
function authFile(...keys: string[]): string {
  const auths = Object.fromEntries(
    keys.map((key) => [
      `${server.host}/${key}`,
      { auth: base64(`${ownerOf(key)}:${passwordOf(ownerOf(key))}`) },
    ]),
  );
  return folder.write(`${folder.directory()}/auth.json`, JSON.stringify({ auths }));
}

const repositoryOf = ({ path }: Seen): string =>
  /^\/v2\/(.+?)\/(?:manifests|blobs|referrers|tags)\//.exec(path)?.[1] ?? '';

const registryRequests = (): Seen[] =>
  server.requests.filter(({ path }) => path.startsWith('/v2/'));
const tokenRequests = (): Seen[] => server.requests.filter(({ path }) => path === '/t');
const mounts = (): Seen[] => registryRequests().filter(({ query }) => query.has('mount'));
const uploads = (): Seen[] =>
  registryRequests().filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/'));

interface Granted {
  readonly user: string;
  readonly scopes: readonly string[];
}

function tokenFor(request: Seen): Reply {
  const user = userOfBasic(request.headers.authorization);
  if (user === undefined) return json(401, {});
  const scopes = request.query.getAll('scope');
  // Like Docker Hub: no token at all if one repository belongs to somebody else.
  if (scopes.some((scope) => ownerOf(scope.split(':')[1]!) !== user)) return json(401, {});
  return json(200, { token: base64(JSON.stringify({ user, scopes } satisfies Granted)) });
}

function userOfBasic(authorization: string | undefined): string | undefined {
  return Object.values(USERS).find((user) => basic(user, passwordOf(user)) === authorization);
}

function grantedBy(authorization: string | undefined): Granted | undefined {
  const token = authorization?.replace('Bearer ', '');
  return token === undefined ? undefined : JSON.parse(Buffer.from(token, 'base64').toString());
}

/** The user who sent a request; undefined if it is anonymous. */
type Authenticate = (request: Seen) => string | undefined;

const byToken: Authenticate = (request) => {
  const granted = grantedBy(request.headers.authorization);
  const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
  const allowed = (repository: string, needed: string): boolean =>
    granted?.scopes.some(
      (scope) =>
        scope.startsWith(`repository:${repository}:`) && scope.split(':')[2]!.includes(needed),
    ) === true;
  const from = request.query.get('from');
  if (from !== null && !allowed(from, 'pull')) return undefined;
  return allowed(repositoryOf(request), action) ? granted?.user : undefined;
};

const byPassword: Authenticate = ({ headers }) => userOfBasic(headers.authorization);

/** Makes the registry accept only requests of a repository's owner, and those that are open. */
function guard(
  challenge: string,
  authenticate: Authenticate,
  isOpen: (request: Seen) => boolean = () => false,
): void {
  server.script = (request) => {
    if (request.path === '/t') return tokenFor(request);
    if (isOpen(request) || authenticate(request) === ownerOf(repositoryOf(request)))
      return registry.answer(request);
    return { status: 401, headers: { 'www-authenticate': challenge } };
  };
}

const bearer = (): string => `Bearer realm="${server.url}/t",service="s"`;

/** The namespaces that were accessed with credentials, each with the user. */
function identities(who: (authorization: string) => string | undefined): Set<string> {
  const signed = registryRequests().filter(({ headers }) => headers.authorization !== undefined);
  return new Set(
    signed.map(
      (request) =>
        `${repositoryOf(request).split('/')[0]} as ${who(request.headers.authorization!) ?? '?'}`,
    ),
  );
}

const anonymous = (): Seen[] =>
  registryRequests().filter(({ headers }) => headers.authorization === undefined);

const SCHEMES = [
  ['Bearer', bearer, byToken, (value: string) => grantedBy(value)?.user],
  ['Basic', (): string => 'Basic realm="x"', byPassword, userOfBasic],
] as const;

const run = (file: string, ...args: string[]): Promise<CliResult> =>
  runCli([...args, '--authfile', file]);

describe.each(SCHEMES)('two users of one host, with %s', (_, challenge, authenticate, who) => {
  beforeEach(() => guard(challenge(), authenticate));

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('inspect of %s is by its own user, whatever the other entries are', async (name, other) => {
    const file = authFile(other, name);
    expectCode(await run(file, 'inspect', `${server.host}/${name}/app:linux-amd64`), 0);
    expect(identities(who)).toEqual(new Set([`${name} as ${USERS[name]}`]));
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ])('copy from %s to %s: each repository by its own user, blobs uploaded', async (from, to) => {
    const { host } = server;
    const args = ['copy', `${host}/${from}/app:linux-amd64`, `${host}/${to}/new:1`];
    expectCode(await run(authFile('a', 'b'), ...args), 0);
    expect(identities(who)).toEqual(new Set([`a as alice`, `b as bob`]));
    expect(mounts()).toEqual([]);
    expect(uploads()).toHaveLength(2);
    expect(registry.manifests.has(`${to}/new:1`)).toBe(true);
    // The challenge is the host's: the second user's requests are not refused first.
    expect(anonymous().length).toBeLessThanOrEqual(2);
  });

  it('push from images of several users to one of them', async () => {
    const { host } = server;
    registry.addImage('b/app', 'linux-arm64', { architecture: 'arm64', text: 'of bob' });
    const spec = folder.write(
      `${folder.directory()}/spec.yaml`,
      `image: ${host}/a/list:1
manifests:
  - image: ${host}/a/app:linux-amd64
    platform: { os: linux, architecture: amd64 }
  - image: ${host}/b/app:linux-arm64
    platform: { os: linux, architecture: arm64 }
`,
    );
    expectCode(await run(authFile('a', 'b'), 'push', 'from-spec', spec), 0);
    expect(identities(who)).toEqual(new Set([`a as alice`, `b as bob`]));
    expect(new Set(mounts().map(({ query }) => query.get('from')))).toEqual(new Set(['a/app']));
    expect(registry.manifests.has('a/list:1')).toBe(true);
  });

  it('repositories of one user share the credential: blobs are mounted', async () => {
    const { host } = server;
    const args = ['copy', `${host}/a/app:1`, `${host}/c/new:1`];
    expectCode(await run(authFile('a', 'b', 'c'), ...args), 0);
    expect(uploads()).toEqual([]);
    expect(registry.blobs.has(`c/new@${sha256(image.layer)}`)).toBe(true);
    expect(tokenRequests().length).toBeLessThanOrEqual(1);
    expect(anonymous()).toHaveLength(1);
  });

  it('a refusal names the credential of the repository that refused', async () => {
    const { host } = server;
    const file = authFile('a');
    const auths = JSON.parse(JSON.stringify({ auths: {} })) as { auths: Record<string, object> };
    auths.auths[`${host}/a`] = { auth: base64(`alice:${passwordOf('alice')}`) };
    auths.auths[`${host}/b`] = { auth: base64('bob:wrong-wrong') };
    folder.write(file, JSON.stringify(auths));
    const args = ['copy', `${host}/a/app:1`, `${host}/b/new:1`];
    const result = await run(file, ...args);
    expectCode(result, 4);
    expect(result.stderr).toContain(`auths["${host}/b"]`);
    expect(result.stderr).not.toContain(`auths["${host}/a"]`);
  });
});

describe('a registry that all may read', () => {
  const isRead = ({ method }: Seen): boolean => method === 'GET' || method === 'HEAD';

  it('asks for the first time at the mount: the target is written as its own user', async () => {
    guard(bearer(), byToken, isRead);
    const { host } = server;
    const args = ['copy', `${host}/a/app:1`, `${host}/b/new:1`];
    expectCode(await run(authFile('a', 'b'), ...args), 0);
    expect(tokenRequests().map(({ query }) => query.getAll('scope').join(' '))).toContain(
      'repository:b/new:pull,push',
    );
    for (const { headers, query } of tokenRequests())
      for (const scope of query.getAll('scope'))
        expect(ownerOf(scope.split(':')[1]!)).toBe(userOfBasic(headers.authorization));
    expect(registry.manifests.has('b/new:1')).toBe(true);
  });
});

describe('tokens', () => {
  it('are asked for with the scopes of their own user alone', async () => {
    guard(bearer(), byToken);
    const { host } = server;
    const args = pushArguments(`${host}/a/app`, `${host}/b/list`);
    expectCode(await run(authFile('a', 'b'), ...args), 0);
    const asked = tokenRequests().map(
      ({ headers, query }) =>
        `${userOfBasic(headers.authorization)}: ${query.getAll('scope').join(' ')}`,
    );
    expect(asked.toSorted()).toEqual([
      'alice: repository:a/app:pull',
      'bob: repository:b/list:pull,push',
    ]);
  });
});
