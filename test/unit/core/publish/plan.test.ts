import { describe, expect, test } from 'vitest';
import type { FetchedManifest, ImageReader } from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import type { ImageManifest } from '../../../../src/oci/documents.js';
import { OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { parseReference } from '../../../../src/oci/reference.js';
import type { IndexRequest } from '../../../../src/core/publish/request.js';
import type { ResolvedImage } from '../../../../src/core/publish/resolved-image.js';
import { tagsOf } from '../../../../src/core/publish/request.js';
import { blobsOf, planPush } from '../../../../src/core/publish/plan.js';

const reader = (name: string): ImageReader => ({
  name,
  getManifest: () => Promise.reject(new Error('pure')),
  getBlob: () => Promise.reject(new Error('pure')),
  openBlob: () => Promise.reject(new Error('pure')),
  blobSize: () => Promise.reject(new Error('pure')),
  listTags: () => Promise.reject(new Error('pure')),
  referrers: () => Promise.reject(new Error('pure')),
});
const HERE = reader('e.co/app');
const THERE = reader('e.co/other');

function blob(name: string, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'): Descriptor {
  return { mediaType, digest: digestOf(Buffer.from(name)), size: 1 };
}

function manifest(
  name: string,
  layers?: Descriptor[],
): FetchedManifest & { document: ImageManifest } {
  const bytes = Buffer.from(name);
  const document: ImageManifest = {
    kind: 'manifest',
    schemaVersion: 2,
    config: blob(`${name} config`, 'c'),
    ...(layers === undefined ? {} : { layers }),
  };
  return { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length, bytes, document };
}

function image(name: string, source: ImageReader): ResolvedImage {
  const content = manifest(name, [blob(`${name} layer`), blob('shared')]);
  return { entry: content, manifest: content, source, name };
}

function requestFor(target: string, tags: string[]): IndexRequest {
  return {
    target: parseReference(target),
    tags,
    type: 'oci',
    annotations: new Map(),
    ignoreMissing: false,
    sources: [],
  };
}

function plan(images: ResolvedImage[], tags: [string, string?][] = []) {
  const held = tags.map(
    ([tag, name]) => [tag, name === undefined ? undefined : manifest(name).digest] as const,
  );
  const content = { root: manifest('index'), images };
  return planPush(content, new Map(held), (source) => source === HERE);
}

describe('planPush', () => {
  test('writes each child once, with its blobs, and the root last', () => {
    const { children, root } = plan([image('a', THERE), image('b', THERE), image('a', THERE)]);
    expect(children.map((child) => child.manifest)).toEqual([
      manifest('a', [blob('a layer'), blob('shared')]),
      manifest('b', [blob('b layer'), blob('shared')]),
    ]);
    expect(children[0]!.blobs).toEqual([blob('a config', 'c'), blob('a layer'), blob('shared')]);
    expect(children.every(({ source }) => source === THERE)).toBe(true);
    expect(root.digest).toBe(manifest('index').digest);
  });

  test('writes no child that the target holds', () => {
    expect(plan([image('a', HERE), image('b', HERE)]).children).toEqual([]);
    expect(plan([image('a', HERE), image('b', THERE)]).children).toHaveLength(1);
  });

  test('moves the tags that name something else, and leaves those that point to the root', () => {
    const { tags, unchanged } = plan([], [['new'], ['old', 'other'], ['same', 'index']]);
    expect(tags).toEqual(['new', 'old']);
    expect(unchanged).toEqual(['same']);
  });
});

describe('tagsOf', () => {
  test.each<[string, string[], string[]]>([
    ['e.co/app:1', [], ['1']],
    ['e.co/app:1', ['2', '3'], ['1', '2', '3']],
    ['e.co/app:1', ['2', '1', '2'], ['1', '2']],
    ['e.co/app', [], []],
    ['e.co/app', ['2'], ['2']],
    [`e.co/app:1@sha256:${'0'.repeat(64)}`, [], ['1']],
  ])('of %s with the tags %j are %j', (target, tags, all) => {
    expect(tagsOf(requestFor(target, tags))).toEqual(all);
  });
});

describe('blobsOf', () => {
  test('has the config first, then each layer once', () => {
    const layers = [blob('a'), blob('b'), blob('a')];
    expect(blobsOf(manifest('m', layers))).toEqual([blob('m config', 'c'), blob('a'), blob('b')]);
    expect(blobsOf(manifest('m'))).toEqual([blob('m config', 'c')]);
  });

  test.each([
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ])('never has a layer of type %s', (mediaType) => {
    expect(blobsOf(manifest('m', [blob('a'), blob('f', mediaType)]))).toEqual([
      blob('m config', 'c'),
      blob('a'),
    ]);
  });
});
