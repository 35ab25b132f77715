import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type Client } from '../../src/core/client.js';
import { addToIndex } from '../../src/core/edit/add.js';
import { copyImage } from '../../src/core/publish/copy.js';
import { pushIndex } from '../../src/core/publish/push.js';
import { describeImage } from '../../src/core/read/describe.js';
import { queryImage } from '../../src/core/read/query.js';
import { verifyImage } from '../../src/core/read/verify.js';
import { ManifestToolError } from '../../src/errors.js';
import type { CredentialStore } from '../../src/http/auth/credential.js';
import { parseReference, type Reference } from '../../src/oci/reference.js';
import { basic } from '../support/http.js';
import { FakeRegistry } from './support/fake-registry.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

let server: ScriptedServer;
let registry: FakeRegistry;

beforeAll(async () => {
  server = await startScripted(({ path }) => json(500, { path }));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  registry.addPlatforms('x');
  server.script = (request) =>
    request.headers.authorization === basic('alice', 'secret-word')
      ? registry.answer(request)
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
});

afterAll(() => server.stop());

const reference = (name: string): Reference => parseReference(`${server.host}/${name}`);

const JOBS: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
  ['describeImage', (client) => describeImage(client, reference('x:linux-amd64'))],
  ['queryImage', (client) => queryImage(client, reference('x:linux-amd64'))],
  ['verifyImage', (client) => verifyImage(client, reference('x:linux-amd64'))],
  [
    'copyImage',
    (client) => copyImage(client, { source: reference('x:linux-amd64'), target: reference('y:1') }),
  ],
  [
    'pushIndex',
    (client) =>
      pushIndex(client, {
        target: reference('y:1'),
        sources: ['amd64', 'arm64'].map((name) => ({ reference: reference(`x:linux-${name}`) })),
      }),
  ],
  [
    'addToIndex',
    (client) =>
      addToIndex(client, {
        target: reference('x:list'),
        sources: [{ reference: reference('x:linux-arm64') }],
      }),
  ],
];

describe.each(JOBS)('%s', (_, job) => {
  it.each([
    ['an Error', new Error('the vault is sealed')],
    ['an error of the library', new ManifestToolError('DENIED', 'opening the vault', 'no key')],
    [
      'an error with the code of the network',
      Object.assign(new Error('x'), { code: 'ECONNRESET' }),
    ],
  ])('fails with %s that the store throws, unchanged', async (_name, thrown) => {
    const stores: CredentialStore[] = [
      { get: () => Promise.reject(thrown) },
      { get: () => Promise.resolve(undefined), has: () => Promise.reject(thrown) },
      {
        get: () => {
          throw thrown;
        },
      },
    ];
    for (const credentials of stores) {
      await using client = createClient({ credentials, retryDelayMs: 1 });
      const failure = await job(client).catch((error: unknown) => error);
      expect(failure).toBe(thrown);
    }
  });
});

describe('a credential store', () => {
  it('is asked once for each repository, by the names of the reference', async () => {
    const asked: string[] = [];
    const credentials: CredentialStore = {
      async get(host, repository) {
        asked.push(`${host}/${repository}`);
        return { kind: 'password', username: 'alice', password: 'secret-word', source: 'a test' };
      },
    };
    await using client = createClient({ credentials });
    await pushIndex(client, {
      target: reference('y:1'),
      sources: ['amd64', 'arm64'].map((name) => ({ reference: reference(`x:linux-${name}`) })),
    });
    expect(asked.toSorted()).toEqual([`${server.host}/x`, `${server.host}/y`]);
    expect(registry.manifests.has('y:1')).toBe(true);
  });
});
