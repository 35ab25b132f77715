import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { auths, Folder } from './support/files.js';
import {
  failure,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const folder = new Folder();
let server: ScriptedServer;
let elsewhere: ScriptedServer;
let registry: FakeRegistry;
let onMount: (request: Seen) => Answer;

beforeAll(async () => {
  server = await startScripted(() => ({ status: 500 }));
  elsewhere = await startScripted(() => ({ status: 204 }));
});

beforeEach(() => {
  server.requests.length = 0;
  elsewhere.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('source');
  onMount = (request) => registry.answer(request);
  server.script = (request) => {
    if (request.headers.authorization === undefined)
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
    return request.method === 'POST' ? onMount(request) : registry.answer(request);
  };
});

afterAll(async () => {
  await server.stop();
  await elsewhere.stop();
});

function push(...options: string[]): Promise<CliResult> {
  const { host } = server;
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
  return runCli([...pushArguments(`${host}/source`, `${host}/team/target`), ...options], { env });
}

/** What was asked for with the password. */
const asked = (method: string): Seen[] =>
  server.requests.filter(
    (request) => request.method === method && request.headers.authorization !== undefined,
  );

/** Two images of two blobs each. */
const BLOBS = 4;

describe('test 12: answers to a mount', () => {
  it('201: no bytes, and exactly mount and from', async () => {
    expectCode(await push(), 0);
    expect(asked('POST')).toHaveLength(BLOBS);
    for (const { query, path, headers } of asked('POST')) {
      expect(path).toBe('/v2/team/target/blobs/uploads/');
      expect([...query.keys()]).toEqual(['mount', 'from']);
      expect(query.get('from')).toBe('source');
      expect(headers['content-length']).toBe('0');
      expect(headers['transfer-encoding']).toBeUndefined();
    }
    expect(asked('PATCH')).toEqual([]);
    expect(asked('HEAD').filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
    expect(asked('PUT').filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
  });

  it('202: the upload that it opened is used, and no other one', async () => {
    let sessions = 0;
    onMount = () => {
      sessions += 1;
      const location = `/v2/team/target/blobs/uploads/mine-${sessions}?_state=a%2Fb~c%20d`;
      return { status: 202, headers: { location } };
    };
    expectCode(await push(), 0);
    expect(asked('POST')).toHaveLength(BLOBS);
    const uploads = asked('PUT').filter(({ path }) => path.includes('/blobs/'));
    expect(uploads.map(({ path }) => path).toSorted()).toEqual(
      Array.from({ length: BLOBS }, (_, at) => `/v2/team/target/blobs/uploads/mine-${at + 1}`),
    );
    for (const { url, headers, body } of uploads) {
      expect(url).toMatch(/\?_state=a%2Fb~c%20d&digest=sha256%3A[0-9a-f]{64}$/);
      expect(headers['content-length']).toBe(String(body.length));
      expect(headers['transfer-encoding']).toBeUndefined();
    }
    expect(asked('DELETE')).toEqual([]);
  });

  it('202 where the blob is there all the same (a registry that mounts nothing): goes on', async () => {
    for (const [key, blob] of registry.blobs)
      registry.blobs.set(key.replace('source@', 'team/target@'), blob);
    onMount = () => ({
      status: 202,
      headers: { location: '/v2/team/target/blobs/uploads/a?_state=x%2Fy%3D%3D~%20' },
    });
    expectCode(await push(), 0);
    expect(asked('DELETE')).toHaveLength(BLOBS);
    for (const { url } of asked('DELETE'))
      expect(url).toBe('/v2/team/target/blobs/uploads/a?_state=x%2Fy%3D%3D~%20');
  });

  it.each([
    ['another port', (): string => `http://${elsewhere.host}/v2/x`],
    ['another host', (): string => `http://localhost:${elsewhere.port}/v2/x`],
    ['another host without a scheme', (): string => `//${elsewhere.host}/v2/x`],
    ['no address', (): string => 'http://['],
  ])('202 with a Location on %s: nothing goes there', async (_, location) => {
    onMount = () => ({ status: 202, headers: { location: location() } });
    const result = await push();
    expectCode(result, 1);
    expect(elsewhere.requests).toEqual([]);
  });

  it.each([400, 401, 403, 404, 405, 500])(
    '%i: one plain upload, and no second mount',
    async (status) => {
      onMount = (request) =>
        request.query.has('mount')
          ? failure(status, 'SOME_CODE', 'words of the registry')
          : registry.answer(request);
      expectCode(await push('--retry', '0'), 0);
      const mounts = asked('POST').flatMap(({ query }) => query.get('mount') ?? []);
      expect(mounts).toHaveLength(BLOBS);
      expect(new Set(mounts).size).toBe(BLOBS);
      expect(asked('POST')).toHaveLength(2 * BLOBS);
      expect(asked('PUT').filter(({ path }) => path.includes('/blobs/'))).toHaveLength(BLOBS);
      expect(registry.manifests.has('team/target:out')).toBe(true);
    },
  );

  it.each([401, 403, 404, 405, 400])('%i where the blob is there: goes on', async (status) => {
    for (const [key, blob] of registry.blobs)
      registry.blobs.set(key.replace('source@', 'team/target@'), blob);
    onMount = () => failure(status, 'SOME_CODE', 'words of the registry');
    expectCode(await push(), 0);
  });

  it('429 that stays: exit code 5 with the number of tries, and no upload', async () => {
    onMount = () => ({ status: 429 });
    const result = await push();
    expectCode(result, 5);
    expect(result.stderr).toMatch(/5 attempts/);
    expect(asked('PUT')).toEqual([]);
  });

  it('200 of something that is no registry is no mount', async () => {
    onMount = () => ({ status: 200, body: 'Healthcheck requested' });
    const result = await push();
    expectCode(result, 1);
    expect(registry.manifests.has('team/target:out')).toBe(false);
  });
});

describe('test 11: the place to upload to', () => {
  const state = '?_state=a%2Fb~c%20d&x=%3D%3D';

  it.each([
    ['absolute', (): string => `http://${server.host}/v2/team/target/blobs/uploads/s${state}`],
    ['an absolute path', (): string => `/v2/team/target/blobs/uploads/s${state}`],
    ['relative', (): string => `s${state}`],
    ['without its scheme', (): string => `${server.host}/v2/team/target/blobs/uploads/s${state}`],
  ])('that is %s: its query is kept as it is', async (_, location) => {
    onMount = () => ({ status: 202, headers: { location: location() } });
    expectCode(await push(), 0);
    const uploads = asked('PUT').filter(({ path }) => path.includes('/blobs/'));
    expect(uploads).toHaveLength(BLOBS);
    for (const { url } of uploads) {
      expect(url).toMatch(
        /^\/v2\/team\/target\/blobs\/uploads\/s\?_state=a%2Fb~c%20d&x=%3D%3D&digest=/,
      );
    }
  });

  it('that is not named is an error that says so', async () => {
    onMount = () => ({ status: 202 });
    const result = await push();
    expectCode(result, 1);
    expect(result.stderr).toMatch(/returned no upload location/);
  });
});

describe('test 14: an upload is done to the letter', () => {
  it('a session that is answered with 200 is none', async () => {
    onMount = (request) =>
      request.query.has('mount')
        ? failure(404, 'X', 'x')
        : { status: 200, body: 'Healthcheck requested' };
    const result = await push();
    expectCode(result, 1);
    expect(asked('PUT')).toEqual([]);
  });
});
