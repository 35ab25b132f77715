import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../../src/oci/digest.js';
import type { Descriptor } from '../../../../src/oci/descriptor.js';
import { encodeIndex } from '../../../../src/oci/json/encode-index.js';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../../../../src/oci/media-types.js';

const A = `sha256:${'a'.repeat(64)}` as Digest;
const B = `sha256:${'b'.repeat(64)}` as Digest;

const FULL: Descriptor = {
  mediaType: DOCKER_MANIFEST,
  digest: A,
  size: 1234,
  urls: ['https://example.com/?a=1&b=2'],
  annotations: new Map([
    ['b', '<x>'],
    ['10', 'ten'],
    ['B', 'é'],
    ['9', 'nine'],
  ]),
  platform: {
    variant: 'v8',
    osFeatures: ['f1', 'f2'],
    osVersion: '10.0.1',
    os: 'linux',
    architecture: 'arm64',
  },
};

const BARE: Descriptor = {
  mediaType: OCI_MANIFEST,
  digest: B,
  size: 0,
  urls: [],
  annotations: new Map(),
  platform: { architecture: 'amd64', os: 'linux' },
};

const ANNOTATIONS = `"annotations": {
        "10": "ten",
        "9": "nine",
        "B": "é",
        "b": "\\u003cx\\u003e"
      }`;
const PLATFORM = `"platform": {
        "architecture": "arm64",
        "os": "linux",
        "os.version": "10.0.1",
        "os.features": [
          "f1",
          "f2"
        ],
        "variant": "v8"
      }`;
const URLS = `"urls": [
        "https://example.com/?a=1\\u0026b=2"
      ]`;
const BARE_PLATFORM = `"platform": {
        "architecture": "amd64",
        "os": "linux"
      }`;

const DOCKER = `{
  "schemaVersion": 2,
  "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
  "manifests": [
    {
      "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
      "size": 1234,
      "digest": "${A}",
      ${URLS},
      ${ANNOTATIONS},
      ${PLATFORM}
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "size": 0,
      "digest": "${B}",
      ${BARE_PLATFORM}
    }
  ]
}`;

const OCI = `{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "manifests": [
    {
      "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
      "digest": "${A}",
      "size": 1234,
      ${URLS},
      ${ANNOTATIONS},
      ${PLATFORM}
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "${B}",
      "size": 0,
      ${BARE_PLATFORM}
    }
  ],
  "annotations": {
    "Aa": "é🚀",
    "org.opencontainers.image.title": "a \\u003cb\\u003e \\u0026 c",
    "zz": "\\u2028"
  }
}`;

const LIST_ANNOTATIONS = new Map([
  ['zz', '\u2028'],
  ['org.opencontainers.image.title', 'a <b> & c'],
  ['Aa', 'é🚀'],
]);

describe('encodeIndex', () => {
  test.each([
    ['docker', new Map<string, string>(), DOCKER],
    ['oci', LIST_ANNOTATIONS, OCI],
  ] as const)(
    'writes the bytes of a %s list with all that an entry can have',
    (type, map, text) => {
      const list = encodeIndex(type, [FULL, BARE], map);
      expect(Buffer.from(list.bytes).toString()).toBe(text);
      expect(list.mediaType).toBe((JSON.parse(text) as { mediaType: string }).mediaType);
      expect(list.size).toBe(Buffer.byteLength(text));
      expect(list.digest).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
    },
  );

  test('a Docker entry always has a platform, an OCI entry only where there is one', () => {
    const { platform: _, ...entry } = BARE;
    const text = (type: 'docker' | 'oci'): string =>
      Buffer.from(encodeIndex(type, [entry], new Map()).bytes).toString();
    expect(text('docker')).toContain(
      '"platform": {\n        "architecture": "",\n        "os": ""\n',
    );
    expect(text('oci')).not.toContain('platform');
  });

  test('an empty list is written as one, and no annotations are left out', () => {
    expect(Buffer.from(encodeIndex('oci', [], new Map()).bytes).toString()).toBe(
      '{\n  "schemaVersion": 2,\n  "mediaType": "application/vnd.oci.image.index.v1+json",\n  "manifests": []\n}',
    );
  });

  test('keeps what an OCI entry of another index had beside', () => {
    const entry = { ...BARE, data: 'e30=', artifactType: 'application/x' };
    const written = JSON.parse(
      Buffer.from(encodeIndex('oci', [entry], new Map()).bytes).toString(),
    ) as { manifests: object[] };
    expect(Object.keys(written.manifests[0]!)).toEqual([
      'mediaType',
      'digest',
      'size',
      'data',
      'platform',
      'artifactType',
    ]);
  });
});
