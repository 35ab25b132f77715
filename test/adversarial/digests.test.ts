import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { FakeRegistry, type MadeImage } from './support/fake-registry.js';
import { startScripted, type Reply, type ScriptedServer } from './support/scripted.js';

let server: ScriptedServer;
let registry: FakeRegistry;
let image: MadeImage;
/** Changes the answer to a read of the manifest. */
let change: (answer: Reply) => Reply;

beforeAll(async () => {
  server = await startScripted((request) => {
    const answer = registry.answer(request);
    return request.path.includes('/manifests/') ? change(answer) : answer;
  });
});

beforeEach(() => {
  server.requests.length = 0;
  registry = new FakeRegistry();
  image = registry.addImage('x', 'latest');
});

afterAll(() => server.stop());

const inspect = (suffix: string): Promise<CliResult> =>
  runCli(['inspect', '--retry-delay', '5ms', `${server.host}/x${suffix}`]);

const byTag = (): Promise<CliResult> => inspect(':latest');
const byDigest = (): Promise<CliResult> => inspect(`@${image.digest}`);

const WRONG = sha256('something else');

describe('test 16: the digest is that of the bytes', () => {
  it.each([
    [
      'no Docker-Content-Digest',
      (answer: Reply) => ({ ...answer, headers: { 'content-type': image.mediaType } }),
    ],
    ['no header at all', (answer: Reply) => ({ ...answer, headers: {} })],
    [
      'text/plain',
      (answer: Reply) => ({ ...answer, headers: { 'content-type': 'text/plain; charset=utf-8' } }),
    ],
    [
      'application/octet-stream',
      (answer: Reply) => ({ ...answer, headers: { 'content-type': 'application/octet-stream' } }),
    ],
    [
      'a parameter of the type',
      (answer: Reply) => ({
        ...answer,
        headers: { 'content-type': `${image.mediaType}; charset=utf-8` },
      }),
    ],
    [
      'a Content-Encoding that is not so',
      (answer: Reply) => ({
        ...answer,
        headers: { ...answer.headers, 'content-encoding': 'gzip' },
      }),
    ],
    [
      'an empty Docker-Content-Digest',
      (answer: Reply) => ({
        ...answer,
        headers: { ...answer.headers, 'docker-content-digest': '' },
      }),
    ],
    [
      'a Docker-Content-Digest of an algorithm that is not known here',
      (answer: Reply) => ({
        ...answer,
        headers: { ...answer.headers, 'docker-content-digest': 'blake3:0a1b' },
      }),
    ],
  ])('%s: read by tag and by digest', async (_, changed) => {
    change = changed;
    for (const result of [await byTag(), await byDigest()]) {
      expectCode(result, 0);
      expect(result.stdout).toContain(image.digest);
    }
    expect(server.requests.filter(({ method }) => method === 'HEAD')).toEqual([]);
  });

  it.each<[string, string | string[]]>([
    ['no digest', 'rubbish'],
    ['a short one', 'sha256:abcd'],
    ['one in upper case', `sha256:${'AB'.repeat(32)}`],
    ['another one', `sha256:${'ab'.repeat(32)}`],
    ['two', [`sha256:${'ab'.repeat(32)}`, 'ITS DIGEST']],
    ['two in one line', `ITS DIGEST, sha256:${'ab'.repeat(32)}`],
  ])('a Docker-Content-Digest that is %s is an error', async (_, stated) => {
    const named = [stated].flat().map((each) => each.replace('ITS DIGEST', image.digest));
    change = (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'docker-content-digest': named },
    });
    for (const result of [await byTag(), await byDigest()]) expectCode(result, 1);
  });

  it.each([201, 202, 203, 204, 205, 206, 207, 226, 299])(
    'an answer of %i is no manifest',
    async (status) => {
      change = (answer) => (status === 204 ? { status } : { ...answer, status });
      for (const result of [await byTag(), await byDigest()]) {
        expectCode(result, 1);
        expect(result.stderr).toContain(`status ${status}`);
      }
    },
  );

  it('a Docker-Content-Digest of sha512 is checked as well', async () => {
    const sha512 = `sha512:${'ab'.repeat(64)}`;
    change = (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'docker-content-digest': sha512 },
    });
    expectCode(await byTag(), 1);
  });

  it('a wrong Docker-Content-Digest is an error', async () => {
    change = (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'docker-content-digest': WRONG },
    });
    for (const result of [await byTag(), await byDigest()]) {
      expectCode(result, 1);
      expect(result.stdout).toBe('');
      expect(result.stderr).toContain(WRONG);
    }
  });

  it('bytes that are not those of the pinned digest are an error, with the digest', async () => {
    const other = Buffer.from(image.bytes.toString().replace('"size":', '"size": '));
    change = (answer) => ({
      ...answer,
      body: other,
      headers: { ...answer.headers, 'docker-content-digest': sha256(other) },
    });
    const result = await byDigest();
    expectCode(result, 1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(image.digest);
  });

  it('the digest is that of the manifest in a body that was compressed without being asked', async () => {
    change = (answer) => ({
      ...answer,
      body: gzipSync(image.bytes),
      headers: { ...answer.headers, 'content-encoding': 'gzip' },
    });
    for (const result of [await byTag(), await byDigest()]) {
      expectCode(result, 0);
      expect(result.stdout).toContain(image.digest);
    }
    for (const { headers } of server.requests) expect(headers['accept-encoding']).toBe('identity');
  });

  it('a body of another length than the list says is refused', async () => {
    const { bytes } = image;
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
      manifests: [
        {
          mediaType: image.mediaType,
          digest: image.digest,
          size: bytes.length + 1,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    };
    const list = Buffer.from(JSON.stringify(index));
    change = (answer) => answer;
    registry.addManifest('x', 'list', {
      mediaType: index.mediaType,
      bytes: list,
      digest: sha256(list),
    });
    const result = await inspect(':list');
    expectCode(result, 1);
    expect(result.stderr).toContain(`${bytes.length} bytes`);
  });
});
