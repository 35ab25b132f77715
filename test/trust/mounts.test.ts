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

function push(): Promise<CliResult> {
  const { host } = server;
  const env = { DOCKER_CONFIG: folder.dockerConfig(auths(host, 'alice', 'secret-word')) };
  return runCli(pushArguments(`${host}/source`, `${host}/team/target`), { env });
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

  it('202: the upload that it opened is cancelled, and the error says what the registry does not do', async () => {
    registry.blobs.clear();
    server.script = (request) => {
      if (request.headers.authorization === undefined)
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
      const isConfig = request.method === 'GET' && request.path.includes('/source/blobs/');
      return isConfig ? original.answer(request) : registry.answer(request);
    };
    const original = new FakeRegistry();
    original.addPlatforms('source');
    const result = await push();
    expectCode(result, 1);
    expect(result.stderr).toMatch(/mounting sha256:\S+ from \S+ in \S+ failed: .*mount/);
    expect(result.stderr).toMatch(/^hint: /m);
    // Never a second mount of a blob, and no session that stays open.
    const mounts = asked('POST').map(({ query }) => query.get('mount'));
    expect(new Set(mounts).size).toBe(mounts.length);
    expect(asked('DELETE')).toHaveLength(mounts.length);
    for (const { url } of asked('DELETE'))
      expect(url).toBe('/v2/team/target/blobs/uploads/session-1?_state=s');
    expect(registry.manifests.has('team/target:out')).toBe(false);
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

  it.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [405, 1],
    [400, 1],
  ])('%i: asks once, and the error names both repositories', async (status, code) => {
    onMount = () => failure(status, 'SOME_CODE', 'words of the registry');
    const result = await push();
    expectCode(result, code);
    expect(result.stderr).toMatch(
      /mounting sha256:\S+ from \S+\/source in \S+\/team\/target failed/,
    );
    const mounts = asked('POST').map(({ query }) => query.get('mount'));
    expect(new Set(mounts).size).toBe(mounts.length);
    expect(registry.manifests.has('team/target:out')).toBe(false);
  });

  it.each([401, 403, 404, 405, 400])('%i where the blob is there: goes on', async (status) => {
    for (const [key, blob] of registry.blobs)
      registry.blobs.set(key.replace('source@', 'team/target@'), blob);
    onMount = () => failure(status, 'SOME_CODE', 'words of the registry');
    expectCode(await push(), 0);
  });

  it('500 that stays: exit code 5 with the number of tries', async () => {
    onMount = () => ({ status: 500 });
    const result = await push();
    expectCode(result, 5);
    expect(result.stderr).toMatch(/5 tries/);
  });

  it('200 of something that is no registry is no mount', async () => {
    onMount = () => ({ status: 200, body: 'Healthcheck requested' });
    const result = await push();
    expectCode(result, 1);
    expect(registry.manifests.has('team/target:out')).toBe(false);
  });
});
