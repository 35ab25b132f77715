import { describe, expect, test } from 'vitest';
import { renderRaw } from '../../../../src/cli/output/inspect/raw.js';
import type { FetchedManifest } from '../../../../src/oci/content.js';
import { digestOf } from '../../../../src/oci/digest.js';
import { parseConfig } from '../../../../src/oci/image-config.js';
import { parseDocument } from '../../../../src/oci/documents.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../../src/oci/media-types.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const CONFIG = { mediaType: OCI_CONFIG, digest: DIGEST, size: 2 };
const ENTRY = { mediaType: OCI_MANIFEST, digest: DIGEST, size: 7 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: CONFIG, layers: [] };

function fetched(json: object): FetchedManifest {
  const bytes = Buffer.from(JSON.stringify(json));
  return { ...parseDocument(bytes, undefined), digest: digestOf(bytes), size: bytes.length, bytes };
}

function rawImage(json: object, config: object, expandConfig = false): string {
  const manifest = fetched(json);
  const { document } = manifest;
  if (document.kind !== 'manifest') throw new Error('it is no image');
  const read = parseConfig(Buffer.from(JSON.stringify(config)));
  return renderRaw('app:1', { kind: 'image', manifest, document, config: read }, expandConfig);
}

function rawList(json: object, children: (object | undefined)[]): string {
  const manifest = fetched({ schemaVersion: 2, mediaType: OCI_INDEX, ...json });
  const { document } = manifest;
  if (document.kind !== 'index') throw new Error('it is no index');
  const read = children.map((child) => child && fetched(child));
  return renderRaw('app:1', { kind: 'index', manifest, document, children: read }, false);
}

const keys = (text: string): string[] => Object.keys(JSON.parse(text) as object);
const compact = (text: string): string => text.replaceAll(/\n */g, '').replaceAll('": ', '":');

describe('an image', () => {
  test('is shown with what the struct of manifest-tool has, indented by four', () => {
    const text = rawImage(IMAGE, { os: 'linux', architecture: 'amd64' });
    expect(keys(text)).toEqual([
      'name',
      'digest',
      'os',
      'architecture',
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
    ]);
    expect(text).toMatch(/^\{\n {4}"name": "app:1",\n {4}"digest": "sha256:/);
    expect(text.endsWith('    "layers": []\n}\n')).toBe(true);
  });

  test('has all that is optional in its place, and what is empty left out', () => {
    const full = { ...IMAGE, artifactType: 'a/b', subject: ENTRY, annotations: { b: '<', a: '' } };
    expect(keys(rawImage(full, {})).slice(2)).toEqual([
      'schemaVersion',
      'mediaType',
      'artifactType',
      'config',
      'layers',
      'subject',
      'annotations',
    ]);
    expect(compact(rawImage(full, {}))).toContain('"annotations":{"a":"","b":"\\u003c"}');
    const { mediaType: _type, layers: _layers, ...bare } = IMAGE;
    expect(compact(rawImage({ ...bare, annotations: {} }, {}))).toMatch(/"layers":null\}$/);
  });

  test('has its configuration in place of the descriptor where it is expanded', () => {
    const config = {
      unknown: 1,
      os: 'linux',
      architecture: 'arm',
      created: '2026-01-01T00:00:00.10Z',
    };
    const text = rawImage({ ...IMAGE, annotations: { a: 'b' } }, config, true);
    expect(keys(text).join(' ')).toBe(
      'schemaVersion name digest os architecture mediaType config layers annotations',
    );
    expect(compact(text)).toContain(
      '"config":{"created":"2026-01-01T00:00:00.1Z","architecture":"arm","os":"linux","config":{},' +
        '"rootfs":{"type":"","diff_ids":null},"unknown":1}',
    );
  });
});

describe('a list', () => {
  test('is shown with the documents of its children', () => {
    const text = rawList({ manifests: [ENTRY], annotations: { k: 'v' } }, [IMAGE]);
    expect(keys(text)).toEqual([
      'name',
      'digest',
      'schemaVersion',
      'mediaType',
      'manifests',
      'annotations',
    ]);
    expect((JSON.parse(text) as { manifests: object[] }).manifests).toEqual([IMAGE]);
  });

  test('that is empty has null for its children, as Go writes it', () => {
    expect(compact(rawList({ manifests: [] }, []))).toMatch(/"manifests":null\}$/);
  });

  test('shows an index in it', () => {
    const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10' };
    const nested = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [{ ...ENTRY, platform }] };
    const entry = { ...ENTRY, mediaType: OCI_INDEX };
    expect(compact(rawList({ manifests: [entry] }, [nested]))).toContain(
      `"manifests":[{"mediaType":"${OCI_MANIFEST}","digest":"${DIGEST}","size":7,"platform":` +
        '{"architecture":"amd64","os":"windows","os.version":"10"}}]',
    );
  });

  test('with an entry that is neither an image nor a list is an error that names it', () => {
    const odd = { ...ENTRY, mediaType: 'application/x' };
    expect(() => rawList({ manifests: [odd] }, [undefined])).toThrow(
      expect.objectContaining({ what: `showing entry ${DIGEST}`, code: 'FAILED' }),
    );
  });

  test('has control characters escaped, and remains exact', () => {
    const annotations = { 'k\u001b': '\u0000\u001b[31m\u2028<&>' };
    const text = rawList({ manifests: [], annotations }, []);
    expect(text).toContain(String.raw`"k\u001b": "\u0000\u001b[31m\u2028\u003c\u0026\u003e"`);
    expect((JSON.parse(text) as { annotations: object }).annotations).toEqual(annotations);
  });
});
