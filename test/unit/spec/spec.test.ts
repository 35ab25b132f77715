import { describe, expect, test } from 'vitest';
import type { Spec } from '../../../src/core/publish/request.js';
import { parseSpecs } from '../../../src/spec/spec.js';
import { formatReference } from '../../../src/oci/reference.js';

const LIST = 'manifests: [{image: e.co/a:x}]';

function read(text: string) {
  const warnings: string[] = [];
  const [spec] = parseSpecs(text, 'app.yaml', { warning: (warning) => warnings.push(warning) }) as [
    Spec,
  ];
  return { ...spec, warnings, images: spec.sources.map((each) => formatReference(each.reference)) };
}

/** The platform that the first image of a spec asks for. */
const platformOf = (yaml: string) =>
  read(`image: a\nmanifests:\n  - image: b\n    platform: ${yaml}\n`).sources[0]!.platform;

describe('a spec', () => {
  test('is read whole', () => {
    const spec = read(`# comment
image: e.co/app:1
tags: ['1.0', latest]
annotations:
  org.opencontainers.image.title: "A, b = c"
  count: 1
manifests:
  - image: e.co/app:amd64
    platform:
      os: linux
      architecture: amd64
  - image: e.co/app:arm
`);
    expect(formatReference(spec.target)).toBe('e.co/app:1');
    expect(spec.tags).toEqual(['1.0', 'latest']);
    expect([...spec.annotations]).toEqual([
      ['org.opencontainers.image.title', 'A, b = c'],
      ['count', '1'],
    ]);
    expect(spec.images).toEqual(['e.co/app:amd64', 'e.co/app:arm']);
    expect(spec.sources.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      {},
    ]);
    expect(spec.sources.map(({ onlyPlatform }) => onlyPlatform)).toEqual([true, undefined]);
    expect(spec).not.toHaveProperty('type');
    expect(spec.warnings).toEqual([]);
  });

  test('may leave out what is not needed, or have it empty', () => {
    for (const more of ['', 'tags:\nannotations:\n', 'tags: []\nannotations: {}\n', 'tags: ~\n']) {
      const { tags, annotations, warnings } = read(`image: a\n${more}${LIST}`);
      expect([tags, [...annotations], warnings]).toEqual([[], [], []]);
    }
  });

  test('is read with the line ends of Windows, a byte order mark, and as JSON', () => {
    expect(read(`\uFEFFimage: a:1\r\nmanifests:\r\n- image: b\r\n`).images).toHaveLength(1);
    expect(read('{"image": "a:1", "manifests": [{"image": "b"}]}').target.tag).toBe('1');
  });

  test('has its scalars as they are written', () => {
    const { tags } = read(`image: a\ntags: [1.10, 2, 0x10, 1e3, true, 2026-01-01]\n${LIST}`);
    expect(tags.join(' ')).toBe('1.10 2 0x10 1e3 true 2026-01-01');
    expect(platformOf('{os: linux, architecture: 386}')).toEqual({
      os: 'linux',
      architecture: '386',
    });
    expect(platformOf('{os: windows, architecture: amd64, osversion: 10.0}')).toMatchObject({
      osVersion: '10.0',
    });
    const { annotations } = read(`image: a\n${LIST}\nannotations: {a: 1.0, b: true, c: , 5: no}`);
    expect([...annotations]).toEqual([
      ['a', '1.0'],
      ['b', 'true'],
      ['c', ''],
      ['5', 'no'],
    ]);
  });

  test('has anchors and aliases', () => {
    const spec = read(`image: &name e.co/app
manifests:
  - image: *name
    platform: &p {os: linux, architecture: arm64}
  - {image: e.co/b, platform: *p}
`);
    expect(spec.images).toEqual(['e.co/app', 'e.co/b']);
    expect(spec.sources[1]!.platform).toEqual({ os: 'linux', architecture: 'arm64' });
  });

  test.each([
    ['one mapping', '<<: *base, variant: v6'],
    ['a list of mappings', '<<: [*base], variant: v6'],
    ['a mapping that is overruled', 'variant: v6, <<: *other'],
  ])('has the members of %s that is merged', (_what, platform) => {
    const spec = read(`image: e.co/app
manifests:
  - {image: e.co/a, platform: &base {os: linux, architecture: arm}}
  - {image: e.co/b, platform: &other {os: linux, architecture: arm, variant: v7}}
  - {image: e.co/c, platform: {${platform}}}
`);
    const merged = { os: 'linux', architecture: 'arm', variant: 'v6' };
    expect(spec.sources[2]!.platform).toEqual(merged);
  });

  test('has a member of the name "<<" where it is in quotes', () => {
    const { annotations } = read(`image: a\n${LIST}\nannotations: {"<<": x}`);
    expect([...annotations]).toEqual([['<<', 'x']]);
  });

  test('warns of a tag that is there twice', () => {
    const { tags, warnings } = read(`image: a\n${LIST}\ntags: [x, y, x]`);
    expect(tags).toEqual(['x', 'y']);
    expect(warnings).toEqual(['app.yaml:3:14: tag "x" is listed twice']);
  });

  test('warns of a key that is not known, with its place and the nearest one', () => {
    const { warnings } = read(`image: a
tag: [x]
wholly-different: 1
manifests:
  - image: b
    plattform: {}
    platform:
      os: linux
      arch: amd64
      architecture: amd64
      os_version: '1'
`);
    expect(warnings).toEqual([
      'app.yaml:2:1: unknown key "tag" is ignored (did you mean tags?)',
      'app.yaml:3:1: unknown key "wholly-different" is ignored',
      'app.yaml:6:5: unknown key "plattform" is ignored (did you mean platform?)',
      'app.yaml:9:7: unknown key "arch" is ignored',
      'app.yaml:11:7: unknown key "os_version" is ignored (did you mean osversion?)',
    ]);
  });
});

describe('the platform of a spec', () => {
  const windows = { os: 'windows', architecture: 'amd64' };
  test.each<[string, object]>([
    ['{}', {}],
    ['~', {}],
    ["{os: '', architecture: '', variant: ''}", {}],
    [
      '{os: linux, architecture: arm, variant: v7}',
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
    ['{os: linux, architecture: aarch64}', { os: 'linux', architecture: 'arm64' }],
    ['{os: linux, architecture: armhf}', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['{os: windows, architecture: amd64, osversion: 10.0.1}', { ...windows, osVersion: '10.0.1' }],
    ['{os: windows, architecture: amd64, os.version: 10.0.1}', { ...windows, osVersion: '10.0.1' }],
    [
      '{os: windows, architecture: amd64, osfeatures: [a, b]}',
      { ...windows, osFeatures: ['a', 'b'] },
    ],
    ['{os: windows, architecture: amd64, os.features: [a]}', { ...windows, osFeatures: ['a'] }],
    ['{os: windows, architecture: amd64, osfeatures: []}', windows],
    ['{variant: v6}', { variant: 'v6' }],
    ['{os: linux}', { os: 'linux' }],
    ['{architecture: x86_64}', { architecture: 'amd64' }],
    [
      '{os: Linux, architecture: ARM, variant: 7}',
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
    ['{os: macos, architecture: aarch64}', { os: 'darwin', architecture: 'arm64' }],
  ])('%s', (yaml, platform) => {
    expect(platformOf(yaml)).toEqual(platform);
  });

  test.each([
    ['{os: linux, architecture: x}', '4:41', /architecture "x" is not known/],
    ['{os: Linus, architecture: amd64}', '4:20', /did you mean linux/],
    ['{os: linux, architecture: amd64, variant: v9}', '4:57', /"v9" is not a variant of amd64/],
  ])('%s is refused with the place of what is wrong', (yaml, place, message) => {
    expect(() => platformOf(yaml)).toThrow(message);
    expect(() => platformOf(yaml)).toThrow(
      expect.objectContaining({ code: 'USAGE', what: `reading app.yaml:${place}` }),
    );
  });

  test('may be unknown, as that of an attestation is, in both of its parts', () => {
    const unknown = { os: 'unknown', architecture: 'unknown' };
    expect(platformOf('{os: unknown, architecture: unknown}')).toEqual(unknown);
    expect(() => platformOf('{os: unknown}')).toThrow(/os "unknown" is not known/);
    expect(() => platformOf('{os: linux, architecture: unknown}')).toThrow(
      /architecture "unknown"/,
    );
  });

  test.each([
    ['{os: linuxx}', '4:20', /os "linuxx" is not known/],
    ['{architecture: arm, variant: v9}', '4:44', /variant/],
  ])('%s is checked as far as it is given', (yaml, place, message) => {
    expect(() => platformOf(yaml)).toThrow(message);
    expect(() => platformOf(yaml)).toThrow(
      expect.objectContaining({ code: 'USAGE', what: `reading app.yaml:${place}` }),
    );
  });
});

describe('keys of an index and its entries', () => {
  test('are read', () => {
    const spec = read(`image: a
type: oci
artifactType: application/vnd.acme.app
attestations: drop
manifests:
  - image: b
    annotations: {k: 1.10}
`);
    expect(spec).toMatchObject({
      type: 'oci',
      artifactType: 'application/vnd.acme.app',
      dropAttestations: true,
      warnings: [],
    });
    expect([...spec.sources[0]!.annotations!]).toEqual([['k', '1.10']]);
    expect(spec.sources[0]).not.toHaveProperty('onlyPlatform');
  });

  test.each([
    ['type: list', '"list" is not docker, oci or auto'],
    ['artifactType: app', '"app" is not a media type'],
    ['attestations: true', '"true" is not keep or drop'],
  ])('are refused with another value: %s', (yaml, message) => {
    expect(() => read(`image: a\n${yaml}\n${LIST}`)).toThrow(
      expect.objectContaining({ why: expect.stringContaining(message) as string }),
    );
  });
});

describe('a YAML tag', () => {
  test.each(['!!str 1', '!!int 1', '!!null ~', '! 1'])(
    'of a value in a spec is read: %s',
    (value) => {
      expect(read(`image: a\nannotations: {k: ${value}}\n${LIST}`).annotations.size).toBe(1);
    },
  );

  test.each([
    '!!binary aGk=',
    '!Ref app',
    '!<tag:e.co,2026:x> 1',
    '!!timestamp 2026-01-01',
    '!env [a]',
  ])('of another kind of value is an error: %s', (value) => {
    expect(() => read(`image: a\nannotations:\n  k: ${value}\n${LIST}`)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        what: expect.stringMatching(/^reading app\.yaml:3:/) as string,
        why: expect.stringMatching(/tag/i) as string,
      }),
    );
  });
});

describe('an error in a spec', () => {
  test.each<[string, string, string, RegExp]>([
    ['a list', '- a', '1:1', /the spec must be a mapping, but is a list/],
    ['a string', 'image', '1:1', /the spec must be a mapping, but is a string/],
    ['null', '~', '1:1', /"image" is missing/],
    ['no image', LIST, '1:1', /"image" is missing/],
    ['an empty image', `image:\n${LIST}`, '1:7', /"image" is missing/],
    [
      'an image that is a list',
      `image: [a]\n${LIST}`,
      '1:8',
      /image must be a string, but is a list/,
    ],
    [
      'an image that is a mapping',
      `image: {a: b}\n${LIST}`,
      '1:8',
      /image must be a string, but is a mapping/,
    ],
    ['an image that is none', `image: A\n${LIST}`, '1:8', /image "A": .* lower case/],
    ['an image of no text', `image: ''\n${LIST}`, '1:8', /image "": it is empty/],
    ['no manifests', 'image: a', '1:1', /"manifests" is missing/],
    ['empty manifests', 'image: a\nmanifests: []', '2:12', /"manifests" is empty/],
    ['manifests of null', 'image: a\nmanifests:\n', '2:11', /"manifests" is empty/],
    [
      'manifests in a mapping',
      'image: a\nmanifests: {a: b}',
      '2:12',
      /manifests must be a list, but is a mapping/,
    ],
    [
      'an entry that is a string',
      'image: a\nmanifests:\n  - b',
      '3:5',
      /\[0\] must be a mapping, but is a string/,
    ],
    [
      'an entry of nothing',
      'image: a\nmanifests:\n  - image: b\n  -\n',
      '4:4',
      /manifests\[1\] has no/,
    ],
    [
      'an entry without image',
      'image: a\nmanifests:\n  - platform: {}',
      '3:5',
      /\[0\] has no "image"/,
    ],
    [
      'an entry of no image',
      'image: a\nmanifests:\n- image: B',
      '3:10',
      /manifests\[0\]\.image "B"/,
    ],
    [
      'an entry of a URL',
      'image: a\nmanifests:\n- image: http://b/c',
      '3:10',
      /"http:\/\/" is not supported/,
    ],
    [
      'a platform that is a string',
      'image: a\nmanifests: [{image: b, platform: linux}]',
      '2:34',
      /platform must be a mapping, but is a string/,
    ],
    [
      'a platform that is a list',
      'image: a\nmanifests: [{image: b, platform: [x]}]',
      '2:34',
      /platform must be a mapping, but is a list/,
    ],
    [
      'an os that is a list',
      'image: a\nmanifests: [{image: b, platform: {os: [x]}}]',
      '2:39',
      /platform\.os must be a string, but is a list/,
    ],
    [
      'features that are a number',
      'image: a\nmanifests: [{image: b, platform: {osfeatures: 1}}]',
      '2:47',
      /must be a list, but is a number/,
    ],
    [
      'a feature that is a list',
      'image: a\nmanifests: [{image: b, platform: {osfeatures: [[x]]}}]',
      '2:48',
      /must be a string, but is a list/,
    ],
    [
      'tags that are a boolean',
      `image: a\n${LIST}\ntags: true`,
      '3:7',
      /tags must be a list, but is a boolean/,
    ],
    [
      'a tag that is none',
      `image: a\n${LIST}\ntags: [a, -b]`,
      '3:11',
      /tags\[1\] "-b" is not a valid tag/,
    ],
    ['a tag of nothing', `image: a\n${LIST}\ntags: [~]`, '3:8', /tags\[0\] "" is not a valid tag/],
    ['a tag that is a list', `image: a\n${LIST}\ntags: [[a]]`, '3:8', /tags\[0\] must be a string/],
    ['annotations in a list', `image: a\n${LIST}\nannotations: [a]`, '3:14', /must be a mapping/],
    [
      'an annotation in a list',
      `image: a\n${LIST}\nannotations: {a: [b]}`,
      '3:18',
      /\.a must be a string, but is a list/,
    ],
    [
      'a key that is a list',
      `image: a\n${LIST}\n? [x]\n: y`,
      '3:3',
      /a key of the spec must be a string/,
    ],
    ['a key twice', `image: a\nimage: b\n${LIST}`, '2:1', /it is not valid YAML: .*unique/],
    ['a string without end', `image: "a\n${LIST}`, '2:31', /it is not valid YAML/],
    ['a list without end', 'image: a\nmanifests: [', '2:13', /it is not valid YAML/],
    ['a tab that indents', 'image: a\nmanifests:\n\t- image: b', '3:1', /it is not valid YAML/],
  ])('%s is told with line and column', (_what, text, place, why) => {
    expect(() => read(text)).toThrow(why);
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', what: `reading app.yaml:${place}` }),
    );
  });

  test.each(['', ' \n', '# only a comment\n', '---\n', '---\n...\n'])('%j is empty', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => read(text)).toThrow(/it is empty|"image" is missing/);
  });

  test.each(['image: a\ntags: *nope', 'image: *nope', 'image: a\nannotations: {a: *nope}'])(
    '%j has an alias of nothing',
    (text) => {
      expect(() => read(`${text}\n${LIST}`)).toThrow(/nope/);
    },
  );

  test('is one line, whatever the text', () => {
    const errors = ['image: "a\\nB"\nmanifests: []', 'a: b: c', '[', '"', '&', '*', '!', '{a: *a}'];
    for (const text of errors) expect(() => read(text)).toThrow(/^[^\n\r]*$/);
  });

  test.each<[string, string, string]>([
    ['the line of a value', `image: a\ntags: latest # one\n${LIST}`, 'tags: latest # one'],
    ['with the line ends of Windows', `image: A\r\n${LIST}\r\n`, 'image: A'],
    ['where something has no end', 'image: [\n\n', 'image: ['],
    ['that is no YAML', `image: a\nb: c: d\n${LIST}`, 'b: c: d'],
    ['that has nothing', `image: a\nmanifests:\n  - image: b\n  -\n`, '-'],
    ['of an empty member', `image:\n${LIST}`, 'image:'],
    ['of an empty list', 'image: a\nmanifests: []', 'manifests: []'],
    [
      'that is long, around its place',
      `{image: ${'a'.repeat(100)}, tags: [-${'b'.repeat(100)}], ${LIST}}`,
      `…${'a'.repeat(11)}, tags: [-${'b'.repeat(59)}…`,
    ],
  ])('shows the text %s', (_what, text, shown) => {
    const quoted = `, in \`${shown}\``;
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(() => read(text)).toThrow(quoted);
  });

  test('of a file that is no spec shows nothing that is secret in it', () => {
    const config = '{"auths": {"e.co": {"auth": "dXNlcjpzZWNyZXQ="}}, "credsStore": "x"}';
    expect(() => read(config)).toThrow(
      /app\.yaml:1:1 failed: "image" is missing: [^;]*; the spec has only "auths", "credsStore"$/,
    );
  });

  test('in one of several documents has its place in the file', () => {
    const two = `image: a\n${LIST}\n---\nimage: B\n${LIST}\n`;
    expect(() => read(two)).toThrow(/app\.yaml:4:8 failed: image "B"/);
  });

  test('of aliases inside of aliases is not expanded', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `x${i + 1}: &x${i + 1} [*x${i}, *x${i}]`);
    const text = `image: a\nx0: &x0 [y]\n${lines.join('\n')}\ntags: *x30\n${LIST}`;
    // 2 ** 30 strings, if each alias were expanded.
    expect(() => read(text)).toThrow(/tags\[0\] must be a string/);
  });
});

describe('several documents', () => {
  const targets = (text: string): string[] =>
    parseSpecs(text, 'app.yaml', { warning: () => undefined }).map(({ target }) =>
      formatReference(target),
    );

  test('are several lists, and one of nothing is none', () => {
    const text = `---\nimage: e.co/a:1\n${LIST}\n---\nimage: e.co/b:1\n${LIST}\n---\n`;
    expect(targets(text)).toEqual(['e.co/a:1', 'e.co/b:1']);
    expect(() => targets('---\n---\n')).toThrow(/it is empty/);
  });
});

describe('variables', () => {
  const env = { TAG: '1.0', EMPTY: '' };
  const imageOf = (image: string, from?: Record<string, string>): string => {
    const options = { warning: () => undefined, ...(from && { env: from }) };
    const [spec] = parseSpecs(`image: ${image}\n${LIST}`, 'app.yaml', options) as [Spec];
    return formatReference(spec.target);
  };

  test('are replaced from the environment, and left as they are without it', () => {
    expect(imageOf('e.co/a:${TAG}', env)).toBe('e.co/a:1.0');
    expect(imageOf('e.co/a:${NONE:-latest}', env)).toBe('e.co/a:latest');
    expect(imageOf('e.co/a:${EMPTY:-x}', env)).toBe('e.co/a:x');
    expect(() => imageOf('e.co/a:${TAG}')).toThrow(/is not a valid tag/);
  });

  test('that are not replaced are the reason of an error, and a warning in an annotation', () => {
    const refused = expect.objectContaining({
      reason: 'spec-variable',
      data: { name: 'TAG' },
    }) as Error;
    expect(() => imageOf('e.co/a:${TAG}')).toThrow(refused);
    expect(() => read(`image: a\ntags: ["v\${TAG:-1.0}+"]\n${LIST}`)).toThrow(refused);
    expect(() => platformOf('{os: linux, architecture: "${TAG}"}')).toThrow(refused);
    expect(() => imageOf('e.co/a:$$TAG')).toThrow(expect.objectContaining({ reason: undefined }));
    expect(read(`image: a\nannotations: {v: "\${TAG}"}\n${LIST}`).warnings).toEqual([
      'app.yaml:2:18: annotations.v has the variable ${TAG}, which is not replaced',
    ]);
  });

  test('are those of the environment alone', () => {
    expect(() => imageOf('e.co/a:${constructor}', env)).toThrow(/needs the variable constructor/);
    expect(imageOf('e.co/a:${toString:-x}', env)).toBe('e.co/a:x');
  });

  test('that are not set are an error with their place', () => {
    expect(() => imageOf('e.co/a:${NONE}', env)).toThrow(
      /app\.yaml:1:8 failed: image needs the variable NONE, which is not set/,
    );
  });
});
