import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { guarded } from '../../../src/layout/errors.js';
import { openLayout } from '../../../src/layout/layout.js';
import { digestOf, type Digest } from '../../../src/oci/digest.js';
import { parseConfig } from '../../../src/oci/image-config.js';
import { parseDocument, type ImageIndex } from '../../../src/oci/documents.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { LAYER } from '../../support/layout.js';
import { openFiles } from '../../support/open-files.js';
import { IS_WINDOWS } from '../../support/system.js';

const FIXTURE = path.resolve('fixtures/layout');
const ABSENT = `sha256:${'0'.repeat(64)}` as Digest;

let scratch: string;
let root: string;
/** The manifest of one image of the fixture. */
let amd64: Descriptor;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'layout-read-'));
  root = path.join(scratch, 'layout');
  await cp(FIXTURE, root, { recursive: true });
  amd64 = await openLayout(root).getManifest('linux-amd64');
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

async function readAll(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function blobFile(digest: Digest): string {
  return path.join(root, 'blobs', ...digest.split(':'));
}

async function setIndex(entries: readonly object[], more: object = {}): Promise<void> {
  const index = { schemaVersion: 2, ...more, manifests: entries };
  await writeFile(path.join(root, 'index.json'), JSON.stringify(index));
}

async function fixtureIndex(): Promise<ImageIndex> {
  const { document } = parseDocument(await readFile(path.join(FIXTURE, 'index.json')), undefined);
  if (document.kind !== 'index') throw new Error('the fixture has no index');
  return document;
}

function named(name: string, digest: Digest, size: number): object {
  const annotations = { 'org.opencontainers.image.ref.name': name };
  return { mediaType: OCI_MANIFEST, digest, size, annotations };
}

test('the fixture is what its script writes', () => {
  const script = 'scripts/test/layout-fixture.mjs';
  expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
});

describe('reading a layout', () => {
  test.each([
    ['linux-amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux-arm64v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
    ['linux-armv7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['linux-386', { os: 'linux', architecture: '386' }],
    ['linux-s390x', { os: 'linux', architecture: 's390x' }],
    ['linux-ppc64le', { os: 'linux', architecture: 'ppc64le' }],
    ['linux-riscv64', { os: 'linux', architecture: 'riscv64' }],
    ['windows-amd64', { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.2655' }],
  ])('finds the tag %s with its manifest and config', async (tag, platform) => {
    const layout = openLayout(root);
    const { document, mediaType, size, bytes } = await layout.getManifest(tag);
    expect(mediaType).toBe(OCI_MANIFEST);
    expect(size).toBe(bytes.length);
    if (document.kind !== 'manifest') throw new Error('not an image');
    expect(parseConfig(await layout.getBlob(document.config)).platform).toEqual(platform);
  });

  test('is named by its path', () => {
    expect(openLayout('some/where').name).toBe('oci-layout://some/where');
  });

  test('finds a manifest by its digest, and by a descriptor', async () => {
    const layout = openLayout(root);
    const byTag = await layout.getManifest('linux-amd64');
    expect(await layout.getManifest(byTag.digest)).toEqual(byTag);
    const expected = { mediaType: OCI_MANIFEST, digest: byTag.digest, size: byTag.size };
    expect(await layout.getManifest(byTag.digest, expected)).toEqual(byTag);
    expect(await layout.getManifest('linux-amd64', expected)).toEqual(byTag);
  });

  test('opens a blob to be read in chunks', async () => {
    const layout = openLayout(root);
    const { document } = await layout.getManifest('linux-amd64');
    if (document.kind !== 'manifest') throw new Error('unexpected');
    const layer = document.layers![0]!;
    expect(await readAll(await layout.openBlob(layer))).toEqual(
      await readFile(blobFile(layer.digest)),
    );
    await expect(layout.openBlob({ ...layer, size: 1 })).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    await expect(layout.openBlob({ ...layer, digest: ABSENT })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('a blob that is opened', () => {
  const size = 1_000_000;
  let large: Descriptor;

  beforeEach(async () => {
    const bytes = randomBytes(size);
    large = { mediaType: LAYER, digest: digestOf(bytes), size };
    await writeFile(blobFile(large.digest), bytes);
  });

  test('is read in several chunks, each with its own memory', async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await openLayout(root).openBlob(large)) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(2);
    expect(digestOf(Buffer.concat(chunks))).toBe(large.digest);
    expect(openFiles(root)).toEqual([]);
  });

  test('holds no file until it is read, and none if it never is', async () => {
    const content = await openLayout(root).openBlob(large);
    expect(openFiles(root)).toEqual([]);
    for await (const _ of content) {
      expect(openFiles(root)).toEqual([blobFile(large.digest)]);
      break;
    }
    expect(openFiles(root)).toEqual([]);
  });

  test('is closed when its reader fails', async () => {
    const content = await openLayout(root).openBlob(large);
    const failing = (async () => {
      for await (const chunk of content) throw new Error(`enough after ${chunk.length > 0}`);
    })();
    await expect(failing).rejects.toThrow('enough');
    expect(openFiles(root)).toEqual([]);
  });

  test.each([
    ['before it is read', 0],
    ['between two chunks', 1],
    ['at the end', 4],
  ])('ends with INTERRUPTED after an abort %s, and is closed', async (_, chunks) => {
    const controller = new AbortController();
    const content = await openLayout(root, { signal: controller.signal }).openBlob(large);
    const reading = (async () => {
      let count = 0;
      if (chunks === 0) controller.abort();
      for await (const chunk of content) {
        expect(chunk.length).toBeGreaterThan(0);
        count += 1;
        if (count === chunks) controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'INTERRUPTED',
      what: `reading oci-layout://${root}@${large.digest}`,
    });
    expect(openFiles(root)).toEqual([]);
  });

  test('that has been removed or has another size by the time it is read is an error', async () => {
    const content = await openLayout(root).openBlob(large);
    await truncate(blobFile(large.digest), size + 1);
    await expect(readAll(content)).rejects.toMatchObject({ code: 'CORRUPT' });
    await truncate(blobFile(large.digest), size);
    const again = await openLayout(root).openBlob(large);
    await rm(blobFile(large.digest));
    await expect(readAll(again)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(openFiles(root)).toEqual([]);
  });

  test('that grows while it is read is CORRUPT', async () => {
    const content = await openLayout(root).openBlob(large);
    let length = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of content) {
        if (length === 0) await appendFile(blobFile(large.digest), 'more');
        length += chunk.length;
      }
    };
    await expect(read()).rejects.toMatchObject({
      code: 'CORRUPT',
      why: `it has more than the ${size} bytes in its descriptor`,
    });
    expect(length).toBe(size);
  });

  test('that is damaged is CORRUPT at its end', async () => {
    const content = await openLayout(root).openBlob(large);
    await writeFile(blobFile(large.digest), Buffer.alloc(size, 'damaged'));
    const read = async (): Promise<void> => {
      for await (const _ of content);
    };
    await expect(read()).rejects.toMatchObject({
      code: 'CORRUPT',
      what: `reading oci-layout://${root}@${large.digest}`,
      why: `its digest is not ${large.digest}`,
    });
  });
});

describe('a tag', () => {
  test('that does not exist is NOT_FOUND, with the existing ones', async () => {
    await expect(openLayout(root).getManifest('latest')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `reading oci-layout://${root}:latest failed: the layout has no tag latest`,
      hint: expect.stringMatching(
        /^available tags: linux-amd64, linux-arm64v8, .*, windows-amd64$/,
      ),
    });
  });

  test('that does not exist lists ten, counts the rest and quotes invalid ones', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `t${i}`);
    await setIndex(['a\nb', ...names].map((name) => named(name, ABSENT, 1)));
    await expect(openLayout(root).getManifest('latest')).rejects.toMatchObject({
      hint: 'available tags: "a\\nb", t0, t1, t2, t3, t4, t5, t6, t7, t8 and 3 more',
    });
    await setIndex([]);
    await expect(openLayout(root).getManifest('latest')).rejects.toMatchObject({
      hint: 'its images have no tags: use a digest',
    });
  });

  test('matches an exact name before a full reference', async () => {
    const [a, b] = (await fixtureIndex()).manifests;
    await setIndex([named('example.com/app:1', a!.digest, a!.size)]);
    expect((await openLayout(root).getManifest('1')).digest).toBe(a!.digest);
    await setIndex([
      named('example.com/app:1', a!.digest, a!.size),
      named('1', b!.digest, b!.size),
    ]);
    expect((await openLayout(root).getManifest('1')).digest).toBe(b!.digest);
  });

  test('is refused if full references with it name different images', async () => {
    const [a, b] = (await fixtureIndex()).manifests;
    await setIndex([
      named('example.com/a:1', a!.digest, a!.size),
      named('example.com/b:1', b!.digest, b!.size),
    ]);
    await expect(openLayout(root).getManifest('1')).rejects.toMatchObject({
      code: 'USAGE',
      reason: 'ambiguous-name',
      why: `1 refers to several images: example.com/a:1 (${a!.digest}), example.com/b:1 (${b!.digest})`,
    });
  });

  test('is found although another entry is damaged', async () => {
    const [a] = (await fixtureIndex()).manifests;
    await setIndex([{ digest: 7 }, named('1', a!.digest, a!.size)]);
    expect((await openLayout(root).getManifest('1')).digest).toBe(a!.digest);
  });

  test('whose blob is missing is NOT_FOUND', async () => {
    await setIndex([named('1', ABSENT, 1)]);
    await expect(openLayout(root).getManifest('1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      why: `the layout has no blob ${ABSENT}`,
    });
  });
});

describe('CORRUPT is', () => {
  test('other bytes of the same size', async () => {
    const { digest } = await openLayout(root).getManifest('linux-amd64');
    const bytes = await readFile(blobFile(digest));
    bytes[bytes.length - 2]! ^= 1;
    await writeFile(blobFile(digest), bytes);
    await expect(openLayout(root).getManifest('linux-amd64')).rejects.toMatchObject({
      code: 'CORRUPT',
      why: `${blobFile(digest)}: the content is damaged: its digest is not ${digest}`,
    });
  });

  test('another size than that of the entry or the caller', async () => {
    const layout = openLayout(root);
    const { digest, size } = await layout.getManifest('linux-amd64');
    const expected = { mediaType: OCI_MANIFEST, digest, size: size + 1 };
    const error = { code: 'CORRUPT', message: expect.stringContaining(`has ${size} bytes, its`) };
    await expect(layout.getManifest(digest, expected)).rejects.toMatchObject(error);
    await expect(layout.getManifest('linux-amd64', expected)).rejects.toMatchObject(error);
    await expect(layout.getBlob(expected)).rejects.toMatchObject(error);
    await truncate(blobFile(digest), size - 1);
    await expect(layout.getManifest('linux-amd64')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('a tag that moved since its descriptor was read', async () => {
    const expected = { mediaType: OCI_MANIFEST, digest: ABSENT, size: 1 };
    await expect(openLayout(root).getManifest('linux-amd64', expected)).rejects.toMatchObject({
      code: 'CORRUPT',
    });
  });

  test.skipIf(IS_WINDOWS).each<[string, () => string]>([
    ['index.json', () => path.join(root, 'index.json')],
    ['oci-layout', () => path.join(root, 'oci-layout')],
    ['a blob', () => blobFile(amd64.digest)],
  ])('%s that is a link, a named pipe, a socket or a directory', async (_, fileOf) => {
    const file = fileOf();
    const kept = path.join(scratch, 'kept');
    await rename(file, kept);
    await symlink(kept, file);
    const error = { code: 'CORRUPT', why: `${file}: it is a symbolic link, which is not followed` };
    const read = () => openLayout(root).getManifest('linux-amd64');
    await expect(read()).rejects.toMatchObject(error);
    await rm(file);
    execFileSync('mkfifo', [file]);
    const irregular = { code: 'CORRUPT', why: `${file}: it is not a regular file` };
    await expect(read()).rejects.toMatchObject(irregular);
    await rm(file);
    // The path of a socket must be short.
    const socket = path.join(scratch, 's');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    await rename(socket, file);
    await expect(read()).rejects.toMatchObject(irregular);
    server.close();
    await rm(file, { force: true });
    await mkdir(file);
    await expect(read()).rejects.toMatchObject(irregular);
  });

  test.skipIf(IS_WINDOWS).each(['blobs', 'blobs/sha256'])(
    'the directory %s is a symbolic link',
    async (name) => {
      const directory = path.join(root, name);
      await rename(directory, path.join(scratch, 'elsewhere'));
      await symlink(path.join(scratch, 'elsewhere'), directory);
      const layout = openLayout(root);
      for (const read of [
        () => layout.getManifest('linux-amd64'),
        () => layout.getManifest(amd64.digest),
        () => layout.getBlob(amd64),
        () => layout.openBlob(amd64),
        () => layout.blobSize(amd64),
        () => layout.referrers(amd64.digest),
      ]) {
        await expect(read()).rejects.toMatchObject({
          code: 'CORRUPT',
          why: `${directory}: it is a symbolic link, which is not followed`,
          hint: 'replace the link with the directory itself',
        });
      }
    },
  );

  test.skipIf(IS_WINDOWS)('a directory that becomes a link while a blob is open', async () => {
    const content = await openLayout(root).openBlob(amd64);
    const directory = path.join(root, 'blobs');
    await rename(directory, path.join(scratch, 'elsewhere'));
    await symlink(path.join(scratch, 'elsewhere'), directory);
    await expect(readAll(content)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('a document of more than 4 MiB, which is not read', async () => {
    const { digest } = await openLayout(root).getManifest('linux-amd64');
    await truncate(blobFile(digest), 2 ** 40);
    await expect(openLayout(root).getManifest(digest)).rejects.toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining('more than the limit of 4194304 for'),
    });
  });

  test('a media type on which entry and document disagree', async () => {
    const [a] = (await fixtureIndex()).manifests;
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    await setIndex([{ ...named('1', a!.digest, a!.size), mediaType }]);
    await expect(openLayout(root).getManifest('1')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test.each([
    ['not JSON', '{', /index\.json: .* at character 2$/],
    ['not an object', '[]', /index\.json: the document is not an object$/],
    ['without a list', '{"manifests":1}', /index\.json: manifests is not a list$/],
  ])('an index.json that is %s', async (_, text, why) => {
    await writeFile(path.join(root, 'index.json'), text);
    await expect(openLayout(root).getManifest('1')).rejects.toMatchObject({
      code: 'CORRUPT',
      why: expect.stringMatching(why),
    });
  });

  test('an entry with a digest that leaves the directory', async () => {
    const digest = 'sha256:../../../etc/passwd' as Digest;
    await setIndex([named('1', digest, 1)]);
    await expect(openLayout(root).getManifest('1')).rejects.toMatchObject({
      code: 'CORRUPT',
      why: expect.stringContaining('manifests[0].digest is not a digest'),
    });
  });
});

test.each(['sha256:../../index.json', `sha256:${'a'.repeat(63)}`, '../x', 'a/b', ''])(
  'a string that is neither a tag nor a digest never becomes a path: %j',
  async (text) => {
    const layout = openLayout(root);
    const code = text === '' ? 'USAGE' : 'NOT_FOUND';
    await expect(layout.getManifest(text)).rejects.toMatchObject({ code });
    const descriptor = { mediaType: OCI_MANIFEST, digest: text as Digest, size: 1 };
    await expect(layout.getBlob(descriptor)).rejects.toMatchObject({ code: 'USAGE' });
  },
);

describe('not a layout:', () => {
  test('a directory that does not exist', async () => {
    const missing = path.join(scratch, 'missing');
    await expect(openLayout(missing).getManifest('1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `reading oci-layout://${missing}:1 failed: the directory ${missing} does not exist`,
      hint: expect.stringContaining('skopeo copy'),
    });
  });

  test('a directory without oci-layout', async () => {
    await rm(path.join(root, 'oci-layout'));
    await expect(openLayout(root).getManifest('linux-amd64')).rejects.toMatchObject({
      code: 'FAILED',
      why: `${root} is not an OCI image layout: it has no oci-layout file`,
      hint: expect.stringContaining('oci:PATH:TAG'),
    });
  });

  test('a directory without index.json', async () => {
    await rm(path.join(root, 'index.json'));
    await expect(openLayout(root).getManifest('linux-amd64')).rejects.toMatchObject({
      code: 'CORRUPT',
      why: `${root}: the layout has no index.json`,
    });
  });

  test('an archive', async () => {
    const archive = path.join(scratch, 'image.tar');
    await writeFile(archive, '');
    await expect(openLayout(archive).getManifest('1')).rejects.toMatchObject({
      code: 'FAILED',
      hint: `for an archive, use oci-archive://${archive} or docker-archive://${archive}`,
    });
    await expect(openLayout(path.join(archive, 'x')).getManifest('1')).rejects.toMatchObject({
      code: 'FAILED',
      why: `${path.join(archive, 'x')}: a part of the path is not a directory`,
    });
  });

  test.each([
    ['{"imageLayoutVersion":"2.0.0"}', 'FAILED'],
    ['{"imageLayoutVersion":1}', 'CORRUPT'],
    ['{}', 'CORRUPT'],
    ['nothing', 'CORRUPT'],
  ])('an oci-layout file that says %s', async (text, code) => {
    await writeFile(path.join(root, 'oci-layout'), text);
    await expect(openLayout(root).getManifest('linux-amd64')).rejects.toMatchObject({ code });
  });

  // Root is never denied anything, so the error is made by hand.
  test('a directory that may not be read is DENIED', async () => {
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/x/index.json' });
    await expect(guarded('reading x', '/x', () => Promise.reject(denied))).rejects.toMatchObject({
      code: 'DENIED',
      why: '/x/index.json: permission denied',
    });
  });
});
