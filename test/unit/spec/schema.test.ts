import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { parseSpecs } from '../../../src/spec/spec.js';
import { ManifestToolError } from '../../../src/errors.js';
import {
  ARCHITECTURES,
  ARCHITECTURE_ALIASES,
  OPERATING_SYSTEMS,
} from '../../../src/oci/platform-names.js';

interface Platform {
  readonly os: { readonly anyOf: readonly { readonly enum?: readonly string[] }[] };
  readonly architecture: { readonly anyOf: readonly { readonly enum?: readonly string[] }[] };
}

const schema = JSON.parse(readFileSync('specs/spec.schema.json', 'utf8')) as {
  readonly definitions: { readonly platform: { readonly properties: Platform } };
};
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictRequired: false });
ajv.addKeyword('patternErrorMessage');
const accepts = ajv.compile(schema);

type Verdict = 'fine' | 'warned' | 'refused';

/** What the program says of a spec; variables are replaced, so that it says it of what they stand for. */
function program(text: string): Verdict {
  let warnings = 0;
  const warning = (): void => void (warnings += 1);
  try {
    parseSpecs(text, 'app.yaml', { warning, env: { VAR: '1.0', ARCH: 'amd64' } });
    return warnings === 0 ? 'fine' : 'warned';
  } catch (error) {
    if (error instanceof ManifestToolError) return 'refused';
    throw error;
  }
}

/** What the schema says of it, as an editor would. */
function editor(text: string): boolean {
  return parseAllDocuments(text, { merge: true }).every((document) =>
    accepts(document.toJS() as unknown),
  );
}

const LIST = 'manifests: [{image: e.co/a:x}]';
const image = (reference: string): string => `image: ${reference}\n${LIST}`;
const entry = (yaml: string): string => `image: e.co/a\nmanifests:\n  - ${yaml}\n`;
const platform = (yaml: string): string => entry(`{image: e.co/b, platform: ${yaml}}`);
const more = (yaml: string): string => `image: e.co/a\n${LIST}\n${yaml}\n`;

const HEX = '0123456789abcdef'.repeat(4);

const FINE = [
  ...[
    'traefik',
    'a/b_c/d__e/f-g/h.i',
    'e.co/a',
    'e.co:5000/a:1.2.3',
    'localhost/a',
    'Host/a',
    '"[::1]:5000/a:1"',
    `e.co/a@sha256:${HEX}`,
    `e.co/a:1@sha512:${HEX}${HEX}`,
    'oci-layout://a',
    'oci-layout:///a/b.c/D e:1.0',
    `ocidir://../a@sha256:${HEX}`,
    'oci-layout://a:b/c',
    'e.co/a:${VAR}',
    '${NONE:-e.co}/a',
  ].map(image),
  ...[
    '~',
    '{}',
    '{os: linux, architecture: amd64}',
    '{os: linux, architecture: 386}',
    '{os: linux, architecture: "386"}',
    '{os: linux, architecture: x86_64, variant: v3}',
    '{os: linux, architecture: arm, variant: v5}',
    '{os: linux, architecture: armhf, variant: ""}',
    '{os: linux, architecture: aarch64, variant: v8.2}',
    '{os: linux, architecture: riscv64, variant: rva22}',
    '{os: linux, architecture: "${ARCH}", variant: v2}',
    '{os: "", architecture: ~, variant: v6}',
    '{os: windows, architecture: amd64, osversion: 10.0, osfeatures: [win32k]}',
    '{os: windows, architecture: amd64, os.version: 10.0.1, os.features: ~}',
    '{os: linux}',
    '{os: linux, architecture: ""}',
    '{architecture: amd64, variant: v2}',
    '{os: unknown, architecture: unknown}',
  ].map(platform),
  entry('{image: e.co/b, annotations: {a: 1.0, b: ~}}'),
  entry('{image: e.co/b, annotations: }'),
  ...[
    'tags:',
    'tags: []',
    'tags: [1.10, 2, true, _a, a-b.c, "${VAR}"]',
    'annotations:',
    'annotations: {a: 1.0, b: true, c: ~, d: "x=y, z", 5: no}',
    'type: docker',
    'type: oci\nartifactType: application/vnd.acme.app+json',
    'type: auto\nattestations: drop',
    'type:\nartifactType: ""\nattestations: ~',
    'type: "${NONE:-oci}"\nartifactType: "${NONE:-a/b}"\nattestations: "${NONE:-keep}"',
  ].map(more),
  'image: &a e.co/a\nmanifests:\n  - image: *a\n    platform: &p {os: linux, architecture: arm}\n  - {image: e.co/c, platform: {<<: *p, variant: v6}}\n',
  `image: e.co/a:1\n${LIST}\n---\nimage: e.co/a:2\n${LIST}\n`,
];

const WARNED = [
  ...['tag: [a]', '"": x', 'Tags: [a]'].map(more),
  entry('{image: e.co/b, name: x}'),
  platform('{os: linux, architecture: amd64, arch: amd64}'),
];

/** Spellings that the program reads, and an editor marks: there is a proper one. */
const OTHER_SPELLINGS = [
  '{os: Linux, architecture: amd64}',
  '{os: macos, architecture: arm64}',
  '{os: linux, architecture: AMD64}',
  '{os: linux, architecture: arm, variant: 7}',
].map(platform);

const REFUSED = [
  ...[
    '',
    '""',
    'A',
    'e.co/A',
    'e.co/',
    'e.co//a',
    '/a',
    'http://e.co/a',
    'e.co/a:',
    'e.co/a:-b',
    'e.co/a:b/c',
    'e_c.o/a',
    'e.co:port/a',
    'e.co/a@sha256:abc',
    `e.co/a@sha256:${HEX.toUpperCase()}`,
    HEX,
    `sha256:${HEX}`,
    'a b',
    '"a\\n"',
    'oci-layout://',
    '"oci-layout://:a"',
    'oci-layout://a:b c',
    'oci-layout://a@sha256:1',
    '[e.co/a]',
    '{a: b}',
  ].map(image),
  ...[
    'linux/amd64',
    '[linux]',
    '{os: Linus, architecture: amd64}',
    '{os: Linus}',
    '{architecture: amd64, variant: v9}',
    '{os: unknown}',
    '{os: unknown, architecture: amd64}',
    '{os: linux, architecture: unknown}',
    '{os: linux, architecture: amd46}',
    '{os: linux, architecture: 387}',
    '{os: [linux], architecture: amd64}',
    '{os: linux, architecture: amd64, variant: v5}',
    '{os: linux, architecture: amd64, variant: 5}',
    '{os: linux, architecture: arm, variant: v4}',
    '{os: linux, architecture: armv7, variant: v9}',
    '{os: linux, architecture: aarch64, variant: v7}',
    '{os: windows, architecture: amd64, osversion: [10]}',
    '{os: windows, architecture: amd64, osfeatures: win32k}',
    '{os: windows, architecture: amd64, osfeatures: [[a]]}',
  ].map(platform),
  ...[
    'tags: latest',
    'tags: {a: b}',
    'tags: [-1]',
    'tags: [a b]',
    'tags: [.a]',
    'tags: [~]',
    `tags: [${'a'.repeat(129)}]`,
    'annotations: [a]',
    'annotations: {a: [b]}',
    'annotations: {a: {b: c}}',
    'type: OCI',
    'type: [oci]',
    'artifactType: app',
    'artifactType: {a: b}',
    'attestations: yes',
  ].map(more),
  ...['{image: e.co/b, annotations: [a]}', 'e.co/b', '{platform: {}}', '{image: ~}', '[]', '~'].map(
    entry,
  ),
  'image: e.co/a',
  'image: e.co/a\nmanifests: []',
  'image: e.co/a\nmanifests: {a: b}',
  LIST,
  '[]',
  'a',
  `image: e.co/a:1\n${LIST}\n---\nimage: B\n${LIST}\n`,
];

describe('the schema of a spec', () => {
  test.each(FINE)('accepts what the program reads: %j', (text) => {
    expect({ program: program(text), editor: editor(text) }).toEqual({
      program: 'fine',
      editor: true,
    });
  });

  test.each(WARNED)('refuses what the program warns of: %j', (text) => {
    expect({ program: program(text), editor: editor(text) }).toEqual({
      program: 'warned',
      editor: false,
    });
  });

  test.each(OTHER_SPELLINGS)('refuses another spelling of a platform: %j', (text) => {
    expect({ program: program(text), editor: editor(text) }).toEqual({
      program: 'fine',
      editor: false,
    });
  });

  test.each(REFUSED)('refuses what the program refuses: %j', (text) => {
    expect({ program: program(text), editor: editor(text) }).toEqual({
      program: 'refused',
      editor: false,
    });
  });

  test.each(readdirSync('specs').filter((name) => name.endsWith('.yaml')))('accepts %s', (name) => {
    expect(editor(readFileSync(`specs/${name}`, 'utf8'))).toBe(true);
  });

  // The exceptions that its $comment names.
  test.each<[string, string, Verdict, boolean]>([
    ['a number as reference', image('123'), 'fine', false],
    ['an "@" in a directory', image('oci-layout://a@b'), 'refused', false],
    ['an "@" before a digest', image(`oci-layout://a@b@sha256:${HEX}`), 'fine', false],
    ['a long name', image(`e.co/${'a'.repeat(260)}`), 'refused', true],
    ['a port', image('e.co:99999/a'), 'refused', true],
    ['a tag twice', more('tags: [a, a]'), 'warned', true],
    ['a number with a sign', more('tags: [1e+3]'), 'refused', true],
    ['a variable that is not set', image('e.co/a:${NONE}'), 'refused', true],
  ])('differs where it says so: %s', (_what, text, verdict, isAccepted) => {
    expect({ program: program(text), editor: editor(text) }).toEqual({
      program: verdict,
      editor: isAccepted,
    });
  });

  test('agrees with the program on whatever is put together of all this', () => {
    const texts = fc.constantFrom(
      '',
      'linux',
      'windows',
      'amd64',
      'arm',
      'arm64',
      'armhf',
      'v7',
      'v8',
    );
    const scalars = fc.oneof(texts, fc.constantFrom(null, 386, true, 1.5, 0));
    const odd = fc.oneof(scalars, fc.array(scalars, { maxLength: 2 }), fc.constant({}));
    const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: odd });
    const references = fc.constantFrom('e.co/a:1', 'A', 'oci-layout://a', 'a:b:c');
    const platforms = fc.record(
      {
        os: mostly(fc.constantFrom('linux', 'windows', 'unknown', '')),
        architecture: mostly(
          fc.constantFrom('amd64', 'arm', 'arm64', 'armhf', 386, 'unknown', null),
        ),
        variant: mostly(fc.constantFrom('v1', 'v5', 'v8', 'v9', null)),
        osversion: mostly(fc.constantFrom('10.0.1', 10.5)),
        'os.features': mostly(fc.array(texts, { maxLength: 2 })),
        arch: fc.constant('amd64'),
      },
      { requiredKeys: [] },
    );
    // A reference that is a number is an exception, and so are tags that are there twice.
    const reference = mostly(references).filter(
      (value) => typeof value !== 'number' && value !== true,
    );
    const entries = fc.record(
      {
        image: reference,
        platform: mostly(platforms),
        annotations: mostly(fc.dictionary(texts, mostly(texts))),
      },
      { requiredKeys: ['image'] },
    );
    const specs = fc.record(
      {
        image: reference,
        tags: mostly(fc.uniqueArray(fc.constantFrom('latest', '1.0', '-a'))).filter(
          (tags) => !Array.isArray(tags) || new Set(tags.map(String)).size === tags.length,
        ),
        annotations: mostly(fc.dictionary(texts, mostly(texts))),
        type: mostly(fc.constantFrom('oci', 'docker', 'auto', 'list')),
        artifactType: mostly(fc.constantFrom('a/b', 'application/vnd.acme+json', 'a', '')),
        attestations: mostly(fc.constantFrom('keep', 'drop')),
        manifests: mostly(fc.array(mostly(entries), { maxLength: 2 })),
      },
      { requiredKeys: ['image', 'manifests'] },
    );
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(specs, (spec) => {
        const text = stringify(spec);
        const isFine = program(text) === 'fine';
        seen.add(isFine);
        expect({ text, editor: editor(text) }).toEqual({ text, editor: isFine });
      }),
      { numRuns: 3000 },
    );
    expect(seen).toEqual(new Set([true, false]));
  });

  test('offers each os and each architecture that the program knows, and no other', () => {
    const { os, architecture } = schema.definitions.platform.properties;
    const offered = ({ anyOf }: typeof os): string[] => anyOf.flatMap((each) => each.enum ?? []);
    expect(offered(os).toSorted()).toEqual([...OPERATING_SYSTEMS].toSorted());
    expect(offered(architecture).toSorted()).toEqual(
      [...ARCHITECTURES, ...ARCHITECTURE_ALIASES.keys()].toSorted(),
    );
  });
});
