import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import {
  FakeRegistry,
  makeList,
  OCI_INDEX,
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

let server: ScriptedServer;
let registry: FakeRegistry;
let answerPut: (request: Seen) => Answer | undefined;

beforeAll(async () => {
  server = await startScripted((request) => {
    const special = request.method === 'PUT' ? answerPut(request) : undefined;
    return special ?? registry.answer(request);
  });
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  answerPut = () => undefined;
});

afterAll(() => server.stop());

const puts = (): Seen[] => server.requests.filter(({ method }) => method === 'PUT');

describe('test 17: children are in the target before the list is', () => {
  it('in a registry that takes a list without its children', async () => {
    const images = registry.addPlatforms('source', 5);
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`, { count: 5 });
    expectCode(await runCli(args), 0);
    const paths = puts().map(({ path }) => path);
    expect(paths.slice(0, 5).toSorted()).toEqual(
      images.map(({ digest }) => `/v2/target/manifests/${digest}`).toSorted(),
    );
    expect(paths.slice(5)).toEqual(['/v2/target/manifests/out']);
    for (const { digest, bytes, mediaType } of images) {
      const put = puts().find(({ path }) => path.endsWith(digest))!;
      expect(put.body.equals(bytes)).toBe(true);
      expect(put.headers['content-type']).toBe(mediaType);
      expect(put.headers['content-length']).toBe(String(bytes.length));
    }
  });

  it('no list and no tag, where a child is refused', async () => {
    registry.addPlatforms('source', 3);
    answerPut = ({ path }) =>
      path.includes('sha256:') ? failure(400, 'MANIFEST_INVALID', 'no') : undefined;
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`, { count: 3 });
    expectCode(await runCli(args), 1);
    expect(puts().filter(({ path }) => path.endsWith('/out'))).toEqual([]);
  });

  it.each([
    [
      'MANIFEST_BLOB_UNKNOWN',
      (digest: string) => failure(400, 'MANIFEST_BLOB_UNKNOWN', `blob unknown: ${digest}`),
    ],
    ['404 (Gitea)', () => failure(404, 'MANIFEST_UNKNOWN', 'Not Found')],
  ])('%s for the list: children are written again once', async (_, refusal) => {
    const [first] = registry.addPlatforms('source', 2);
    // The first write of a child was only said to be done.
    const writes = new Map<string, number>();
    answerPut = ({ path }) => {
      const count = (writes.get(path) ?? 0) + 1;
      writes.set(path, count);
      if (path.endsWith(first!.digest) && count === 1) return { status: 201 };
      const isThere = registry.manifests.has(`target@${first!.digest}`);
      return path.endsWith('/out') && !isThere ? refusal(first!.digest) : undefined;
    };
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`);
    expectCode(await runCli(args), 0);
    expect(registry.manifests.has(`target@${first!.digest}`)).toBe(true);
    expect(registry.manifests.has('target:out')).toBe(true);
  });
});

describe('test 18: bytes and types', () => {
  it('children keep their bytes, and entries say what they are', async () => {
    const images = [
      registry.addImage('source', 'linux-amd64', { architecture: 'amd64', indent: 2 }),
      registry.addImage('source', 'linux-arm64', { architecture: 'arm64', indent: 3, oci: true }),
      registry.addImage('source', 'linux-s390x', { architecture: 's390x' }),
    ];
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`, { count: 3 });
    expectCode(await runCli([...args, '--type', 'oci']), 0);
    const put = puts().find(({ path }) => path.endsWith('/out'))!;
    const list = JSON.parse(put.body.toString()) as {
      mediaType: string;
      manifests: Record<string, unknown>[];
    };
    expect(list.mediaType).toBe(OCI_INDEX);
    expect(put.headers['content-type']).toBe(OCI_INDEX);
    expect(list.manifests).toEqual(
      images.map(({ mediaType, digest, bytes }, index) => ({
        mediaType,
        digest,
        size: bytes.length,
        platform: { os: 'linux', architecture: ['amd64', 'arm64', 's390x'][index] },
      })),
    );
    for (const { digest, bytes } of images)
      expect(registry.manifests.get(`target@${digest}`)!.bytes.equals(bytes)).toBe(true);
    expect(result(put)).toBe(registry.manifests.get('target:out')!.digest);

    const before = put.body;
    server.requests.length = 0;
    registry.manifests.delete('target:out');
    expectCode(await runCli([...args, '--type', 'oci']), 0);
    expect(
      puts()
        .find(({ path }) => path.endsWith('/out'))!
        .body.equals(before),
    ).toBe(true);
  });

  it('a list as a source gives its entries, attestations after all images', async () => {
    const image = registry.addImage('source', 'image', { architecture: 'amd64' });
    const attestation = registry.addImage('source', 'attestation', {
      os: 'unknown',
      architecture: 'unknown',
      oci: true,
    });
    const index = stored(OCI_INDEX, {
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        {
          mediaType: attestation.mediaType,
          digest: attestation.digest,
          size: attestation.bytes.length,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: {
            'vnd.docker.reference.type': 'attestation-manifest',
            'vnd.docker.reference.digest': image.digest,
          },
        },
        {
          mediaType: image.mediaType,
          digest: image.digest,
          size: image.bytes.length,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    });
    registry.addManifest('source', 'linux-amd64', index);
    registry.addImage('source', 'linux-arm64', { architecture: 'arm64', oci: true });
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`);
    expectCode(await runCli([...args, '--type', 'oci']), 0);
    const { bytes } = registry.manifests.get('target:out')!;
    const { manifests } = JSON.parse(bytes.toString()) as { manifests: { digest: string }[] };
    expect(manifests).toHaveLength(3);
    expect(manifests[2]!.digest).toBe(attestation.digest);
    expect(registry.manifests.has(`target@${attestation.digest}`)).toBe(true);
  });

  it('a registry that rewrites what it is given is told of', async () => {
    registry.addPlatforms('source');
    answerPut = ({ path }) =>
      path.endsWith('/out')
        ? { status: 201, headers: { 'docker-content-digest': sha256('rewritten') } }
        : undefined;
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`);
    const ended = await runCli(args);
    expectCode(ended, 1);
    expect(ended.stderr).toContain(sha256('rewritten'));
    expect(ended.stdout).toBe('');
  });

  it('indexes inside an index are unfolded, up to four levels deep', async () => {
    const image = registry.addImage('source', 'image');
    const platform = { os: 'linux', architecture: 'amd64' };
    let list = makeList([{ ...image, platform }]);
    const codes: number[] = [];
    for (let depth = 1; depth <= 6; depth += 1) {
      registry.addManifest('source', 'linux-amd64', list);
      const args = pushArguments(`${server.host}/source`, `${server.host}/target`, { count: 1 });
      codes.push((await runCli(args)).code);
      list = makeList([list]);
    }
    expect(codes).toEqual([0, 0, 0, 0, 0, 1]);
  });
});

function result({ body }: Seen): string {
  return sha256(body);
}
