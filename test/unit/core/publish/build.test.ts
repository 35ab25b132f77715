import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ImageReader } from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import type { ImageManifest } from '../../../../src/oci/documents.js';
import { OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import { parsePlatform } from '../../../../src/oci/platform.js';
import { parseReference } from '../../../../src/oci/reference.js';
import { buildIndex } from '../../../../src/core/publish/build.js';
import { checkRequest, type IndexRequest } from '../../../../src/core/publish/request.js';
import type { ResolvedImage } from '../../../../src/core/publish/resolved-image.js';

const SOURCE: ImageReader = {
  listTags: () => Promise.reject(new Error('pure')),
  name: 'e.co/app',
  getManifest: () => Promise.reject(new Error('pure')),
  getBlob: () => Promise.reject(new Error('pure')),
  openBlob: () => Promise.reject(new Error('pure')),
  blobSize: () => Promise.reject(new Error('pure')),
  referrers: () => Promise.reject(new Error('pure')),
};

function request(change: Partial<IndexRequest> = {}): IndexRequest {
  return {
    target: parseReference('e.co/app:1'),
    tags: [],
    type: 'oci',
    annotations: new Map(),
    ignoreMissing: false,
    sources: [{ reference: parseReference('e.co/app:x'), platform: {}, onlyPlatform: false }],
    ...change,
  };
}

function image(name: string, entry: Partial<Descriptor>): ResolvedImage {
  const bytes = Buffer.from(name);
  const content = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  const document: ImageManifest = { kind: 'manifest', schemaVersion: 2, config: content };
  return {
    entry: { ...content, ...entry },
    manifest: { ...content, bytes, document },
    source: SOURCE,
    name,
  };
}

const of = (name: string, platform: string): ResolvedImage =>
  image(name, { platform: parsePlatform(platform) });
const attestation = (name: string): ResolvedImage =>
  image(name, {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: new Map([['vnd.docker.reference.type', 'attestation-manifest']]),
  });

function order(images: ResolvedImage[]): string[] {
  const list = JSON.parse(Buffer.from(buildIndex(request(), images).bytes).toString()) as {
    manifests: { digest: string }[];
  };
  return list.manifests.map(
    ({ digest }) => images.find(({ manifest }) => manifest.digest === digest)!.name,
  );
}

describe('buildIndex', () => {
  test('has images in the order of the request, and attestations after all of them', () => {
    const images = [
      attestation('a1'),
      of('amd64', 'linux/amd64'),
      attestation('a2'),
      of('386', 'linux/386'),
      of('arm', 'linux/arm/v7'),
    ];
    expect(order(images)).toEqual(['amd64', '386', 'arm', 'a1', 'a2']);
  });

  test('keeps the place of an attestation that the request names itself', () => {
    const images = [
      attestation('a1'),
      of('amd64', 'linux/amd64'),
      { ...attestation('named'), isNamed: true },
      of('arm', 'linux/arm/v7'),
    ];
    expect(order(images)).toEqual(['amd64', 'named', 'arm', 'a1']);
  });

  describe('annotates entries', () => {
    const annotated = (name: string, platform: string) =>
      image(name, { platform: parsePlatform(platform), annotations: new Map([['a', '1']]) });
    const changes = (platform: string | undefined, ...pairs: [string, string | undefined][]) => ({
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      annotations: new Map(pairs),
    });
    const build = (change: Partial<IndexRequest>) => {
      const images = [annotated('x', 'linux/amd64'), of('y', 'linux/386'), attestation('z')];
      const { manifests } = JSON.parse(
        Buffer.from(buildIndex(request(change), images).bytes).toString(),
      ) as { manifests: { annotations?: Record<string, string> }[] };
      return manifests.slice(0, 2).map(({ annotations }) => annotations);
    };

    test.each<[string, ReturnType<typeof changes>[], (object | undefined)[]]>([
      ['sets one', [changes('linux/386', ['b', '2'])], [{ a: '1' }, { b: '2' }]],
      ['removes one', [changes(undefined, ['a', undefined])], [undefined, undefined]],
      [
        'in the order given',
        [changes(undefined, ['b', '2']), changes('linux/386', ['b', undefined])],
        [{ a: '1', b: '2' }, undefined],
      ],
    ])('%s', (_what, entryAnnotations, expected) => {
      expect(build({ entryAnnotations })).toEqual(expected);
    });

    test('is refused for a platform that no image has, with those that there are', () => {
      const entryAnnotations = [changes('linux/s390x', ['b', '2'])];
      expect(() => build({ entryAnnotations })).toThrow(
        expect.objectContaining({
          code: 'NOT_FOUND',
          why: expect.stringMatching(/linux\/s390x.* linux\/amd64, linux\/386$/) as string,
        }),
      );
      expect(build({ entryAnnotations, ignoreMissing: true })).toEqual([{ a: '1' }, undefined]);
    });
  });

  test('has an artifact type between its media type and its entries', () => {
    const index = buildIndex(request({ artifactType: 'a/b' }), [of('x', 'linux/amd64')]);
    expect(Buffer.from(index.bytes).toString()).toMatch(
      /"mediaType": "[^"]*",\n {2}"artifactType": "a\/b",\n {2}"manifests"/,
    );
  });

  test('gives the same bytes for the same images', () => {
    const platforms = fc.uniqueArray(
      fc.constantFrom('linux/amd64', 'linux/386', 'linux/arm/v7', 'linux/arm/v6', 'windows/amd64'),
    );
    const same = fc.property(platforms, fc.constantFrom('docker', 'oci'), (list, type) => {
      const build = (): string =>
        buildIndex(
          request({ type }),
          list.map((text) => of(text, text)),
        ).digest;
      expect(build()).toBe(build());
    });
    fc.assert(same, { numRuns: 100 });
  });

  test.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/arm/v7', 'linux/arm/v7', true],
    ['linux/arm/v7', 'linux/arm/v6', false],
    ['linux/arm', 'linux/arm/v7', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['windows/amd64:10.0.1', 'windows/amd64:10.0.2', false],
    ['windows/amd64:10.0.1', 'windows/amd64:10.0.1', true],
  ])('of %s and %s is refused as two of one platform: %s', (a, b, refused) => {
    const build = () => buildIndex(request(), [of('x', a), of('y', b)]);
    if (!refused) expect(build).not.toThrow();
    else {
      expect(build).toThrow(expect.objectContaining({ code: 'USAGE' }));
      expect(build).toThrow(/two images have the platform .*: x \(sha256:.*\) and y \(sha256:/);
    }
  });

  test('takes several attestations, and several entries without platform', () => {
    const images = [attestation('a'), attestation('b'), image('x', {}), image('y', {})];
    expect(order(images)).toEqual(['x', 'y', 'a', 'b']);
  });

  test('is refused where it is larger than what registries take', () => {
    const large = new Map([['k', 'x'.repeat(4 << 20)]]);
    expect(() => buildIndex(request({ annotations: large }), [of('x', 'linux/amd64')])).toThrow(
      /more than the 4194304/,
    );
  });

  // A list that this program would refuse to read is not one that it should publish.
  test('is refused where it has more than 10,000 entries', () => {
    const images = Array.from({ length: 10_001 }, (_, i) => of(`x${i}`, `windows/amd64:10.0.${i}`));
    expect(() => buildIndex(request(), images.slice(1))).not.toThrow();
    expect(() => buildIndex(request(), images)).toThrow('10001 entries, more than 10000');
  });
});

describe('checkRequest', () => {
  const source = (text: string) => ({
    reference: parseReference(text),
    platform: {},
    onlyPlatform: false,
  });

  test.each<[string, Partial<IndexRequest>, RegExp]>([
    ['no images', { sources: [] }, /no images/],
    [
      'annotations of a Docker list',
      { type: 'docker', annotations: new Map([['a', 'b']]) },
      /no annot/,
    ],
    [
      'annotations of an entry of a Docker list',
      { type: 'docker', sources: [{ ...source('e.co/b'), annotations: new Map([['a', 'b']]) }] },
      /no annot/,
    ],
    ['an artifact type of a Docker list', { type: 'docker', artifactType: 'a/b' }, /no artifact/],
  ])('refuses %s', (_what, change, message) => {
    expect(() => checkRequest(request(change))).toThrow(message);
    expect(() => checkRequest(request(change))).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test.each<Partial<IndexRequest>>([
    {},
    { annotations: new Map([['a', 'b']]) },
    { type: 'docker', annotations: new Map([['a', undefined]]) },
    { sources: [source('e.co/other'), source('e.co/app:2')] },
    { target: parseReference('oci-layout://x'), sources: [source('oci-layout://y:1')] },
  ])('takes %j', (change) => {
    expect(() => checkRequest(request(change))).not.toThrow();
  });
});
