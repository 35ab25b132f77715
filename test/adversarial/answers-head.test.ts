import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { makeImage, makeList, type MadeImage } from './support/fake-registry.js';
import { OddRegistry } from './support/odd-registry.js';
import { failure, type Answer, type Reply } from './support/scripted.js';

/** Registries whose HEAD is not to be believed, as Nexus, Artifactory and some proxies have it. */
let odds: OddRegistry;
let host: string;
let image: MadeImage;

beforeAll(async () => {
  odds = await OddRegistry.start();
  ({ host } = odds.server);
});

beforeEach(() => {
  odds.reset();
  image = makeImage({ os: 'linux', architecture: 'amd64' });
  odds.server.requests.length = 0;
});

afterAll(() => odds.server.stop());

const run = (...args: string[]): Promise<CliResult> => runCli([...args, '--retry', '0']);

/** Answers HEAD of what `part` is in the path of. */
const onHead = (part: string, answer: Answer): void => {
  odds.odd = ({ method, path }) => (method === 'HEAD' && path.includes(part) ? answer : undefined);
};

const naming = (digest: string): Reply => ({
  status: 200,
  headers: { 'docker-content-digest': digest, 'content-type': image.mediaType },
});

describe('a condition on a tag', () => {
  const copy = (...options: string[]): Promise<CliResult> =>
    run('copy', `${host}/app:linux-amd64`, `${host}/copy:1`, ...options);
  const other = makeImage({ text: 'another one' });

  it('--no-clobber: the tag exists, and HEAD says 404', async () => {
    odds.registry.addManifest('copy', '1', other);
    onHead('/copy/manifests/1', { status: 404 });
    expectCode(await copy('--no-clobber'), 6);
    expect(odds.registry.manifests.get('copy:1')!.digest).toBe(other.digest);
  });

  it('--no-clobber: the tag does not exist, and HEAD says 200', async () => {
    onHead('/copy/manifests/1', naming(other.digest));
    expectCode(await copy('--no-clobber'), 0);
    expect(odds.registry.manifests.get('copy:1')!.digest).toBe(image.digest);
  });

  it('--expect: HEAD names the digest that is expected, and GET another one', async () => {
    odds.registry.addManifest('copy', '1', other);
    onHead('/copy/manifests/1', naming(sha256('x')));
    expectCode(await copy('--expect', sha256('x')), 6);
    expect(odds.registry.manifests.get('copy:1')!.digest).toBe(other.digest);
    expectCode(await copy('--expect', other.digest), 0);
  });

  it('a tag is not unchanged because HEAD says so', async () => {
    odds.registry.addManifest('copy', '1', other);
    onHead('/copy/manifests/1', naming(image.digest));
    const result = await copy();
    expectCode(result, 0);
    expect(result.stderr).not.toContain('unchanged');
    expect(odds.registry.manifests.get('copy:1')!.digest).toBe(image.digest);
  });

  it('an edit is made although HEAD says 404', async () => {
    const platform = { os: 'linux', architecture: 'amd64' };
    odds.registry.addManifest('app', 'list', makeList([{ ...image, platform }]));
    onHead('/app/manifests/', { status: 404 });
    expectCode(await run('add', `${host}/app:list`, `${host}/app:linux-arm64`), 0);
  });
});

describe('a HEAD that is refused', () => {
  it.each([400, 403, 405, 410, 501, 204, 206])('%i: GET decides about a tag', async (status) => {
    onHead('/manifests/', { status });
    const copy = (): Promise<CliResult> => run('copy', `${host}/app:linux-amd64`, `${host}/copy:1`);
    expectCode(await copy(), 0);
    expect((await copy()).stderr).toContain('unchanged');
  });

  it.each([400, 403, 405, 410, 501, 204, 206])('%i: GET decides about blobs', async (status) => {
    onHead('/blobs/', { status });
    expectCode(await run('verify', `${host}/app:linux-amd64`), 0);
    // From another registry, blobs are not mounted but looked for.
    const away = `http://localhost:${odds.server.port}`.slice('http://'.length);
    odds.registry.blobs.set(`copy@${sha256(image.layer)}`, image.layer);
    odds.server.requests.length = 0;
    expectCode(await run('copy', `${away}/app:linux-amd64`, `${host}/copy:1`), 0);
    const uploads = odds.server.requests.filter(
      ({ method, path }) => method === 'PUT' && path.includes('/blobs/'),
    );
    expect(uploads.map(({ query }) => query.get('digest'))).toEqual([sha256(image.config)]);
  });

  it('and GET as well: the blob is uploaded', async () => {
    const away = `localhost:${odds.server.port}`;
    odds.odd = ({ method, path }) =>
      path.startsWith('/v2/copy/blobs/sha256:') && (method === 'HEAD' || method === 'GET')
        ? { status: 403 }
        : undefined;
    expectCode(await run('copy', `${away}/app:linux-amd64`, `${host}/copy:1`), 0);
  });
});

describe('a defect that verify finds', () => {
  const verify = (): Promise<CliResult> => run('verify', `${host}/app:linux-amd64`);
  const layerPath = (): string => `/blobs/${sha256(image.layer)}`;

  it.each<[string, Reply]>([
    ['404', { status: 404 }],
    ['a length of 0', { status: 200, headers: { 'content-length': '0' } }],
    ['the length of another blob', { status: 200, headers: { 'content-length': '7' } }],
  ])('is none if only HEAD has it: %s', async (_, answer) => {
    onHead(layerPath(), answer);
    expectCode(await verify(), 0);
  });

  it('is one if GET has it too: missing', async () => {
    odds.odd = ({ path }) =>
      path.endsWith(layerPath()) ? failure(404, 'BLOB_UNKNOWN', 'blob unknown') : undefined;
    const result = await verify();
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toContain('it is not there');
  });

  it('is one if GET has it too: another length', async () => {
    odds.odd = ({ path, method }) =>
      path.endsWith(layerPath())
        ? { status: 200, body: method === 'HEAD' ? '' : 'something' }
        : undefined;
    const result = await verify();
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toContain('it has 9 bytes');
  });
});

describe('a blob that is looked for before it is uploaded', () => {
  it('is uploaded if HEAD has another length, and GET too', async () => {
    const away = `localhost:${odds.server.port}`;
    odds.odd = ({ path }) =>
      path === `/v2/copy/blobs/${sha256(image.layer)}` ? { status: 200, body: 'no' } : undefined;
    expectCode(await run('copy', `${away}/app:linux-amd64`, `${host}/copy:1`), 0);
    expect(odds.registry.blobs.has(`copy@${sha256(image.layer)}`)).toBe(true);
  });
});
