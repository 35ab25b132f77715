import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addToIndex,
  annotateIndex,
  copyImage,
  describeImage,
  createClient,
  parsePlatform,
  parseReference,
  pushIndex,
  queryImage,
  removeFromIndex,
  verifyImage,
  type Digest,
  type IndexRequest,
  type ManifestToolError,
  type Reference,
  type ClientOptions,
} from '../../src/index.js';
import { startRegistry } from '../support/registry.js';

/** What only a program can do wrong or hand in; what both can do is tested by whole command lines. */

let folder: string;
let server: Server;
let host: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mt-library-'));
  await cp('fixtures/layout', path.join(folder, 'source'), { recursive: true });
  // A registry that never answers.
  server = createServer(() => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const layout = (name: string): Reference => parseReference(`oci-layout://${folder}/${name}`);
const amd64 = (): Reference => layout('source:linux-amd64');

async function list(name: string): Promise<Reference> {
  await using stores = createClient();
  const target = layout(name);
  const sources = [amd64(), layout('source:linux-s390x')].map((reference) => ({ reference }));
  await pushIndex(stores, { target, sources, type: 'oci' });
  return target;
}

describe('what no command line would pass on', () => {
  const registry = { kind: 'registry', host: 'e.co', repository: 'app' } as const;

  test.each<[string, Reference]>([
    ['a repository that is a path', { ...registry, repository: '../../v2/x' }],
    ['a repository with a tag', { ...registry, repository: 'app:1' }],
    ['a host with a user', { ...registry, host: 'a@e.co' }],
    ['a host with a path', { ...registry, host: 'e.co/x' }],
    ['a tag that is none', { ...registry, tag: 'a/../b' }],
    ['a digest that is none', { ...registry, digest: 'sha256:1' as Digest }],
    ['a layout without path', { kind: 'layout', path: '' }],
    ['a tag of a layout that is none', { kind: 'layout', path: 'x', tag: ' ' }],
  ])('is %s: refused before anything is opened', async (_, reference) => {
    await using stores = createClient();
    await expect(stores.open(reference, 'pull')).rejects.toMatchObject({ code: 'USAGE' });
  });

  test.each<[string, Partial<IndexRequest>, RegExp]>([
    ['tags that are none', { tags: ['1', 'a b'] }, /"a b" is not a valid tag/],
    [
      'such tags of another target',
      { alsoTo: [{ target: layout('b'), tags: ['/'] }] },
      /not a valid tag/,
    ],
    ['no sources', { sources: [] }, /no images/],
    [
      'one entry of a list, and not which',
      { sources: [{ reference: parseReference('e.co/app'), onlyPlatform: true }] },
      /no platform to select from e\.co\/app/,
    ],
  ])('is a request with %s', async (_, change, message) => {
    await using stores = createClient();
    const request = { target: layout('a:1'), sources: [{ reference: amd64() }], ...change };
    const push = (async () => pushIndex(stores, request))();
    await expect(push).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(folder)).not.toContain('a');
  });

  test('is an edit of nothing, or of what a digest names', async () => {
    const target = await list('edits:1');
    await using stores = createClient();
    const usage = { code: 'USAGE' };
    await expect(removeFromIndex(stores, { target, entries: {} })).rejects.toMatchObject(usage);
    const os = { platform: { os: 'windows' } };
    await expect(annotateIndex(stores, { target, changes: os })).rejects.toMatchObject(usage);
    const { descriptor } = await describeImage(stores, target);
    const fixed = { ...target, digest: descriptor.digest };
    const sources = [{ reference: amd64() }];
    await expect(addToIndex(stores, { target: fixed, sources })).rejects.toMatchObject(usage);
  });
});

describe('a signal', () => {
  test('ends work on layouts, and nothing is left of it', async () => {
    const source = await list('long:1');
    const controller = new AbortController();
    await using stores = createClient({ signal: controller.signal });
    const target = layout('stopped:1');
    const copy = copyImage(stores, { source, target }, { blob: () => controller.abort() });
    await expect(copy).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: expect.stringContaining('nothing was published') as string,
    });
    await expect(queryImage(stores, source)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await using others = createClient();
    await expect(queryImage(others, target)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('that comes while blobs are read is no defect of them', async () => {
    const reference = await list('proved:1');
    const controller = new AbortController();
    await using stores = createClient({ signal: controller.signal });
    const proof = verifyImage(
      stores,
      reference,
      { deep: true },
      { progress: () => controller.abort() },
    );
    await expect(proof).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test.each<[string, (controller: AbortController) => AbortSignal]>([
    ['a time-out', () => AbortSignal.timeout(50)],
    ['a reason of its own', (controller) => (controller.abort('enough'), controller.signal)],
    ['no reason', (controller) => (controller.abort(), controller.signal)],
  ])('with %s is INTERRUPTED, and its reason is the cause', async (_, make) => {
    const signal = make(new AbortController());
    await using stores = createClient({ signal, plainHttp: true });
    const error = await queryImage(stores, parseReference(`${host}/app`)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'INTERRUPTED' });
    const causes: unknown[] = [];
    for (let each: unknown = error; each !== undefined; each = (each as Error).cause)
      causes.push(each);
    expect(causes).toContain(signal.reason);
    expect((causes[0] as Error).message).toContain('it was interrupted');
  });
});

describe('createClient', () => {
  test.each<[string, ClientOptions['plainHttp'], string]>([
    ['for all', true, 'http:'],
    ['for none', false, 'https:'],
    ['for those in a list', ['other.example', 'HOST'], 'http:'],
    ['for none but those in a list', ['other.example'], 'https:'],
    ['for those that a function says', (name) => name === host, 'http:'],
  ])('speaks plain HTTP %s', async (_, rule, protocol) => {
    const plainHttp = Array.isArray(rule) ? rule.map((each) => each.replace('HOST', host)) : rule!;
    const tried: string[] = [];
    await using stores = createClient({
      plainHttp,
      // Says that TLS is meant for a host of this machine.
      insecure: true,
      signal: AbortSignal.timeout(300),
      onRequest: ({ url }) => tried.push(new URL(url).protocol),
    });
    const query = queryImage(stores, parseReference(`${host}/app`));
    await expect(query).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(tried[0]).toBe(protocol);
  });

  test('checks certificates but for the hosts that are named', async () => {
    const registry = await startRegistry({ tls: true });
    try {
      const ask = async (options: ClientOptions): Promise<unknown> => {
        await using stores = createClient({ ...options, retries: 0 });
        return await queryImage(stores, parseReference(`${registry.host}/app`)).catch(
          (error: unknown) => (error as ManifestToolError).code,
        );
      };
      expect(await ask({ insecure: [registry.host] })).toBe('NOT_FOUND');
      expect(await ask({ insecure: ['other.example'] })).toBe('UNAVAILABLE');
      // A file of the environment is read where the program hands the environment in.
      const env = { SSL_CERT_FILE: registry.caFile };
      expect(await ask({ env })).toBe('NOT_FOUND');
    } finally {
      await registry.stop();
    }
  });

  test('gives the entry for one platform', async () => {
    const reference = await list('described:1');
    await using stores = createClient();
    const s390x = parsePlatform('linux/s390x');
    const described = await describeImage(stores, reference, { platform: s390x });
    expect(described.descriptor.platform).toEqual(s390x);
  });
});
