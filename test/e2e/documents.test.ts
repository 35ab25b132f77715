import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLayout } from '../../src/layout/layout.js';
import { digestOf } from '../../src/oci/digest.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.js';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putBlob, putManifest } from '../support/http.js';
import { LayoutFolder } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

/*
 * Odd documents by whole commands: ambiguous ones, empty ones, large ones, and those with entries
 * that are not manifests.
 */

let registry: Registry;
let layout: LayoutFolder;

beforeAll(async () => {
  [registry, layout] = await Promise.all([startRegistry(), LayoutFolder.make()]);
});

afterAll(() => Promise.all([registry.stop(), layout.remove()]));

interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [member: string]: unknown;
}

const descriptor = (mediaType: string, bytes: Buffer): Entry => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

/** Where documents are put as they are. */
interface Place {
  reference(tag: string): string;
  blob(content: Buffer): Promise<void>;
  manifest(tag: string, mediaType: string, content: Buffer): Promise<void>;
  read(tag: string): Promise<Buffer>;
}

const places: Readonly<Record<string, Place>> = {
  'a registry': {
    reference: (tag) => `${registry.host}/app:${tag}`,
    blob: async (content) => void (await putBlob(registry.host, 'app', content)),
    manifest: async (tag, mediaType, content) =>
      void (await putManifest(registry.host, 'app', tag, mediaType, content)),
    read: async (tag) => Buffer.from((await getManifest(registry.host, 'app', tag)).body),
  },
  'a layout': {
    reference: (tag) => layout.reference(tag),
    blob: async (content) => void (await layout.blob('', content)),
    manifest: async (tag, mediaType, bytes) => {
      const content = { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
      await openLayout(layout.root).publish(content, [tag], () => {});
    },
    read: async (tag) => Buffer.from((await openLayout(layout.root).getManifest(tag)).bytes),
  },
};

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Puts an image without layers, and returns its entry. */
async function putImage(place: Place, architecture: string, more: object = {}): Promise<Entry> {
  const config = json({ os: 'linux', architecture });
  await place.blob(config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(OCI_CONFIG, config),
    layers: [],
    ...more,
  });
  await place.manifest(architecture, OCI_MANIFEST, manifest);
  return {
    ...descriptor(OCI_MANIFEST, manifest),
    platform: { architecture, os: 'linux' },
  };
}

const indexText = (manifests: unknown, more: object = {}): string =>
  JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...more });

describe.each(Object.entries(places))('an ambiguous index in %s', (_name, place) => {
  let good: Entry;
  let ambiguous: Buffer;
  const missing = digestOf(Buffer.from('missing'));

  beforeAll(async () => {
    good = await putImage(place, 'amd64');
    ambiguous = Buffer.from(indexText([good]).replace('[{', `[{"Digest":"${missing}",`));
    await place.manifest('ambiguous', OCI_INDEX, ambiguous);
  });

  it('is refused with the reason', async () => {
    const source = place.reference('ambiguous');
    const target = place.reference('new');
    for (const args of [
      ['inspect', source],
      ['query', source],
      ['copy', source, target],
      ['create', '--target', target, source],
      ['add', source, place.reference('amd64')],
      ['annotate', source, '--annotation', 'a=b'],
    ]) {
      const result = await runCli(args);
      expect(result.stderr).toContain(
        'the document is ambiguous: manifests[0] has both "Digest" and "digest"',
      );
      expect(result.stderr).toContain('hint: do not trust it');
      expectCode(result, 1);
    }
  });

  it('has a defect, and what it names is verified', async () => {
    const { code, stdout } = await runCli(['verify', '--json', place.reference('ambiguous')]);
    expect(code).toBe(6);
    const { defects, entries } = JSON.parse(stdout) as {
      defects: { what: string }[];
      entries: { digest: string; defects: unknown[] }[];
    };
    expect(defects.map(({ what }) => what)).toEqual([
      'is ambiguous: manifests[0] has both "Digest" and "digest"',
    ]);
    expect(entries).toMatchObject([{ digest: good.digest, defects: [] }]);
  });

  it('has a defect where an index names it, or an ambiguous image', async () => {
    const image = await putImage(place, 'arm64', { annotations: { a: '1' } });
    const bytes = await place.read('arm64');
    const twice = Buffer.from(bytes.toString().replace('"a":"1"', '"a":"1","a":"2"'));
    await place.manifest('twice', OCI_MANIFEST, twice);
    const entries = [
      descriptor(OCI_INDEX, ambiguous),
      { ...image, ...descriptor(OCI_MANIFEST, twice) },
    ];
    await place.manifest('outer', OCI_INDEX, Buffer.from(indexText(entries)));
    const { code, stdout } = await runCli(['verify', '--json', place.reference('outer')]);
    expect(code).toBe(6);
    const { defects } = JSON.parse(stdout) as { defects: object[] };
    expect(defects).toMatchObject([
      { where: entries[0]!.digest, what: expect.stringContaining('has both "Digest" and') },
      { where: entries[1]!.digest, what: expect.stringContaining('the key "a" occurs twice') },
    ]);
  });
});
