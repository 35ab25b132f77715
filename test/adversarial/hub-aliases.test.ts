import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { basic } from '../support/http.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder, pathWith } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

const folder = new Folder();
const registry = new FakeRegistry();
let authority: Authority;
let hub: ScriptedServer;
let auth: ScriptedServer;
let other: ScriptedServer;
let network: Network;

const HUB_REALM = 'https://auth.docker.io/token';
let realm = HUB_REALM;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  const { image } = { image: registry.addImage('library/alpine', 'latest') };
  registry.addManifest('library/alpine', '3', image);
  hub = await startScripted(
    (request) =>
      request.headers.authorization === 'Bearer hub-token-1'
        ? registry.answer(request)
        : {
            status: 401,
            headers: {
              'www-authenticate': `Bearer realm="${realm}",service="registry.docker.io",scope="repository:library/alpine:pull"`,
            },
          },
    authority.server,
  );
  auth = await startScripted(() => json(200, { token: 'hub-token-1' }), authority.server);
  other = await startScripted(() => json(200, { token: 'hub-token-1' }), authority.server);
  network = await startNetwork({
    'registry-1.docker.io:443': hub.port,
    'auth.docker.io:443': auth.port,
    'auth.test:443': other.port,
  });
});

beforeEach(() => {
  hub.requests.length = 0;
  auth.requests.length = 0;
  network.calls.length = 0;
});

afterAll(async () => {
  await network.stop();
  await hub.stop();
  await auth.stop();
  await other.stop();
});

const run = (name: string, env: Record<string, string>): ReturnType<typeof runCli> =>
  runCli(['inspect', '--ca-file', authority.caFile, name], { env: { ...network.env, ...env } });

const NAMES = [
  'alpine',
  'alpine:3',
  'library/alpine',
  'docker.io/alpine',
  'docker.io/library/alpine',
  'index.docker.io/library/alpine',
  'registry-1.docker.io/library/alpine',
];

describe('the token server of Docker Hub', () => {
  it('is connected to beside the first request, and gets nothing before the challenge names it', async () => {
    other.requests.length = 0;
    realm = 'https://auth.test/token';
    try {
      expectCode(await run('alpine', {}), 0);
    } finally {
      realm = HUB_REALM;
    }
    const targets = network.calls.map(({ target }) => target);
    expect(targets.slice(0, 2).toSorted()).toEqual([
      'auth.docker.io:443',
      'registry-1.docker.io:443',
    ]);
    expect(targets.slice(2)).toEqual(['auth.test:443']);
    expect(auth.requests).toEqual([]);
    expect(other.requests).toHaveLength(1);
  });

  it('is reached by one connection', async () => {
    expectCode(await run('alpine', {}), 0);
    const targets = network.calls.map(({ target }) => target);
    expect(targets.filter((target) => target === 'auth.docker.io:443')).toHaveLength(1);
    expect(auth.requests).toHaveLength(1);
  });
});

describe('test 6: the names of Docker Hub', () => {
  it.each(NAMES)('%s: one credential, one API host', async (name) => {
    const config = auths('https://index.docker.io/v1/', 'alice', 'hub-word');
    const result = await run(name, { DOCKER_CONFIG: folder.dockerConfig(config) });
    expectCode(result, 0);
    expect([...new Set(network.calls.map(({ target }) => target))].toSorted()).toEqual([
      'auth.docker.io:443',
      'registry-1.docker.io:443',
    ]);
    expect(auth.requests).toHaveLength(1);
    expect(auth.requests[0]!.headers.authorization).toBe(basic('alice', 'hub-word'));
    expect(auth.requests[0]!.query.getAll('scope')).toEqual(['repository:library/alpine:pull']);
    for (const { headers } of hub.requests) expect(headers.host).toBe('registry-1.docker.io');
  });

  it.each(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'https://index.docker.io/v1/'])(
    'the key %s is found',
    async (key) => {
      const config = folder.dockerConfig(auths(key, 'alice', 'hub-word'));
      expectCode(await run('alpine', { DOCKER_CONFIG: config }), 0);
      expect(auth.requests[0]!.headers.authorization).toBe(basic('alice', 'hub-word'));
    },
  );

  it('a helper is asked by the key that docker login has', async () => {
    const bin = folder.directory();
    const helper = folder.helper(bin, 'hub', `echo '{"Username":"alice","Secret":"hub-word"}'`);
    const config = folder.dockerConfig({ credsStore: 'hub' });
    expectCode(await run('alpine', { DOCKER_CONFIG: config, PATH: pathWith(bin) }), 0);
    expect(helper.asked()).toEqual(['get https://index.docker.io/v1/']);
    expect(auth.requests[0]!.headers.authorization).toBe(basic('alice', 'hub-word'));
  });

  it.each(['hub.docker.io', 'docker.com', 'auth.docker.io', 'https://registry.docker.io/v1/'])(
    'the key %s is not',
    async (key) => {
      const config = folder.dockerConfig(auths(key, 'alice', 'hub-word'));
      await run('alpine', { DOCKER_CONFIG: config });
      expect(auth.requests[0]!.headers.authorization).toBeUndefined();
    },
  );
});
