import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Header } from 'tar/header';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openArchive, type OpenArchive } from '../../../src/archive/archive.js';
import { openLayout } from '../../../src/layout/layout.js';
import type { ImageStore } from '../../../src/oci/content.js';
import type { Digest } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { openFiles } from '../../support/open-files.js';
import { GNU_TAR, HAS_SKOPEO } from '../../support/system.js';

const FIXTURE = path.resolve('fixtures/layout');
const fixture = openLayout(FIXTURE);

let scratch: string;
let opened: OpenArchive[];

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'archive-'));
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  expect(openFiles(scratch)).toEqual([]);
  await rm(scratch, { recursive: true, force: true });
});

function at(name: string): string {
  return path.join(scratch, name);
}

function open(name: string, format: 'oci' | 'docker' = 'oci'): ImageStore {
  const archive = openArchive({ kind: 'archive', format, path: at(name) });
  opened.push(archive);
  return archive.store;
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: scratch });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** An archive of the fixture as GNU tar makes it, with names that begin with `./`. */
function makeArchive(name: string, ...options: string[]): void {
  // A name with a colon, as an absolute one of Windows has it, would be that of another host.
  run(GNU_TAR, ...options, '-cf', name, '-C', FIXTURE, '.');
}

async function readAll(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads an image with all of its blobs, and returns the digests of them. */
async function readImage(store: ImageStore, name: string): Promise<Digest[]> {
  const manifest = await store.getManifest(name);
  if (manifest.document.kind !== 'manifest') throw new Error('not an image');
  const { config, layers = [] } = manifest.document;
  await store.getBlob(config);
  for (const layer of layers) {
    expect(await store.blobSize(layer)).toBe(layer.size);
    expect((await readAll(await store.openBlob(layer))).length).toBe(layer.size);
  }
  return [manifest.digest, config.digest, ...layers.map(({ digest }) => digest)];
}

async function copyImage(source: ImageStore, from: string, target: ImageStore, to: string[]) {
  const manifest = await source.getManifest(from);
  if (manifest.document.kind !== 'manifest') throw new Error('not an image');
  const { config, layers = [] } = manifest.document;
  const blobs: readonly Descriptor[] = [config, ...layers];
  await Promise.all(blobs.map((blob) => target.ensureBlob(blob, source)));
  await target.publish(manifest, to, () => {});
}

/** One member of a tar archive, made by hand. */
function member(name: string, content: string | Buffer, more: object = {}): Buffer {
  const bytes = Buffer.from(content);
  const header = new Header({ path: name, size: bytes.length, type: 'File', mode: 0o644, ...more });
  header.encode();
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([header.block!, bytes, padding]);
}

const END = Buffer.alloc(1024);
const MARKER = member('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
const EMPTY = member('index.json', '{"schemaVersion":2,"manifests":[]}');

describe('an OCI archive', () => {
  test.each(['gnu', 'pax', 'ustar'])('of GNU tar in the format %s is read', async (format) => {
    makeArchive('a.tar', `--format=${format}`);
    expect(await readImage(open('a.tar'), 'linux-amd64')).toEqual(
      await readImage(fixture, 'linux-amd64'),
    );
  });

  test('that is compressed with gzip is read, and leaves no temporary file', async () => {
    makeArchive('a.tar.gz', '-z');
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('manifest-tool-'));
    expect(await readImage(open('a.tar.gz'), 'linux-386')).toHaveLength(3);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('manifest-tool-'));
    expect(after).toEqual(before);
  });

  test('that is compressed with zstd is read, or the message says what to do', async () => {
    makeArchive('a.tar');
    const zlib = await import('node:zlib');
    if ('zstdCompressSync' in zlib) {
      const compress = zlib.zstdCompressSync as (bytes: Buffer) => Buffer;
      await writeFile(at('a.tar.zst'), compress(await readFile(at('a.tar'))));
      expect(await readImage(open('a.tar.zst'), 'linux-386')).toHaveLength(3);
      return;
    }
    await writeFile(at('a.tar.zst'), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]));
    await expect(open('a.tar.zst').getManifest('x')).rejects.toMatchObject({
      code: 'FAILED',
      why: `${at('a.tar.zst')} is compressed with zstd, which is not supported`,
      hint: 'decompress it first: zstd -d',
    });
  });

  test.skipIf(!HAS_SKOPEO)('of skopeo is read, and skopeo reads what is written here', async () => {
    run('skopeo', 'copy', `oci:${FIXTURE}:linux-amd64`, `oci-archive:${at('a.tar')}:1.0`);
    const expected = await fixture.getManifest('linux-amd64');
    const source = open('a.tar');
    expect((await source.getManifest('1.0')).digest).toBe(expected.digest);
    expect((await source.getManifest('')).digest).toBe(expected.digest);
    await copyImage(source, '', open('b.tar'), ['2.0']);
    const raw = run('skopeo', 'inspect', '--raw', `oci-archive:${at('b.tar')}:2.0`);
    expect(raw).toBe(Buffer.from(expected.bytes).toString());
    run('skopeo', 'copy', `oci-archive:${at('b.tar')}:2.0`, `dir:${at('dir')}`);
  });

  test('keeps its other images when one is written, and drops what nothing needs', async () => {
    const first = open('a.tar');
    await copyImage(fixture, 'linux-amd64', first, ['1', 'one']);
    await copyImage(fixture, 'linux-386', first, ['2']);
    const second = open('a.tar');
    await copyImage(fixture, 'linux-s390x', second, ['2', 'three']);
    const third = open('a.tar');
    expect(await readImage(third, '1')).toEqual(await readImage(fixture, 'linux-amd64'));
    expect(await readImage(third, 'one')).toEqual(await readImage(fixture, 'linux-amd64'));
    expect(await readImage(third, '2')).toEqual(await readImage(fixture, 'linux-s390x'));
    const lost = (await fixture.getManifest('linux-386')).digest;
    await expect(third.getManifest(lost)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(run(GNU_TAR, '-tf', 'a.tar').trim().split('\n')).toHaveLength(2 + 6);
  });

  test('combines its own images', async () => {
    const store = open('a.tar');
    await copyImage(fixture, 'linux-amd64', store, ['amd64']);
    const { mediaType, digest, size } = await store.getManifest('amd64');
    const entry = { mediaType, digest, size };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    const hex = createHash('sha256').update(bytes).digest('hex');
    const index = {
      mediaType: 'application/vnd.oci.image.index.v1+json',
      bytes,
      size: bytes.length,
    };
    await store.publish({ ...index, digest: `sha256:${hex}` as Digest }, ['all'], () => {});
    expect(await readImage(open('a.tar'), digest)).toHaveLength(3);
  });

  test('is not replaced if the content is damaged, and nothing is left', async () => {
    const store = open('a.tar');
    await copyImage(fixture, 'linux-amd64', store, ['1']);
    const before = await readFile(at('a.tar'));
    const image = await fixture.getManifest('linux-386');
    if (image.document.kind !== 'manifest') throw new Error('not an image');
    const layer = image.document.layers![0]!;
    const wrong = { ...fixture, name: 'x', openBlob: () => Promise.resolve(onlyChunk(layer.size)) };
    await expect(open('a.tar').ensureBlob(layer, wrong as ImageStore)).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    await Promise.all(opened.map((each) => each.close()));
    expect(await readFile(at('a.tar'))).toEqual(before);
    expect(await readdir(scratch)).toEqual(['a.tar']);
  });

  test('is not replaced if another program replaced it', async () => {
    const [a, b] = [open('a.tar'), open('a.tar')];
    await a.putChild(await fixture.getManifest('linux-amd64'));
    await copyImage(fixture, 'linux-386', b, ['b']);
    await expect(copyImage(fixture, 'linux-amd64', a, ['a'])).rejects.toMatchObject({
      code: 'FAILED',
      why: `another program replaced ${at('a.tar')} during the write`,
    });
    expect(await readImage(open('a.tar'), 'b')).toHaveLength(3);
  });

  test('does not take the place of a file that is none', async () => {
    await writeFile(at('a.tar'), 'precious '.repeat(100));
    await expect(copyImage(fixture, 'linux-386', open('a.tar'), ['1'])).rejects.toMatchObject({
      why: `${at('a.tar')} is not a tar archive`,
    });
    expect(await readFile(at('a.tar'), 'utf8')).toContain('precious');
  });

  test('is the same for the same content', async () => {
    await copyImage(fixture, 'linux-386', open('a.tar'), ['1']);
    const manifest = await fixture.getManifest('linux-386');
    if (manifest.document.kind !== 'manifest') throw new Error('not an image');
    const store = open('b.tar');
    for (const blob of [manifest.document.config, ...manifest.document.layers!])
      await store.ensureBlob(blob, fixture);
    await store.publish(manifest, ['1'], () => {});
    expect((await readFile(at('b.tar'))).length).toBe((await readFile(at('a.tar'))).length);
  });
});

async function* onlyChunk(size: number): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(size);
}

describe.skipIf(!HAS_SKOPEO)('an archive of "docker save"', () => {
  test('gives a Docker manifest with the config and the layers as they are', async () => {
    const target = `docker-archive:${at('d.tar')}:example.com/app:1.0`;
    run('skopeo', 'copy', `oci:${FIXTURE}:linux-amd64`, target);
    const source = await fixture.getManifest('linux-amd64');
    if (source.document.kind !== 'manifest') throw new Error('not an image');
    const { config, layers } = source.document;
    const store = open('d.tar', 'docker');
    for (const name of ['', '1.0', 'example.com/app:1.0']) {
      const { mediaType, document } = await store.getManifest(name);
      expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
      if (document.kind !== 'manifest') throw new Error('not an image');
      expect(document.config.digest).toBe(config.digest);
      expect(document.layers?.map(({ mediaType: type }) => type)).toEqual([
        'application/vnd.docker.image.rootfs.diff.tar',
      ]);
      const layer = await readAll(await fixture.openBlob(layers![0]!));
      const plain = await readAll(await store.openBlob(document.layers![0]!));
      expect(plain).toEqual(gunzipSync(layer));
    }
    await expect(store.getManifest('2.0')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'available tags: "example.com/app:1.0"',
    });
  });

  /** `docker save` as it was before version 25. */
  async function save(
    layer: Buffer,
    diffId: string,
    { layers = ['l/layer.tar'], more = [] }: { layers?: string[]; more?: Buffer[] } = {},
  ): Promise<void> {
    const rootfs = { type: 'layers', diff_ids: layers.map(() => diffId) };
    const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs });
    const images = [{ Config: 'c.json', RepoTags: ['app:1.0', 'app:latest'], Layers: layers }];
    const parts = [member('c.json', config), member('l/layer.tar', layer), ...more];
    const manifest = member('manifest.json', JSON.stringify(images));
    await writeFile(at('d.tar'), Buffer.concat([...parts, manifest, END]));
  }

  function sha256(bytes: Buffer): string {
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  }

  test('is found by its short and its full name', async () => {
    const layer = Buffer.alloc(1024);
    await save(layer, sha256(layer));
    const store = open('d.tar', 'docker');
    const names = ['app', 'app:1.0', 'docker.io/library/app:latest', 'latest', ''];
    const found = await Promise.all(names.map((name) => store.getManifest(name)));
    expect(new Set(found.map(({ digest }) => digest)).size).toBe(1);
  });

  test('with a compressed layer has the type for it', async () => {
    const layer = gzipSync(Buffer.alloc(1024));
    await save(layer, sha256(Buffer.alloc(1024)));
    const { document } = await open('d.tar', 'docker').getManifest('app');
    expect(document).toMatchObject({
      layers: [
        {
          mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
          digest: sha256(layer),
          size: layer.length,
        },
      ],
    });
  });

  test('with a link to a layer is read, and one that leaves the archive is refused', async () => {
    const layer = Buffer.alloc(512);
    const link = { type: 'SymbolicLink', size: 0 };
    await save(layer, sha256(layer), {
      layers: ['l/layer.tar', 'm/layer.tar'],
      more: [member('m/layer.tar', '', { ...link, linkpath: '../l/layer.tar' })],
    });
    expect(await readImage(open('d.tar', 'docker'), 'app')).toHaveLength(4);
    for (const linkpath of ['../../../etc/passwd', '/etc/passwd', 'layer.tar']) {
      await save(layer, sha256(layer), {
        layers: ['m/layer.tar'],
        more: [member('m/layer.tar', '', { ...link, linkpath })],
      });
      await expect(open('d.tar', 'docker').getManifest('app')).rejects.toMatchObject({
        code: 'CORRUPT',
        why: expect.stringContaining('"m/layer.tar", which is not in the archive'),
      });
    }
  });

  test('with a layer that is not that of the config is refused when it is read', async () => {
    await save(Buffer.alloc(512), sha256(Buffer.alloc(1024)));
    await expect(readImage(open('d.tar', 'docker'), 'app')).rejects.toMatchObject({
      code: 'CORRUPT',
    });
  });

  test('cannot be written', async () => {
    await expect(
      copyImage(fixture, 'linux-386', open('n.tar', 'docker'), ['1']),
    ).rejects.toMatchObject({ code: 'USAGE', why: 'an archive of "docker save" can only be read' });
    expect(await readdir(scratch)).toEqual([]);
  });

  test('that has an image layout as well is read as one', async () => {
    await cp(FIXTURE, at('layout'), { recursive: true });
    await writeFile(at('layout/manifest.json'), '[]');
    run(GNU_TAR, '-cf', 'd.tar', '-C', 'layout', '.');
    const { digest } = await open('d.tar', 'docker').getManifest('linux-amd64');
    expect(digest).toBe((await fixture.getManifest('linux-amd64')).digest);
    await rm(at('layout'), { recursive: true });
  });
});

describe('an archive that is hostile or damaged:', () => {
  const big = member('blobs/x', '', { size: 2 ** 40 });
  const cases: readonly (readonly [name: string, bytes: () => Buffer, why: RegExp])[] = [
    ['an empty file', () => Buffer.alloc(0), /is empty/],
    ['text', () => Buffer.from('x'.repeat(600)), /is not a tar archive/],
    ['no layout', () => Buffer.concat([member('x', 'x'), END]), /has no oci-layout file/],
    ['docker save', () => Buffer.concat([member('manifest.json', '[]'), END]), /docker save/],
    ['no index', () => Buffer.concat([MARKER, END]), /has no index\.json/],
    [
      'only hostile names',
      () =>
        Buffer.concat([MARKER, member('../index.json', '{}'), member('/index.json', '{}'), END]),
      /has no index\.json/,
    ],
    ['two indexes', () => Buffer.concat([MARKER, EMPTY, EMPTY, END]), /more than one index\.json/],
    [
      'a link as index',
      () =>
        Buffer.concat([
          MARKER,
          member('index.json', '', { type: 'SymbolicLink', linkpath: '/etc/passwd' }),
          END,
        ]),
      /not a regular file/,
    ],
    ['a size beyond the file', () => Buffer.concat([MARKER, EMPTY, big, END]), /is truncated/],
    ['cut in a header', () => Buffer.concat([MARKER, EMPTY]).subarray(0, 1200), /is truncated/],
    [
      'a wrong checksum',
      () => Buffer.concat([MARKER, member('y', '').fill('z', 0, 1), END]),
      /header at byte 1024 has an invalid checksum/,
    ],
    [
      'content after its end',
      () => Buffer.concat([MARKER, EMPTY, END.subarray(512), member('z', 'z')]),
      /content after its end/,
    ],
    [
      'damaged gzip',
      () => gzipSync(Buffer.concat([MARKER, EMPTY, END])).subarray(0, 60),
      /gzip data is damaged/,
    ],
    ['xz', () => Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), /compressed with xz/],
    [
      'a large header',
      () =>
        Buffer.concat([member('x', Buffer.alloc(1024 ** 2 + 1), { type: 'ExtendedHeader' }), END]),
      /extended header has 1048577 bytes/,
    ],
    [
      'sparse members',
      () =>
        Buffer.concat([
          member('x', '22 GNU.sparse.major=1\n', { type: 'ExtendedHeader' }),
          member('f', 'x'),
          END,
        ]),
      /sparse/,
    ],
  ];
  test.each(cases)('%s', async (_, bytes, why) => {
    await writeFile(at('a.tar'), bytes());
    await expect(open('a.tar').getManifest('latest')).rejects.toMatchObject({
      name: 'ManifestToolError',
      why: expect.stringMatching(why),
      hint: expect.stringMatching(/./),
    });
  });

  test('a missing file, a directory and a link to a file', async () => {
    await expect(open('a.tar').getManifest('1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await mkdir(at('dir'));
    await expect(open('dir').getManifest('1')).rejects.toMatchObject({
      hint: `for an OCI image layout, use oci-layout://${at('dir')}`,
    });
    makeArchive('real.tar');
    await symlink('real.tar', at('link.tar'));
    expect(await readImage(open('link.tar'), 'linux-386')).toHaveLength(3);
  });
});
