import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  FakeRegistry,
  OCI_INDEX,
  stored,
  type Stored,
} from '../adversarial/support/fake-registry.js';
import { startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';
import { expectCode, runCli } from '../support/cli.js';

let fake: FakeRegistry;
let server: ScriptedServer;
let index: Stored;

beforeAll(async () => {
  server = await startScripted((seen) => fake.answer(seen));
});

afterAll(() => server.stop());

beforeEach(() => {
  fake = new FakeRegistry();
  server.requests.length = 0;
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const { mediaType, digest, bytes } = fake.addImage('s', architecture, {
      oci: true,
      architecture,
    });
    return { mediaType, digest, size: bytes.length, platform: { os: 'linux', architecture } };
  });
  index = stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  fake.addManifest('s', '1', index);
});

const create = (...options: string[]) =>
  runCli(['create', '--target', `${server.host}/s:2`, `${server.host}/s:1`, ...options]);

/** The paths of blobs that were read. */
const blobsRead = (): string[] =>
  server.requests.flatMap(({ method, path }) =>
    method === 'GET' && path.includes('/blobs/') ? [path] : [],
  );

it('reads no config: the platforms of its index are kept as they are', async () => {
  expectCode(await create(), 0);
  expect(fake.manifests.get('s:2')?.digest).toBe(index.digest);
  expect(blobsRead()).toEqual([]);
});

it('a change reads the configs, to compare them with the platforms', async () => {
  expectCode(await create('--annotation', 'a=b'), 0);
  expect(blobsRead()).toHaveLength(2);
});
