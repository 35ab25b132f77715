import { describe, expect, test } from 'vitest';
import { manifestToolColours } from '../../../../src/cli/output/colours.js';
import { renderHuman } from '../../../../src/cli/output/inspect/human.js';
import type { FetchedManifest } from '../../../../src/oci/content.js';
import { digestOf, type Digest } from '../../../../src/oci/digest.js';
import { parseConfig } from '../../../../src/oci/image-config.js';
import { parseDocument } from '../../../../src/oci/documents.js';
import { OCI_INDEX, OCI_MANIFEST } from '../../../../src/oci/media-types.js';
import type { InspectedImage, InspectedIndex } from '../../../../src/core/read/inspect.js';

const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;
const LAYER = { mediaType: 'application/layer', digest: DIGEST, size: 3 };
const IMAGE = { mediaType: OCI_MANIFEST, config: LAYER, layers: [LAYER, LAYER] };
const ENTRY = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 7 };
const LINUX = { os: 'linux', architecture: 'amd64' };
const ATTESTATION = {
  'vnd.docker.reference.type': 'attestation-manifest',
  'vnd.docker.reference.digest': DIGEST,
};

const PLAIN = manifestToolColours(false);
const COLOURED = manifestToolColours(true);

function fetched(json: object): FetchedManifest {
  const bytes = Buffer.from(JSON.stringify(json));
  const parsed = parseDocument(bytes, undefined);
  return { ...parsed, digest: digestOf(bytes), size: bytes.length, bytes };
}

function list(entries: readonly { mediaType: string }[]): InspectedIndex {
  const manifest = fetched({ mediaType: OCI_INDEX, manifests: entries });
  const { document } = manifest;
  if (document.kind !== 'index') throw new Error('it is no index');
  const children = entries.map(({ mediaType }) => {
    if (mediaType === OCI_INDEX) return fetched({ mediaType, manifests: [] });
    return mediaType === OCI_MANIFEST ? fetched(IMAGE) : undefined;
  });
  return { kind: 'index', manifest, document, children };
}

function image(config: object, layers: object | null = IMAGE.layers): InspectedImage {
  const manifest = fetched({ ...IMAGE, layers });
  const { document } = manifest;
  if (document.kind !== 'manifest') throw new Error('it is no image');
  const read = parseConfig(Buffer.from(JSON.stringify(config)));
  return { kind: 'image', manifest, document, config: read };
}

const shown = (what: InspectedImage | InspectedIndex, name = 'app:1'): string[] =>
  renderHuman(name, what, PLAIN).split('\n');

describe('an image', () => {
  test('is shown with its layers', () => {
    const inspected = image(LINUX);
    expect(shown(inspected)).toEqual([
      `Name: app:1 (Type: ${OCI_MANIFEST})`,
      `      Digest: ${inspected.manifest.digest}`,
      `        Size: ${inspected.manifest.size}`,
      '          OS: linux',
      '        Arch: amd64',
      '    # Layers: 2',
      `      layer 01: digest = ${DIGEST}`,
      `      layer 02: digest = ${DIGEST}`,
      '',
    ]);
  });

  test('is shown where it has neither platform nor layers', () => {
    expect(shown(image({}, null)).slice(3)).toEqual([
      '          OS: ',
      '        Arch: ',
      '    # Layers: 0',
      '',
    ]);
  });
});

describe('a list', () => {
  test('is shown with its platforms and layers', () => {
    const platform = {
      os: 'windows',
      architecture: 'arm64',
      variant: 'v8',
      'os.version': '10.0',
      'os.features': ['a', 'b'],
    };
    const inspected = list([{ ...ENTRY, platform } as typeof ENTRY]);
    expect(shown(inspected)).toEqual([
      `Name:   app:1 (Type: ${OCI_INDEX})`,
      `Digest: ${inspected.manifest.digest}`,
      ' * Contains 1 manifest references (1 image, 0 attestation):',
      `[1]     Type: ${OCI_MANIFEST}`,
      `[1]   Digest: ${DIGEST}`,
      '[1]   Length: 7',
      '[1] Platform:',
      '[1]    -      OS: windows',
      '[1]    - OS Vers: 10.0',
      '[1]    - OS Feat: [a b]',
      '[1]    -    Arch: arm64',
      '[1]    - Variant: v8',
      '[1] # Layers: 2',
      `     layer 01: digest = ${DIGEST}`,
      '                 type = application/layer',
      `     layer 02: digest = ${DIGEST}`,
      '                 type = application/layer',
      '',
      '',
    ]);
  });

  test.each([
    [0, 0, '0 manifest references (0 image, 0 attestation)'],
    [1, 1, '2 manifest references (1 image, 1 attestation)'],
    [2, 2, '4 manifest references (2 images, 2 attestations)'],
  ])('of %i images and %i attestations says so', (images, attestations, line) => {
    const of = (count: number, entry: typeof ENTRY) => Array.from({ length: count }, () => entry);
    const attestation = { ...ENTRY, annotations: ATTESTATION };
    const lines = shown(list([...of(images, ENTRY), ...of(attestations, attestation)]));
    expect(lines[2]).toBe(` * Contains ${line}:`);
  });

  test('that is empty ends there', () => {
    expect(shown(list([]))).toHaveLength(4);
  });

  test('shows an attestation by the image that it is for', () => {
    const lines = shown(list([{ ...ENTRY, annotations: ATTESTATION } as typeof ENTRY]));
    expect(lines.slice(3)).toEqual([
      `[1]     Type: ${OCI_MANIFEST} (vnd.docker.reference.type=attestation-manifest)`,
      `[1]   Digest: ${DIGEST}`,
      '[1]   Length: 7',
      `[1]       >>> Attestation for digest: ${DIGEST}`,
      '',
      '',
    ]);
  });

  test.each([OCI_INDEX, 'application/x'])('goes on after an entry of type %s', (mediaType) => {
    const lines = shown(list([{ ...ENTRY, mediaType }, ENTRY]));
    expect(lines).toContain(`[1]     Type: ${mediaType}`);
    expect(lines).toContain(`Unknown media type for further display: ${mediaType}`);
    expect(lines).toContain(`[2]     Type: ${OCI_MANIFEST}`);
  });

  test('shows an entry without platform', () => {
    const lines = shown(list([ENTRY]));
    expect(lines).toContain('[1]    -      (no platform specified)');
    expect(lines).toContain('[1] # Layers: 2');
  });
});

describe('remote text', () => {
  const evil = '\u001b]0;x\u0007\u009b31m\u202e\u2066\n\u2028\ud800';
  const acting = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]|\p{Surrogate}/u;

  test('never acts on the terminal', () => {
    const platform = { os: evil, architecture: evil, variant: evil, 'os.version': evil };
    const annotations = { ...ATTESTATION, 'vnd.docker.reference.digest': evil };
    const outputs = [
      shown(image({ os: evil, architecture: evil })),
      shown(list([{ ...ENTRY, platform: { ...platform, 'os.features': [evil] } } as typeof ENTRY])),
      shown(list([{ ...ENTRY, annotations } as typeof ENTRY, { ...ENTRY, mediaType: evil }])),
      shown(image(LINUX), evil),
    ];
    for (const line of outputs.flat()) expect(line).not.toMatch(acting);
    expect(outputs[0]).toContain(
      String.raw`          OS: \u001b]0;x\u0007\u009b31m\u202e\u2066\u000a\u2028\ud800`,
    );
  });

  test('has its variant if it is asked for: manifest-tool does not show it', () => {
    const arm = image({ ...LINUX, architecture: 'arm', variant: 'v7' });
    expect(renderHuman('app', arm, PLAIN)).not.toContain('v7');
    expect(renderHuman('app', arm, PLAIN, true)).toContain(
      '\n        Arch: arm\n     Variant: v7\n    # Layers: 2\n',
    );
    expect(renderHuman('app', image(LINUX), PLAIN, true)).not.toContain('Variant');
  });

  test('is shown no longer than anyone reads', () => {
    const lines = shown(image({ os: 'x'.repeat(1 << 20), architecture: 'y' }));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1100);
  });
});

describe('colours', () => {
  test('are those of manifest-tool on a terminal', () => {
    const first = renderHuman('app', image(LINUX), COLOURED).split('\n')[0];
    expect(first).toBe(
      `Name: \u001b[1;32mapp\u001b[22;0m (Type: \u001b[1;32m${OCI_MANIFEST}\u001b[22;0m)`,
    );
  });

  test('change nothing else', () => {
    const coloured = renderHuman('app', list([ENTRY]), COLOURED);
    // oxlint-disable-next-line no-control-regex -- what colours are made of
    const bare = coloured.replaceAll(/\u001b\[[0-9;]+m/g, '');
    expect(bare).toBe(renderHuman('app', list([ENTRY]), PLAIN));
  });
});
