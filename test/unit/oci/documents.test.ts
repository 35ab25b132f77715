import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/oci/image-config.js';
import {
  AmbiguousDocument,
  parseDocument,
  type ImageDocument,
} from '../../../src/oci/documents.js';
import {
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../../src/oci/media-types.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const CONFIG = { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 };
const ENTRY = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 7 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [] };
const INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [ENTRY] };

function read(value: object | string, wireType?: string) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return parseDocument(Buffer.from(text), wireType);
}

function withEntry(change: object): object {
  return { ...INDEX, manifests: [ENTRY, { ...ENTRY, ...change }] };
}

function entries(document: ImageDocument): readonly object[] {
  if (document.kind !== 'index') throw new Error('it is no index');
  return document.manifests;
}

describe('the type of a document', () => {
  test.each<[string, object, string | undefined, string]>([
    ['its own word', INDEX, undefined, OCI_INDEX],
    ['its own word and the wire', INDEX, OCI_INDEX, OCI_INDEX],
    ['the wire with parameters', INDEX, `${OCI_INDEX}; charset=utf-8`, OCI_INDEX],
    ['its own word, where the wire has none', IMAGE, 'text/plain', OCI_MANIFEST],
    ['the wire', { manifests: [] }, DOCKER_MANIFEST_LIST, DOCKER_MANIFEST_LIST],
    ['the wire, for an image', { config: CONFIG }, DOCKER_MANIFEST, DOCKER_MANIFEST],
    ['the form of an index', { manifests: [] }, 'application/json', OCI_INDEX],
    ['the form of an image', { config: CONFIG }, undefined, OCI_MANIFEST],
    ['the shape, where its word is empty', { mediaType: '', manifests: [] }, '', OCI_INDEX],
    ['the shape, where its word is null', { mediaType: null, manifests: [] }, '', OCI_INDEX],
    ['an image whose manifests are null', { ...IMAGE, manifests: null }, '', OCI_MANIFEST],
  ])('is %s', (_what, value, wireType, mediaType) => {
    const parsed = read(value, wireType);
    expect(parsed.mediaType).toBe(mediaType);
    expect(parsed.document.kind).toBe(/index|list/.test(mediaType) ? 'index' : 'manifest');
  });

  test.each<[string, object, string | undefined, RegExp]>([
    ['both manifests and layers', { ...INDEX, layers: [] }, undefined, /ambiguous/],
    ['both manifests and config', { ...INDEX, config: CONFIG }, undefined, /ambiguous/],
    ['both, served as an image', { ...IMAGE, manifests: [] }, OCI_MANIFEST, /ambiguous/],
    ['both, served as an index', { ...IMAGE, manifests: [] }, OCI_INDEX, /ambiguous/],
    ['both manifests and fsLayers', { ...INDEX, fsLayers: [] }, undefined, /ambiguous/],
    ['an index served as an image', INDEX, OCI_MANIFEST, /but it was served as/],
    ['an image served as an index', IMAGE, OCI_INDEX, /but it was served as/],
    ['an OCI index served as an index', INDEX, DOCKER_MANIFEST_LIST, /but it was served as/],
    [
      'the form of an index, served as an image',
      { manifests: [] },
      OCI_MANIFEST,
      /looks like an i/,
    ],
    [
      'the form of an image, served as an index',
      { config: CONFIG },
      OCI_INDEX,
      /looks like an image/,
    ],
    [
      'an index that says it is an image',
      { ...INDEX, mediaType: OCI_MANIFEST },
      '',
      /looks like an/,
    ],
    [
      'an image that says it is an index',
      { ...IMAGE, mediaType: OCI_INDEX },
      '',
      /looks like an im/,
    ],
    ['another type', { ...IMAGE, mediaType: 'a/b' }, undefined, /"a\/b" is neither/],
    ['another type than that of the wire', { ...IMAGE, mediaType: 'a/b' }, OCI_MANIFEST, /neither/],
    [
      'schema version 1',
      { schemaVersion: 1, fsLayers: [] },
      undefined,
      /schema version 1, which is not supported/,
    ],
    [
      'schema version 1 by its number',
      { schemaVersion: 1, manifests: [] },
      undefined,
      /schema version 1, which is not supported/,
    ],
    [
      'schema version 1 by its layers',
      { fsLayers: null },
      undefined,
      /schema version 1, which is not supported/,
    ],
  ])('is refused: %s', (_what, value, wireType, message) => {
    expect(() => read(value, wireType)).toThrow(message);
  });
});

describe('an ambiguous document', () => {
  const text = JSON.stringify(INDEX);
  const other = `sha256:${'b'.repeat(64)}`;
  const withMember = (member: string): string => text.replace('{', `{${member},`);
  const withEntryMember = (member: string): string => text.replace('[{', `[{${member},`);
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  test.each<[string, string | Buffer, string]>([
    [
      'two lists in another case',
      withMember('"Manifests":[]'),
      'the document has both "Manifests" and "manifests"',
    ],
    [
      'two lists in letters that Go takes for others',
      withMember('"manife\u017fts":[]'),
      'has both "manife\u017fts" and "manifests"',
    ],
    [
      'a list in another case',
      text.replace('manifests', 'Manifests'),
      'Manifests is not spelled "manifests"',
    ],
    [
      'two digests in another case',
      withEntryMember(`"Digest":"${other}"`),
      'manifests[0] has both "Digest" and "digest"',
    ],
    [
      'two digests',
      withEntryMember(`"digest":"${other}"`),
      'the key "digest" occurs twice in one object, at character ',
    ],
    ['an annotation twice', withMember('"annotations":{"a":"1","a":"2"}'), 'the key "a" occurs'],
    ['an unknown member twice', withMember('"x":[{"a":1,"a":1}]'), 'the key "a" occurs twice'],
    [
      'a platform in another case',
      withEntryMember('"platform":{"os":"linux","Architecture":"arm"}'),
      'manifests[0].platform.Architecture is not spelled "architecture"',
    ],
    ['data of other content', withEntryMember('"data":"e30="'), 'data is not the content with'],
    ['data that is not base64', withEntryMember('"data":"e30"'), 'data is not base64'],
    [
      'bytes that are not UTF-8',
      Buffer.from(withMember('"annotations":{"a":"\u00e9"}'), 'latin1'),
      'it is not UTF-8',
    ],
    ['a byte order mark', `\ufeff${text}`, 'it begins with a byte order mark (BOM)'],
  ])('is one with %s', (_what, content, message) => {
    let thrown: unknown;
    try {
      parseDocument(Buffer.from(content), OCI_INDEX);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(AmbiguousDocument);
    const { faults, parsed } = thrown as AmbiguousDocument;
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(message);
    expect(parsed.document.kind).toBe('index');
  });

  test.each<[string, string]>([
    ['annotations in another case', withMember('"annotations":{"a":"1","A":"2"}')],
    ['data of its content', text.replace(`"${DIGEST}","size":7`, `"${empty}","size":0,"data":""`)],
    [
      'data with line breaks',
      text.replace(
        `"${DIGEST}","size":7`,
        '"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e3\\n0="',
      ),
    ],
    ['null entries', '{"schemaVersion":2,"manifests":null}'],
  ])('is not one with %s', (_what, content) => {
    expect(read(content).document.kind).toBe('index');
  });
});

describe('a field', () => {
  test.each<[string, object | string, RegExp]>([
    ['no object', '[]', /^the document is not an object/],
    ['no JSON', '{', /character/],
    [
      'a version that is text',
      { ...INDEX, schemaVersion: '2' },
      /^schemaVersion is not an integer/,
    ],
    ['a type that is no text', { ...INDEX, mediaType: 2 }, /^mediaType is not a string/],
    ['entries that are no list', { ...INDEX, manifests: {} }, /^manifests is not a list/],
    ['an entry that is null', { ...INDEX, manifests: [null] }, /^manifests\[0\] is not an object/],
    [
      'an entry without type',
      withEntry({ mediaType: undefined }),
      /^manifests\[1\]\.mediaType is m/,
    ],
    [
      'an entry of empty type',
      withEntry({ mediaType: '' }),
      /^manifests\[1\]\.mediaType is missing/,
    ],
    ['an entry without digest', withEntry({ digest: null }), /^manifests\[1\]\.digest is missing/],
    [
      'a digest that is a path',
      withEntry({ digest: 'sha256:../../x' }),
      /\.digest is not a digest/,
    ],
    ['a digest of no known kind', withEntry({ digest: 'md5:0' }), /\.digest is not a digest/],
    ['a digest that is no text', withEntry({ digest: 1 }), /\.digest is not a string/],
    [
      'a size below zero',
      withEntry({ size: -1 }),
      /^manifests\[1\]\.size is not a valid size in bytes/,
    ],
    ['a size of 2^53', withEntry({ size: 2 ** 53 }), /\.size is not a valid size in bytes/],
    ['a size of 2^62', withEntry({ size: 2 ** 62 }), /\.size is not a valid size in bytes/],
    ['a broken size', withEntry({ size: 1.5 }), /\.size is not a valid size in bytes/],
    ['a size that is text', withEntry({ size: '7' }), /\.size is not a valid size in bytes/],
    ['no size', withEntry({ size: undefined }), /\.size is not a valid size in bytes/],
    ['a platform that is text', withEntry({ platform: 'linux' }), /\.platform is not an object/],
    ['an os that is no text', withEntry({ platform: { os: 1 } }), /\.platform\.os is not a string/],
    ['features that are text', withEntry({ platform: { 'os.features': 'x' } }), /list of strings/],
    ['urls of numbers', withEntry({ urls: [1] }), /\.urls is not a list of strings/],
    ['annotations in a list', withEntry({ annotations: [] }), /\.annotations is not an object/],
    [
      'an annotation of no text',
      withEntry({ annotations: { k: 1 } }),
      /annotations\["k"\] is not a/,
    ],
    ['an image without config', { ...IMAGE, config: undefined }, /^config is missing/],
    ['an image whose config is null', { ...IMAGE, config: null }, /^config is missing/],
    ['a config that is a list', { ...IMAGE, config: [] }, /^config is not an object/],
    [
      'a layer without size',
      { ...IMAGE, layers: [{ ...CONFIG, size: null }] },
      /^layers\[0\]\.size/,
    ],
    ['a subject without digest', { ...IMAGE, subject: { mediaType: 'a' } }, /^subject\.digest/],
  ])('is refused: %s', (_what, value, message) => {
    expect(() => read(value)).toThrow(message);
  });

  test('a size with an exponent or of 2^53+1 is judged by its text', () => {
    const text = JSON.stringify(INDEX);
    for (const size of ['9007199254740993', '7e0', '7.0', '-0']) {
      expect(() => read(text.replace('"size":7', `"size":${size}`))).toThrow(/valid size in bytes/);
    }
    expect(() => read(text.replace('"size":7', '"size":9007199254740991'))).not.toThrow();
  });

  test('an index has at most 10,000 entries', () => {
    const of = (count: number): object => ({
      ...INDEX,
      manifests: Array.from({ length: count }, () => ENTRY),
    });
    expect(entries(read(of(10_000)).document)).toHaveLength(10_000);
    expect(() => read(of(10_001))).toThrow('manifests has 10001 entries, more than 10000');
  });
});

describe('a document', () => {
  test('of an index is read whole, entries of unknown types too', () => {
    const platform = { os: 'windows', architecture: 'amd64' };
    const odd = {
      mediaType: 'application/x',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
      urls: ['u'],
      data: 'e30=',
      annotations: {
        b: '2',
        a: '1',
      },
      platform: {
        ...platform,
        'os.version': '10',
        'os.features': ['f'],
        variant: 'v1',
      },
      artifactType: 'application/y',
      unknown: 1,
    };
    const value = { ...INDEX, manifests: [odd], annotations: { k: 'v' }, subject: ENTRY };
    const { document } = read(value);
    expect(document).toMatchObject({ kind: 'index', schemaVersion: 2, subject: ENTRY });
    expect(document.annotations).toEqual(new Map([['k', 'v']]));
    const { unknown: _, ...known } = odd;
    expect(entries(document)).toEqual([
      {
        ...known,
        annotations: new Map([
          ['b', '2'],
          ['a', '1'],
        ]),
        platform: { ...platform, osVersion: '10', osFeatures: ['f'], variant: 'v1' },
      },
    ]);
  });

  test('of an image keeps an absent list of layers apart from an empty one', () => {
    expect(read(IMAGE).document).toHaveProperty('layers', []);
    expect(read({ ...IMAGE, layers: null }).document).not.toHaveProperty('layers');
  });

  test('has empty members of a platform left out', () => {
    const empty = { os: '', 'os.version': '', 'os.features': [], variant: '' };
    expect(entries(read(withEntry({ platform: empty })).document)[1]).toEqual({
      ...ENTRY,
      platform: { os: '', architecture: '' },
    });
    expect(entries(read(withEntry({ platform: null })).document)[1]).toEqual(ENTRY);
  });

  test('is read from its own part of a larger buffer', () => {
    const bytes = Buffer.from(`xx${JSON.stringify(INDEX)}xx`);
    expect(parseDocument(new Uint8Array(bytes).subarray(2, -2), undefined).mediaType).toBe(
      OCI_INDEX,
    );
  });
});

describe('parseConfig', () => {
  test('reads the platform, and keeps the whole document', () => {
    const json = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '', rootfs: {} };
    const config = parseConfig(Buffer.from(JSON.stringify(json)));
    expect(config.platform).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
    expect([...config.json.keys()]).toEqual(Object.keys(json));
  });

  test('has no platform if the config names none', () => {
    expect(parseConfig(Buffer.from('{}')).platform).toBeUndefined();
  });

  test('allows labels in another case, and members of any form that it does not read', () => {
    const config = { Labels: { a: '1', A: '2' } };
    expect(() => parseConfig(Buffer.from(JSON.stringify({ config, rootfs: 'x' })))).not.toThrow();
  });

  test('allows bytes that are not UTF-8, but not in the platform', () => {
    const latin1 = (json: object) => Buffer.from(JSON.stringify(json), 'latin1');
    const platform = { os: 'linux', architecture: 'arm' };
    expect(parseConfig(latin1({ ...platform, author: 'é' })).platform).toEqual(platform);
    expect(() => parseConfig(latin1({ ...platform, variant: 'é' }))).toThrow(/not UTF-8/);
  });

  test.each([
    '{"config":{"Entrypoint":["a"],"entrypoint":["b"]}}',
    '{"rootfs":{"diff_ids":[],"DIFF_IDS":["x"]}}',
    '{"os":"linux","OS":"windows"}',
    '{"os":"linux","os":"windows"}',
    '{"Os":"linux"}',
  ])('refuses the ambiguous %s', (text) => {
    expect(() => parseConfig(Buffer.from(text))).toThrow(/both|twice|not spelled/);
  });

  test.each(['', '[]', 'null', '"x"', '{"os":1}', '{"os.features":"x"}', 'PK\u0003\u0004'])(
    'refuses %j',
    (text) => {
      expect(() => parseConfig(Buffer.from(text))).toThrow();
    },
  );
});
