import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { layoutFailure } from '../../../src/layout/errors.js';
import { openLayout } from '../../../src/layout/layout.js';
import type { ImageReader, ManifestContent } from '../../../src/oci/content.js';
import { digestOf, type Digest } from '../../../src/oci/digest.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_INDEX } from '../../../src/oci/media-types.js';
import { openFiles } from '../../support/open-files.js';
import { IS_WINDOWS } from '../../support/system.js';

const FIXTURE = path.resolve('fixtures/layout');
const REF_NAME = 'org.opencontainers.image.ref.name';

let scratch: string;
let root: string;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'layout-write-'));
  root = path.join(scratch, 'new', 'layout');
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

/** An empty index; each number gives other bytes. */
function content(id = 0): ManifestContent {
  const annotations = { id: String(id) };
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [],
    annotations,
  });
  const bytes = Buffer.from(text);
  return { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length, bytes };
}

function entry({ mediaType, digest, size }: ManifestContent, tag?: string): object {
  const named = tag === undefined ? {} : { annotations: { [REF_NAME]: tag } };
  return { mediaType, digest, size, ...named };
}

async function indexText(): Promise<string> {
  return readFile(path.join(root, 'index.json'), 'utf8');
}

async function entries(): Promise<object[]> {
  return (JSON.parse(await indexText()) as { manifests: object[] }).manifests;
}

async function startWith(index: string): Promise<void> {
  await mkdir(root, { recursive: true });
  await writeFile(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"1.1.0","x":1}');
  await writeFile(path.join(root, 'index.json'), index);
}

/**
 * All files of the scratch directory that are neither a blob nor one of the two files of a layout.
 */
async function strangeFiles(): Promise<string[]> {
  const files = await readdir(scratch, { recursive: true, withFileTypes: true });
  return files
    .filter(
      (each) => !each.isDirectory() && !/^([0-9a-f]{64}|oci-layout|index\.json)$/.test(each.name),
    )
    .map((each) => each.name);
}

const ignore = (): void => {};

describe('publish', () => {
  test('creates a layout if there is none', async () => {
    const layout = openLayout(root);
    const moved: string[] = [];
    await layout.publish(content(), ['1', 'latest'], (tag) => moved.push(tag));
    expect(moved).toEqual(['1', 'latest']);
    expect(await readFile(path.join(root, 'oci-layout'), 'utf8')).toBe(
      '{"imageLayoutVersion":"1.0.0"}',
    );
    expect(JSON.parse(await indexText())).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [entry(content(), '1'), entry(content(), 'latest')],
    });
    const read = await openLayout(root).getManifest('latest');
    expect(read).toMatchObject({ digest: content().digest, size: content().size });
    expect(await strangeFiles()).toEqual([]);
  });

  test('creates a layout that was missing when it was read', async () => {
    const layout = openLayout(root);
    await expect(layout.getManifest('1')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await layout.publish(content(), ['1'], ignore);
    expect((await layout.getManifest('1')).digest).toBe(content().digest);
  });

  test('keeps unknown members, and the order', async () => {
    await startWith(
      '{"zeta":1e2,"manifests":[{"a":9007199254740993},7,{"b":"<","annotations":null}],' +
        '"annotations":{"k":"v"},"schemaVersion":2,"alpha":[]}',
    );
    await openLayout(root).publish(content(), ['1'], ignore);
    const text = (await indexText()).replaceAll(/\n */g, '').replaceAll('": ', '":');
    const { mediaType, digest, size } = content();
    expect(text).toBe(
      '{"zeta":1e2,"manifests":[{"a":9007199254740993},7,{"b":"\\u003c","annotations":null},' +
        `{"mediaType":"${mediaType}","digest":"${digest}","size":${size},` +
        `"annotations":{"${REF_NAME}":"1"}}],"annotations":{"k":"v"},"schemaVersion":2,"alpha":[]}`,
    );
    expect(await readFile(path.join(root, 'oci-layout'), 'utf8')).toContain('"x":1');
  });

  test('replaces an existing tag in its place, and adds a new one at the end', async () => {
    const layout = openLayout(root);
    for (const tag of ['a', 'b', 'c']) await layout.publish(content(1), [tag], ignore);
    await layout.publish(content(2), ['d', 'b'], ignore);
    expect(await entries()).toEqual([
      entry(content(1), 'a'),
      entry(content(2), 'b'),
      entry(content(1), 'c'),
      entry(content(2), 'd'),
    ]);
  });

  test('leaves one entry if a name existed twice', async () => {
    const [a, b] = [entry(content(1), 'a'), entry(content(1), 'b')];
    await startWith(JSON.stringify({ schemaVersion: 2, manifests: [a, b, a] }));
    await openLayout(root).publish(content(2), ['a'], ignore);
    expect(await entries()).toEqual([entry(content(2), 'a'), b]);
  });

  test('replaces the image with a full name with that tag, which keeps its names', async () => {
    const full = entry(content(1), 'example.com/app:1');
    await startWith(JSON.stringify({ schemaVersion: 2, manifests: [full] }));
    await openLayout(root).publish(content(2), ['1'], ignore);
    expect(await entries()).toEqual([entry(content(2), 'example.com/app:1')]);
  });

  test('refuses a tag of images of different repositories', async () => {
    const named = ['example.com/a:1', 'example.com/b:1'].map((name) => entry(content(1), name));
    await startWith(JSON.stringify({ schemaVersion: 2, manifests: named }));
    await expect(openLayout(root).publish(content(2), ['1'], ignore)).rejects.toMatchObject({
      code: 'USAGE',
      why: 'the tag 1 is that of "example.com/a:1", "example.com/b:1"',
    });
    expect(await entries()).toEqual(named);
  });

  test('warns of images that lose a name which they shared', async () => {
    const shared = [entry(content(1), '1'), entry(content(2), '1')];
    await startWith(JSON.stringify({ schemaVersion: 2, manifests: shared }));
    const warnings: string[] = [];
    const layout = openLayout(root, { onWarning: (text) => warnings.push(text) });
    await layout.publish(content(2), ['1'], ignore);
    expect(await entries()).toEqual([entry(content(2), '1')]);
    expect(warnings).toEqual([
      `oci-layout://${root}:1 named several images; ${content(1).digest} no longer has the name`,
    ]);
  });

  test('removes temporary files of interrupted writes after an hour, and no others', async () => {
    const folder = path.join(root, 'blobs/sha256');
    await openLayout(root).publish(content(1), ['1'], ignore);
    const old = [
      path.join(folder, `x.${'0'.repeat(16)}.tmp`),
      `${root}/index.json.${'1'.repeat(16)}.tmp`,
    ];
    const others = [path.join(folder, `x.${'2'.repeat(16)}.tmp`), path.join(folder, 'x.tmp')];
    for (const file of [...old, ...others]) await writeFile(file, 'x');
    const before = new Date(Date.now() - 61 * 60 * 1000);
    for (const file of [...old, others[1]!]) await utimes(file, before, before);
    await openLayout(root).publish(content(2), ['2'], ignore);
    await Promise.all(old.map((file) => expect(lstat(file)).rejects.toThrow('ENOENT')));
    await Promise.all(others.map((file) => lstat(file)));
  });

  test('a layout whose first write was interrupted has no tags yet, and can be written', async () => {
    await openLayout(root).putChild(content(1));
    const layout = openLayout(root);
    expect(await layout.tagDigest('1')).toBeUndefined();
    await layout.publish(content(1), ['1'], ignore);
    expect(await layout.tagDigest('1')).toBe(content(1).digest);
  });

  test('adds one entry without a name if there are no tags', async () => {
    const layout = openLayout(root);
    await layout.publish(content(1), [], ignore);
    await layout.publish(content(1), [], ignore);
    expect(await entries()).toEqual([entry(content(1))]);
    await layout.publish(content(2), ['x'], ignore);
    await layout.publish(content(2), [], ignore);
    expect(await entries()).toEqual([entry(content(1)), entry(content(2), 'x')]);
  });

  test('keeps all of many concurrent writes', async () => {
    const tags = Array.from({ length: 40 }, (_, i) => `t${i}`);
    await Promise.all(
      tags.map((tag, i) => openLayout(root).publish(content(i % 5), [tag], ignore)),
    );
    const names = (await entries()).map((each) => Object.values(each).at(-1) as object);
    expect(names.flatMap((each) => Object.values(each) as string[]).sort()).toEqual(tags.sort());
    expect(await strangeFiles()).toEqual([]);
  });

  test('refuses an invalid index.json, and leaves it', async () => {
    await startWith('{"manifests":"x"}');
    await expect(openLayout(root).publish(content(), ['1'], ignore)).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    expect(await indexText()).toBe('{"manifests":"x"}');
    expect(await strangeFiles()).toEqual([]);
  });

  test('refuses an index.json that would be too large to read', async () => {
    const text = JSON.stringify({ manifests: [], x: '<'.repeat(2_000_000) });
    await startWith(text);
    await expect(openLayout(root).publish(content(), ['1'], ignore)).rejects.toMatchObject({
      code: 'FAILED',
      why: expect.stringContaining('would be larger than 4194304 bytes'),
    });
    expect(await indexText()).toBe(text);
  });

  test('refuses a layout of another version', async () => {
    await startWith('{}');
    await writeFile(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await expect(openLayout(root).putChild(content())).rejects.toMatchObject({ code: 'FAILED' });
  });
});

describe('putChild', () => {
  test('writes the bytes under their digest, without an entry', async () => {
    const layout = openLayout(root);
    await layout.putChild(content());
    await layout.putChild(content());
    expect((await layout.getManifest(content().digest)).size).toBe(content().size);
    await expect(indexText()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.skipIf(IS_WINDOWS)('replaces a truncated blob, and a symbolic link', async () => {
    const layout = openLayout(root);
    await layout.putChild(content());
    const file = path.join(root, 'blobs', ...content().digest.split(':'));
    await writeFile(file, 'x');
    await layout.putChild(content());
    expect(await readFile(file)).toEqual(content().bytes);
    await writeFile(path.join(scratch, 'index.json'), 'y');
    await rm(file);
    await symlink(path.join(scratch, 'index.json'), file);
    await layout.putChild(content());
    expect(await readFile(file)).toEqual(content().bytes);
    expect(await readFile(path.join(scratch, 'index.json'), 'utf8')).toBe('y');
  });

  test('refuses bytes that do not match the digest', async () => {
    const wrong = { ...content(), bytes: Buffer.alloc(content().size) };
    await expect(openLayout(root).putChild(wrong)).rejects.toMatchObject({ code: 'CORRUPT' });
    const long = { ...content(), bytes: Buffer.alloc(content().size + 1) };
    await expect(openLayout(root).putChild(long)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await strangeFiles()).toEqual([]);
  });

  test('refuses a digest that leaves the directory', async () => {
    const wrong = { ...content(), digest: 'sha256:../../../x' as Digest };
    await expect(openLayout(root).putChild(wrong)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('ensureBlob', () => {
  async function layerOf(source: ImageReader): Promise<Descriptor> {
    const { document } = await source.getManifest('linux-amd64');
    if (document.kind !== 'manifest') throw new Error('not an image');
    return document.layers![0]!;
  }

  test('copies from another layout, once', async () => {
    const source = openLayout(FIXTURE);
    const layer = await layerOf(source);
    expect(await openLayout(root).ensureBlob(layer, source)).toBe('copied');
    expect(await openLayout(root).ensureBlob(layer, source)).toBe('present');
    const name = path.join('blobs', ...layer.digest.split(':'));
    expect(await readFile(path.join(root, name))).toEqual(await readFile(path.join(FIXTURE, name)));
    expect(await strangeFiles()).toEqual([]);
  });

  test('verifies what it copies, and leaves nothing of wrong content', async () => {
    const layer = await layerOf(openLayout(FIXTURE));
    const sources = [
      [Buffer.alloc(layer.size)],
      [Buffer.alloc(layer.size), Buffer.alloc(1)],
      [Buffer.alloc(1)],
    ];
    for (const chunks of sources) {
      async function* openBlob(): AsyncGenerator<Uint8Array> {
        yield* chunks;
      }
      const source = Object.assign(openLayout(FIXTURE), { openBlob: async () => openBlob() });
      await expect(openLayout(root).ensureBlob(layer, source)).rejects.toMatchObject({
        code: 'CORRUPT',
      });
    }
    expect(await readdir(path.join(root, 'blobs', 'sha256'))).toEqual([]);
  });

  test('closes its source on success and on failure', async () => {
    const files = openFiles(FIXTURE);
    const source = openLayout(FIXTURE);
    const layer = await layerOf(source);
    // In the way when the blob is renamed.
    const file = path.join(root, 'blobs', ...layer.digest.split(':'));
    await mkdir(file, { recursive: true });
    await expect(openLayout(root).ensureBlob(layer, source)).rejects.toThrow('it is a directory');
    await expect(
      openLayout(root).ensureBlob({ ...layer, size: layer.size - 1 }, source),
    ).rejects.toMatchObject({ code: 'CORRUPT' });
    await rm(file, { recursive: true });
    await openLayout(root).ensureBlob(layer, source);
    expect(openFiles(FIXTURE)).toEqual(files);
    expect(openFiles(root)).toEqual([]);
  });

  test('leaves nothing if the source has no such blob', async () => {
    const layer = { ...(await layerOf(openLayout(FIXTURE))), digest: content().digest };
    await expect(openLayout(root).ensureBlob(layer, openLayout(FIXTURE))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await strangeFiles()).toEqual([]);
  });
});

describe.skipIf(IS_WINDOWS)('a symbolic link in place of', () => {
  let elsewhere: string;

  beforeEach(async () => {
    elsewhere = path.join(scratch, 'elsewhere');
    await mkdir(path.join(elsewhere, 'sha256'), { recursive: true });
    await mkdir(root, { recursive: true });
  });

  test.each([
    ['blobs', 'an existing directory', '../../elsewhere'],
    ['blobs', 'a missing one', '../../nowhere'],
    ['blobs/sha256', 'an existing directory', '../../../elsewhere/sha256'],
    ['blobs/sha256', 'a missing one', '../../../nowhere'],
  ])('%s, to %s, is refused and nothing is written through it', async (name, _, target) => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await symlink(target, path.join(root, name));
    const source = openLayout(FIXTURE);
    const { document } = await source.getManifest('linux-amd64');
    if (document.kind !== 'manifest') throw new Error('not an image');
    const layout = openLayout(root);
    for (const write of [
      () => layout.putChild(content()),
      () => layout.publish(content(), ['1'], ignore),
      () => layout.replaceTag('1', content(), content(1).digest),
      () => layout.ensureBlob(document.config, source),
    ]) {
      await expect(write()).rejects.toMatchObject({
        code: 'CORRUPT',
        why: `${path.join(root, name)}: it is a symbolic link, which is not followed`,
      });
    }
    expect(await readdir(elsewhere, { recursive: true })).toEqual(['sha256']);
    expect(await readdir(scratch)).not.toContain('nowhere');
  });

  test.each(['index.json', 'oci-layout'])('%s is refused and left', async (name) => {
    await startWith('{"schemaVersion":2,"manifests":[]}');
    const file = path.join(scratch, name);
    await rename(path.join(root, name), file);
    await symlink(file, path.join(root, name));
    const before = await readFile(file, 'utf8');
    await expect(openLayout(root).publish(content(), ['1'], ignore)).rejects.toMatchObject({
      code: 'CORRUPT',
      why: `${path.join(root, name)}: it is a symbolic link, which is not followed`,
    });
    expect(await readFile(file, 'utf8')).toBe(before);
    expect((await lstat(path.join(root, name))).isSymbolicLink()).toBe(true);
  });

  test('the layout directory is followed', async () => {
    const link = path.join(scratch, 'link');
    await symlink(root, link);
    await openLayout(link).publish(content(), ['1'], ignore);
    expect((await openLayout(root).getManifest('1')).digest).toBe(content().digest);
  });
});

describe('an error of the file system:', () => {
  test('a path below a file', async () => {
    const file = path.join(scratch, 'index.json');
    await writeFile(file, '');
    const below = path.join(file, 'layout');
    await expect(openLayout(below).publish(content(), ['1'], ignore)).rejects.toMatchObject({
      code: 'FAILED',
      what: `writing oci-layout://${below}:1`,
      why: expect.stringMatching(/index\.json.*: a part of the path is not a directory$/),
    });
  });

  test.each(['index.json', 'oci-layout'])(
    '%s is a directory, and nothing is left',
    async (name) => {
      await mkdir(path.join(root, name), { recursive: true });
      await expect(openLayout(root).publish(content(), ['1'], ignore)).rejects.toMatchObject({
        why: `${path.join(root, name)}: it is not a regular file`,
      });
      expect(await strangeFiles()).toEqual([]);
    },
  );

  test('a rename fails, and nothing is left', async () => {
    const file = path.join(root, 'blobs', ...content().digest.split(':'));
    await mkdir(file, { recursive: true });
    await expect(openLayout(root).putChild(content())).rejects.toMatchObject({
      why: `${file}: it is a directory, not a file`,
    });
    expect(await strangeFiles()).toEqual([]);
  });

  test.each([
    ['EACCES', 'DENIED', 'permission denied', 'check its permissions'],
    ['EDQUOT', 'FAILED', 'the disk quota is used up', 'free some space'],
    ['EEXIST', 'FAILED', 'a file of that name already exists', 'move it away'],
    ['EFBIG', 'FAILED', 'the file is too large for the file system', 'another file system'],
    ['EIO', 'FAILED', 'the device failed (input/output error)', 'check the device'],
    ['EISDIR', 'FAILED', 'it is a directory, not a file', 'move it away'],
    ['ELOOP', 'FAILED', 'too many symbolic links', 'the links in it'],
    ['EMFILE', 'FAILED', 'too many open files', 'ulimit -n'],
    ['ENAMETOOLONG', 'FAILED', 'the name is too long', 'use a shorter path'],
    ['ENFILE', 'FAILED', 'too many open files', 'ulimit -n'],
    ['ENOENT', 'FAILED', 'no such file or directory', 'check the path'],
    ['ENOSPC', 'FAILED', 'no space left on the device', 'free some space'],
    ['ENOTDIR', 'FAILED', 'a part of the path is not a directory', 'check the path'],
    ['EPERM', 'DENIED', 'the operation is not permitted', 'check its permissions'],
    ['EROFS', 'FAILED', 'the file system is read-only', 'another file system'],
  ])('%s in words', (code, ours, words, hint) => {
    const file = `/layout/index.json.${'0'.repeat(16)}.tmp`;
    const withPath = Object.assign(new Error(code), { code, path: file });
    const error = layoutFailure('writing x', '/layout', withPath);
    expect(error).toMatchObject({
      code: ours,
      cause: withPath,
      hint: expect.stringContaining(hint),
    });
    expect(error.message).toBe(`writing x failed: /layout/index.json: ${words}`);
    const pathless = layoutFailure('writing x', '/layout', Object.assign(new Error(), { code }));
    expect(pathless.message).toBe(`writing x failed: /layout: ${words}`);
  });

  test('an unknown error is one line', () => {
    const error = layoutFailure('writing x', '/layout', new Error('a\n b'));
    expect(error.message).toBe('writing x failed: /layout: a b');
  });
});
