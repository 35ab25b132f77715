import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.js';
import { RawRepository } from '../../../src/registry/raw.js';
import { Registries, type RegistryOptions } from '../../../src/registry/registries.js';

const BYTES = Buffer.from('content of a blob');
const BLOB = {
  mediaType: 'application/octet-stream',
  digest: digestOf(BYTES),
  size: BYTES.length,
};
const OTHER = digestOf(Buffer.from('other'));
const HTML = { 'content-type': 'text/html' };
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Buffer;
  readonly host: string;
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A repository of a registry that answers as scripted, and the requests to it. */
async function setUp(script: (seen: Seen) => Reply, more: Partial<RegistryOptions> = {}) {
  const sent: string[] = [];
  const server: Server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const body = await bodyOf(request);
      const { method = '', url: path = '', headers } = request;
      const { authorization, host = '' } = headers;
      sent.push(`${method} ${path.split('?')[0]}`);
      const reply = script({ method, path, authorization, body, host });
      response.writeHead(reply.status, reply.headers).end(reply.body);
    };
    void answer();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const registries = new Registries({
    env: {},
    insecure: () => false,
    plainHttp: () => true,
    credentials: { get: () => Promise.resolve(undefined) },
    signal: new AbortController().signal,
    retries: 0,
    ...more,
  });
  closing.push(
    () => registries.close(),
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reference = { kind: 'registry', host, repository: 'a' } as const;
  const repository = registries.open(reference, 'push', {
    signal: new AbortController().signal,
    scopes: new Map(),
  });
  const raw = new RawRepository(registries.connect(reference));
  return { registries, reference, repository, raw, sent };
}

const PASSWORD = {
  get: () =>
    Promise.resolve({ kind: 'password', username: 'al', password: 'pw', source: 'cfg' } as const),
};

test('a repository that is opened twice has one connection', async () => {
  const { registries, reference } = await setUp(() => ({ status: 200 }));
  expect(registries.connect(reference)).toBe(registries.connect({ ...reference }));
});

describe('a blob', () => {
  test('of the repository itself is present without a request', async () => {
    const { repository, sent } = await setUp(() => ({ status: 500 }));
    expect(await repository.ensureBlob(BLOB, repository)).toBe('present');
    expect(sent).toEqual([]);
  });

  test('whose HEAD fails has no size', async () => {
    const { repository, sent } = await setUp(() => ({ status: 500 }));
    await expect(repository.blobSize(BLOB)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(sent).toEqual([`HEAD /v2/a/blobs/${BLOB.digest}`]);
  });

  const source = {
    name: 'oci-layout://x',
    opened: 0,
    openBlob() {
      this.opened += 1;
      return Promise.resolve(
        (async function* content() {
          yield BYTES;
        })(),
      );
    },
  };

  test('is not uploaded while the registry is unavailable', async () => {
    const { repository, sent } = await setUp(({ method }) => ({
      status: method === 'HEAD' ? 405 : 503,
    }));
    await expect(repository.ensureBlob(BLOB, source as never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(sent).toEqual([`HEAD /v2/a/blobs/${BLOB.digest}`, `GET /v2/a/blobs/${BLOB.digest}`]);
  });

  test('is read again for a PUT that demands authentication', async () => {
    const stored: string[] = [];
    const { repository } = await setUp(
      ({ method, authorization, body }) => {
        if (method === 'HEAD') return { status: 404 };
        if (method === 'GET') return { status: 200 };
        if (method === 'POST') return { status: 202, headers: { location: '/upload' } };
        if (authorization === undefined)
          return { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
        stored.push(body.toString());
        return { status: 201 };
      },
      { credentials: PASSWORD },
    );
    source.opened = 0;
    expect(await repository.ensureBlob(BLOB, source as never)).toBe('copied');
    expect(stored).toEqual([BYTES.toString()]);
    expect(source.opened).toBe(2);
  });
});

describe('the digest of a tag', () => {
  const bytes = Buffer.from('{}');
  const answering = (stated: string) => () => ({
    status: 200,
    headers: { 'docker-content-digest': stated },
    body: bytes,
  });

  test('is one that HEAD repeats', async () => {
    const { repository, sent } = await setUp(answering(`${OTHER}, ${OTHER}`));
    expect(await repository.tagDigest('t')).toBe(OTHER);
    expect(sent).toEqual(['HEAD /v2/a/manifests/t']);
  });

  test('is read if HEAD states two', async () => {
    const { repository, sent } = await setUp(({ method }) =>
      answering(method === 'HEAD' ? `${digestOf(bytes)}, ${OTHER}` : digestOf(bytes))(),
    );
    expect(await repository.tagDigest('t')).toBe(digestOf(bytes));
    expect(sent).toEqual(['HEAD /v2/a/manifests/t', 'GET /v2/a/manifests/t']);
  });
});

test('a referrer is not recorded if the registry cannot list the referrers', async () => {
  const { repository, sent } = await setUp(({ method }) => ({
    status: method === 'PUT' ? 201 : 503,
  }));
  const body = Buffer.from('{}');
  const manifest = { mediaType: INDEX_TYPE, digest: digestOf(body), size: 2, bytes: body };
  const document = { kind: 'index', manifests: [], mediaType: INDEX_TYPE };
  await expect(
    repository.putReferrer({ ...manifest, document } as never, OTHER),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(sent).toEqual([`PUT /v2/a/manifests/${manifest.digest}`, `GET /v2/a/referrers/${OTHER}`]);
});

describe('a raw repository', () => {
  test('rejects a web page in place of the version, whatever its status', async () => {
    const { raw } = await setUp(() => ({ status: 404, headers: HTML, body: '<html>' }));
    await expect(raw.version()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each([
    [200, true],
    [404, false],
  ])('has a manifest if HEAD is refused and GET answers %i: %s', async (status, isThere) => {
    const { raw, sent } = await setUp(({ method }) => ({
      status: method === 'HEAD' ? 405 : status,
    }));
    expect(await raw.hasManifest(OTHER)).toBe(isThere);
    expect(sent).toEqual([`HEAD /v2/a/manifests/${OTHER}`, `GET /v2/a/manifests/${OTHER}`]);
  });

  test('returns the denial of a token to delete', async () => {
    const { raw } = await setUp(
      ({ path, host }) =>
        path.startsWith('/token')
          ? { status: 401 }
          : {
              status: 401,
              headers: { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` },
            },
      { credentials: PASSWORD },
    );
    const answer = await raw.remove('manifests', 't');
    expect(answer).toMatchObject({ status: 401, isDone: false });
    expect(answer.words).not.toBe('');
    expect(answer.header('location')).toEqual([]);
  });

  test('still fails to delete if the registry is unavailable', async () => {
    const { raw } = await setUp(() => ({ status: 503 }));
    await expect(raw.remove('blobs', OTHER)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test.each(['{}', 'no JSON'])(
    'returns an answer that is not an index of referrers: %s',
    async (body) => {
      const { raw } = await setUp(() => ({ status: 200, body }));
      expect(await raw.referrers(OTHER)).toMatchObject({ status: 200, isDone: true });
    },
  );

  test('returns a manifest in place of the referrers as an answer', async () => {
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: OTHER,
      size: 5,
    };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const body = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
    const { raw } = await setUp(() => ({
      status: 200,
      headers: { 'content-type': mediaType },
      body,
    }));
    expect(await raw.referrers(OTHER)).toMatchObject({ status: 200, isDone: true });
  });
});
