import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  FakeRegistry,
  makeImage,
  makeList,
  OCI_INDEX,
  OCI_MANIFEST,
  pushArguments,
  stored,
} from './support/fake-registry.js';
import {
  failure,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const MIB = 1024 * 1024;
let server: ScriptedServer;
let registry: FakeRegistry;
let special: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => special(request) ?? registry.answer(request));
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  special = () => undefined;
});

afterAll(() => server.stop());

const inspect = (suffix = 'x:bad', ...options: string[]): Promise<CliResult> =>
  runCli(['inspect', '--retry-delay', '5ms', ...options, `${server.host}/${suffix}`]);

/** Refused with one line, and nothing on standard output. */
function expectRefused(result: CliResult): void {
  expectCode(result, 1);
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(/^manifest-tool: \S[^\n]* failed: \S/m);
  expect(result.stderr).not.toContain('this program failed');
  expect(result.stderr.length).toBeLessThan(4096);
}

/** An answer that never ends; `sent` counts its bytes. */
function endless(
  headers: Record<string, string>,
  start = '',
  status = 200,
): { answer: Answer; sent: () => number } {
  let sent = 0;
  const answer = (response: ServerResponse): void => {
    response.writeHead(status, headers);
    response.write(start);
    const chunk = Buffer.alloc(64 * 1024, ' ');
    const write = (): void => {
      if (response.destroyed) return;
      sent += chunk.length;
      if (response.write(chunk)) setImmediate(write);
      else response.once('drain', write);
    };
    write();
  };
  return { answer, sent: () => sent };
}

describe('test 24: bodies without an end', () => {
  it.each([
    ['a manifest', '/manifests/', { 'content-type': DOCKER_MANIFEST }],
    [
      'a manifest that says that it is small',
      '/manifests/',
      { 'content-type': DOCKER_MANIFEST, 'content-length': '100' },
    ],
    ['a configuration', '/blobs/', { 'content-type': 'application/octet-stream' }],
  ])('%s', async (_, part, headers) => {
    registry.addImage('x', 'bad');
    const { answer, sent } = endless(headers);
    special = ({ path }) => (path.includes(part) ? answer : undefined);
    const before = process.memoryUsage().rss;
    const result = await inspect('x:bad', '--retry', '0');
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe('');
    expect(sent()).toBeLessThan(32 * MIB);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * MIB);
  });

  it('exactly 4 MiB and one byte is too much, 4 MiB is not', async () => {
    const image = makeImage();
    const pad = (size: number): Buffer =>
      Buffer.concat([image.bytes, Buffer.alloc(size - image.bytes.length, ' ')]);
    registry.addImage('x', 'any');
    for (const [size, code] of [
      [4 * MIB, 0],
      [4 * MIB + 1, 1],
    ] as const) {
      const bytes = pad(size);
      registry.addManifest('x', 'bad', { ...image, bytes, digest: sha256(bytes) });
      expectCode(await inspect(), code);
    }
  });

  it('an error of 10 MB is not shown, and ends', async () => {
    special = () => failure(404, 'MANIFEST_UNKNOWN', 'x'.repeat(10_000_000));
    const result = await inspect();
    expect(result.code).not.toBe(0);
    expect(result.stderr.length).toBeLessThan(4096);
  });

  it.each([
    [200, 0],
    [404, 3],
    [500, 5],
  ])('an endless answer to a write (%i) is judged by its status', async (status, code) => {
    registry.addPlatforms('x');
    const { answer, sent } = endless({}, '', status);
    special = ({ method }) => (method === 'PUT' ? answer : undefined);
    expectCode(await runCli(pushArguments(`${server.host}/x`, `${server.host}/x`)), code);
    expect(sent()).toBeLessThan(32 * MIB);
  });

  it('headers of 1 MB are an error', async () => {
    special = () => (response) => {
      response.socket?.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_000_000)}\r\n\r\n`);
    };
    const result = await inspect('x:bad', '--retry', '0');
    expect(result.code).not.toBe(0);
    expect(result.stderr).not.toContain('this program failed');
  });
});

describe('documents that are not what they say', () => {
  const image = makeImage();
  const good = JSON.parse(image.bytes.toString()) as Record<string, unknown>;
  const entry = {
    mediaType: DOCKER_MANIFEST,
    digest: image.digest,
    size: image.bytes.length,
    platform: { os: 'linux', architecture: 'amd64' },
  };
  const list = (...manifests: unknown[]): object => ({
    schemaVersion: 2,
    mediaType: DOCKER_LIST,
    manifests,
  });

  it.each([DOCKER_LIST, OCI_INDEX, DOCKER_MANIFEST, OCI_MANIFEST, 'application/octet-stream'])(
    'manifests and layers in one, served as %s (CVE-2021-41190)',
    async (type) => {
      for (const extra of [{}, { mediaType: type }, { mediaType: undefined }]) {
        registry.addManifest('x', 'bad', stored(type, { ...good, manifests: [entry], ...extra }));
        registry.addManifest('x', 'any', image);
        expectRefused(await inspect());
      }
    },
  );

  it.each([
    ['an image served as a list', DOCKER_LIST, good],
    ['a list served as an image', DOCKER_MANIFEST, list(entry)],
    [
      'a list whose type is that of an image',
      DOCKER_MANIFEST,
      { ...list(entry), mediaType: DOCKER_MANIFEST },
    ],
    [
      'schema 1',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      { schemaVersion: 1, fsLayers: [] },
    ],
    ['a digest of a path', DOCKER_LIST, list({ ...entry, digest: 'sha256:../../x' })],
    ['a digest that is too short', DOCKER_LIST, list({ ...entry, digest: 'sha256:abcd' })],
    [
      'a digest of another algorithm',
      DOCKER_LIST,
      list({ ...entry, digest: `md5:${'a'.repeat(32)}` }),
    ],
    ['a digest in capitals', DOCKER_LIST, list({ ...entry, digest: image.digest.toUpperCase() })],
    ['a digest with a query', DOCKER_LIST, list({ ...entry, digest: `${image.digest}?x=1` })],
    ['a size of -1', DOCKER_LIST, list({ ...entry, size: -1 })],
    ['a size as a text', DOCKER_LIST, list({ ...entry, size: '5' })],
    ['a size of 1.5', DOCKER_LIST, list({ ...entry, size: 1.5 })],
    ['no size', DOCKER_LIST, list({ ...entry, size: undefined })],
    ['no digest', DOCKER_LIST, list({ ...entry, digest: undefined })],
    ['an entry of null', DOCKER_LIST, list(null)],
    ['manifests that are no list', DOCKER_LIST, { ...list(), manifests: {} }],
    ['a platform that is a text', DOCKER_LIST, list({ ...entry, platform: 'linux' })],
    ['a platform with a number', DOCKER_LIST, list({ ...entry, platform: { os: 5 } })],
    ['layers that are no list', DOCKER_MANIFEST, { ...good, layers: 'x' }],
    ['no configuration', DOCKER_MANIFEST, { ...good, config: undefined }],
    ['a list of 10,001', DOCKER_LIST, list(...Array.from({ length: 10_001 }, () => entry))],
    ['a text', DOCKER_MANIFEST, 'text'],
    ['null', DOCKER_MANIFEST, null],
    ['an empty object', 'application/octet-stream', {}],
  ])('%s', async (_, type, document) => {
    registry.addManifest('x', 'any', image);
    registry.addManifest('x', 'bad', stored(type, document));
    expectRefused(await inspect());
    // Nothing was asked for that the document named.
    expect(server.requests).toHaveLength(1);
  });

  it.each(['9007199254740993', '4611686018427387904', '1e400', '-0', '1e3'])(
    'a size of %s',
    async (size) => {
      const bytes = Buffer.from(
        JSON.stringify(list(entry)).replace(`"size":${image.bytes.length}`, `"size":${size}`),
      );
      registry.addManifest('x', 'bad', { mediaType: DOCKER_LIST, bytes, digest: sha256(bytes) });
      expectRefused(await inspect());
    },
  );

  it.each([
    ['100,000 brackets', '['.repeat(100_000)],
    ['a deep object', `{"schemaVersion":2,"x":${'{"a":'.repeat(50_000)}`],
    ['no JSON', 'rubbish'],
    ['nothing', ''],
    ['two documents', '{}{}'],
    ['broken UTF-8', '{"schemaVersion": 2, "mediaType": "\xff\xfe'],
  ])('%s', async (_, text) => {
    const bytes = Buffer.from(text, 'latin1');
    registry.addManifest('x', 'bad', { mediaType: DOCKER_MANIFEST, bytes, digest: sha256(bytes) });
    expectRefused(await inspect());
  });

  it('indexes in indexes, 100 deep: read four deep, and never published', async () => {
    let nested = makeList([{ ...image, platform: { os: 'linux', architecture: 'amd64' } }]);
    registry.addManifest('x', 'any', image);
    for (let depth = 0; depth < 100; depth += 1) {
      registry.addManifest('x', 'any', nested);
      nested = makeList([nested]);
    }
    registry.addManifest('x', 'linux-amd64', nested);
    const args = pushArguments(`${server.host}/x`, `${server.host}/x`, { count: 1 });
    expectCode(await runCli(args), 1);
    const reads = server.requests.filter(({ method }) => method === 'GET');
    expect(reads.length).toBeLessThan(6);
    server.requests.length = 0;
    await inspect('x:linux-amd64');
    expect(server.requests.length).toBeLessThan(6);
  });

  it('urls of foreign layers are never asked (7.3)', async () => {
    const other = await startScripted(() => ({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="r"' },
    }));
    try {
      const foreign = {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        size: 5,
        digest: sha256('hello'),
        urls: [`${other.url}/layer`],
      };
      const made = registry.addImage('x', 'any');
      const manifest = stored(DOCKER_MANIFEST, {
        ...(JSON.parse(made.bytes.toString()) as object),
        layers: [foreign],
      });
      registry.addManifest('x', 'linux-amd64', manifest);
      const args = pushArguments(`${server.host}/x`, `${server.host}/y`, { count: 1 });
      expectCode(await runCli(args), 0);
      expect(other.requests).toEqual([]);
      const mounts = server.requests.filter(({ method }) => method === 'POST');
      expect(mounts.map(({ query }) => query.get('mount'))).not.toContain(foreign.digest);
    } finally {
      await other.stop();
    }
  });

  it('an annotation of 1 MB is read, and not printed whole', async () => {
    const made = registry.addImage('x', 'any');
    const big = {
      ...entry,
      digest: made.digest,
      size: made.bytes.length,
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': 'y'.repeat(MIB),
      },
      platform: { os: 'x'.repeat(MIB), architecture: 'amd64' },
    };
    registry.addManifest('x', 'bad', stored(DOCKER_LIST, list(big, { ...big, annotations: {} })));
    const result = await inspect();
    expectCode(result, 0);
    expect(result.stdout.length).toBeLessThan(16 * 1024);
  });
});
