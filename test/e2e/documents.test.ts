import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
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

  it.each([
    [
      'bytes that are not UTF-8',
      () => Buffer.from(indexText([good], { annotations: { a: '\u00e9' } }), 'latin1'),
      'it is not UTF-8',
    ],
    [
      'data of something else',
      () => Buffer.from(indexText([{ ...good, data: 'e30=' }])),
      'manifests[0].data is not the content with the digest',
    ],
  ])('with %s is neither copied nor edited', async (_what, make, why) => {
    const changed = make();
    const reference = place.reference('changed');
    await place.manifest('changed', OCI_INDEX, changed);
    for (const args of [
      ['copy', reference, place.reference('copied')],
      ['annotate', reference, '--annotation', 'a=b'],
      ['remove', reference, '--platform', 'linux/amd64'],
    ]) {
      const result = await runCli(args);
      expectCode(result, 1);
      expect(result.stderr).toContain(`the document is ambiguous: ${why}`);
    }
    const verified = await runCli(['verify', '--json', reference]);
    expect(verified.code).toBe(6);
    const { digest } = JSON.parse(verified.stdout) as { digest: string };
    expect(digest).toBe(digestOf(changed));
    expect(verified.stdout).toContain(`is ambiguous: ${why}`);
  });

  it('has a defect, and what it names is verified', async () => {
    const { code, stdout, stderr } = await runCli([
      'verify',
      '--json',
      place.reference('ambiguous'),
    ]);
    expect(code).toBe(6);
    expect(stderr).toMatch(/^hint: build the image again: tools read this document differently$/m);
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

describe.each(Object.entries(places))('an index of blobs in %s', (name, place) => {
  const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const layer = Buffer.from(`layer in ${name}`);
  const config = Buffer.from(`{"layers":[{"blob":"${name}"}]}`);
  const cache = Buffer.from(
    indexText([
      descriptor(LAYER, layer),
      descriptor('application/vnd.buildkit.cacheconfig.v0', config),
    ]),
  );

  beforeAll(async () => {
    await Promise.all([place.blob(layer), place.blob(config)]);
    await place.manifest('cache', OCI_INDEX, cache);
    const outer = indexText([descriptor(OCI_INDEX, cache)]);
    await place.manifest('nested', OCI_INDEX, Buffer.from(outer));
  });

  it.each(['cache', 'nested'])(
    'is copied to registries and layouts, with its blobs: %s',
    async (tag) => {
      const id = `${tag}-${name.replace(/ /g, '-')}`;
      const target = await LayoutFolder.make();
      const copies = [
        `${registry.host}/copy/${id}:1`,
        target.reference(id),
        `oci-archive:${target.root}/x.tar:${id}`,
      ];
      for (const copy of copies) {
        expectCode(await runCli(['copy', place.reference(tag), copy]), 0);
        expectCode(await runCli(['verify', '--deep', copy]), 0);
      }
      await target.remove();
    },
  );

  it('is shown and verified', async () => {
    const reference = place.reference('cache');
    const shown = await runCli(['inspect', reference]);
    expectCode(shown, 0);
    expect(shown.stdout).toContain(LAYER);
    const table = await runCli(['inspect', '--format', 'table', reference]);
    expectCode(table, 0);
    const verified = await runCli(['verify', '--json', reference]);
    expectCode(verified, 0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      defects: [],
      entries: [
        { digest: digestOf(layer), blobs: 1 },
        { digest: digestOf(config), blobs: 1 },
      ],
    });
  });

  it('has a defect if a blob is missing, and is not copied then', async () => {
    const gone = descriptor(LAYER, Buffer.from('gone'));
    const folder = await LayoutFolder.make();
    await folder.tag(await folder.index([gone]), 'broken');
    const verified = await runCli(['verify', '--json', folder.reference('broken')]);
    expect(verified.code).toBe(6);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      defects: [{ where: gone.digest, what: 'is a blob: it is not there' }],
    });
    const target = `${registry.host}/copy/broken:1`;
    expectCode(await runCli(['copy', folder.reference('broken'), target]), 3);
    expect((await getManifest(registry.host, 'copy/broken', '1')).status).toBe(404);
    await folder.remove();
  });
});

describe.each(Object.entries(places))('an index in %s', (_name, place) => {
  beforeAll(async () => {
    await putImage(place, 'amd64');
    const documents = {
      empty: indexText([]),
      null: indexText(null),
      absent: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX }),
      'null-everywhere': indexText(null, { annotations: null, subject: null, artifactType: null }),
    };
    for (const [tag, text] of Object.entries(documents))
      await place.manifest(tag, OCI_INDEX, Buffer.from(text));
  });

  it.each(['empty', 'null', 'absent', 'null-everywhere'])(
    'without entries is read, copied and extended: %s',
    async (tag) => {
      const reference = place.reference(tag);
      const [new_, copy] = [place.reference(`${tag}-new`), place.reference(`${tag}-copy`)];
      for (const args of [
        ['inspect', reference],
        ['inspect', '--raw', reference],
        ['query', reference],
        ['copy', reference, copy],
        ['annotate', copy, '--annotation', 'a=b'],
        ['add', copy, place.reference('amd64')],
        ['verify', copy],
      ])
        expectCode(await runCli(args), 0);
      const created = await runCli(['create', '--target', new_, reference]);
      expectCode(created, 1);
      expect(created.stderr).toContain('failed: it is an index with no entries\nhint: ');
      const selected = await runCli(['inspect', '--platform', 'linux/amd64', reference]);
      expectCode(selected, 3);
      expect(selected.stderr).toContain('failed: it is an index with no entries');
    },
  );
});

describe.each(Object.entries(places))('an ambiguous config in %s', (_name, place) => {
  it.each([
    ['{"os":"linux","architecture":"amd64","OS":"windows"}', 'has both "os" and "OS"'],
    ['{"os":"linux","architecture":"amd64","os":"windows"}', 'the key "os" occurs twice'],
  ])('is not published, but copied, and a defect: %s', async (text, why) => {
    const config = Buffer.from(text);
    await place.blob(config);
    const image = json({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor(OCI_CONFIG, config),
      layers: [],
    });
    await place.manifest('config', OCI_MANIFEST, image);
    const source = place.reference('config');
    const created = await runCli(['create', '--target', place.reference('of-config'), source]);
    expectCode(created, 1);
    expect(created.stderr).toContain(why);
    expect(created.stderr).toContain('hint: do not trust it');
    expectCode(await runCli(['copy', source, place.reference('copied-config')]), 0);
    const verified = await runCli(['verify', '--json', source]);
    expect(verified.code).toBe(6);
    expect(verified.stdout).toContain(JSON.stringify(why).slice(1, -1));
  });
});

describe.each(Object.entries(places))('an index in an index in %s', (_name, place) => {
  it('is unfolded by create, kept by copy, and followed by verify, four levels deep', async () => {
    const image = await putImage(place, 'amd64');
    const other = await putImage(place, 'arm64');
    const missing = { ...other, ...descriptor(OCI_MANIFEST, Buffer.from('missing')) };
    let inner = Buffer.from(indexText([image]));
    let damaged = Buffer.from(indexText([missing]));
    await place.manifest('level-0', OCI_INDEX, inner);
    // Some registries refuse an index with missing images; a layout does not check.
    const isChecked = place === places['a registry'];
    if (!isChecked) await place.manifest('damaged-0', OCI_INDEX, damaged);
    for (const level of [1, 2, 3, 4]) {
      inner = Buffer.from(indexText([descriptor(OCI_INDEX, inner)]));
      damaged = Buffer.from(indexText([descriptor(OCI_INDEX, damaged)]));
      await place.manifest(`level-${level}`, OCI_INDEX, inner);
      if (!isChecked) await place.manifest(`damaged-${level}`, OCI_INDEX, damaged);
    }
    const source = place.reference('level-4');
    expectCode(await runCli(['create', '--target', place.reference('flat'), source]), 0);
    const flat = JSON.parse((await place.read('flat')).toString()) as { manifests: Entry[] };
    expect(flat.manifests).toEqual([image]);
    expectCode(await runCli(['copy', source, place.reference('kept')]), 0);
    expect(await place.read('kept')).toEqual(inner);
    expectCode(await runCli(['verify', place.reference('kept')]), 0);
    if (isChecked) return;
    const verified = await runCli(['verify', '--json', place.reference('damaged-4')]);
    expect(verified.code).toBe(6);
    expect(JSON.parse(verified.stdout)).toMatchObject({ defects: [{ where: missing.digest }] });
  });
});

describe('an ambiguous index.json of a layout', () => {
  it.each([
    [
      'two lists',
      (text: string) => text.replace('{', '{"manifests":[],'),
      'the key "manifests" oc',
    ],
    ['two lists in another case', (text: string) => text.replace('{', '{"Manifests":[],'), 'has b'],
    [
      'bytes that are not UTF-8',
      (text: string) => text.replace('{', '{"x":"\u00e9",'),
      'not UTF-8',
    ],
  ])('with %s is neither read nor rewritten', async (_what, change, why) => {
    const folder = await LayoutFolder.make();
    await folder.tag(await folder.image({ os: 'linux', architecture: 'amd64' }, []), 'app');
    const file = path.join(folder.root, 'index.json');
    const changed = Buffer.from(change(await readFile(file, 'utf8')), 'latin1');
    await writeFile(file, changed);
    for (const args of [
      ['inspect', folder.reference('app')],
      ['copy', `${registry.host}/app:amd64`, folder.reference('new')],
    ]) {
      const result = await runCli(args);
      expectCode(result, 1);
      expect(result.stderr).toContain(why);
    }
    expect(await readFile(file)).toEqual(changed);
    await folder.remove();
  });
});

describe('an index of thousands of entries', () => {
  it('is read with 10,000 of them, and refused with more', async () => {
    const folder = await LayoutFolder.make();
    const image = await folder.image({ os: 'linux', architecture: 'amd64' }, []);
    const { mediaType, digest, size } = image;
    const of = async (count: number, tag: string): Promise<void> => {
      const entries = Array.from({ length: count }, (_, i) => ({
        mediaType,
        digest,
        size,
        platform: { os: 'windows', architecture: 'amd64', 'os.version': `10.0.${i}` },
      }));
      await folder.tag(await folder.index(entries), tag);
    };
    await of(10_000, 'all');
    await of(10_001, 'more');
    expectCode(await runCli(['copy', folder.reference('all'), folder.reference('copy')]), 0);
    const queried = await runCli(['query', folder.reference('copy')]);
    expectCode(queried, 0);
    expect(queried.stdout).toContain('10.0.9999');
    const refused = await runCli(['query', folder.reference('more')]);
    expectCode(refused, 1);
    expect(refused.stderr).toContain('manifests has 10001 entries, more than 10000\nhint: ');
    await folder.remove();
  });

  it('is refused with the number of bytes if that is more than registries accept', async () => {
    const folder = await LayoutFolder.make();
    const annotations = { a: 'x'.repeat(1000) };
    const entry = { ...descriptor(OCI_MANIFEST, Buffer.from('x')), annotations };
    await folder.tag(await folder.index(Array.from({ length: 5000 }, () => entry)), 'large');
    const refused = await runCli(['query', folder.reference('large')]);
    expectCode(refused, 1);
    expect(refused.stderr).toMatch(/it has \d+ bytes, more than the limit of 4194304/);
    await folder.remove();
  });
});

describe.each(Object.entries(places))('create of one index in %s', (_name, place) => {
  const annotations = { note: 'é <b>', other: '1' };
  let entries: Entry[];
  let odd: Buffer;

  beforeAll(async () => {
    entries = [
      { ...(await putImage(place, 'amd64')), annotations: { of: 'the entry' } },
      await putImage(place, 'arm64'),
    ];
    const more = { annotations, artifactType: 'application/x', 'x-unknown': [1.0] };
    odd = Buffer.from(`${JSON.stringify(JSON.parse(indexText(entries, more)), undefined, 3)}\n`);
    await place.manifest('odd', OCI_INDEX, odd);
  });

  const create = (target: string, ...args: string[]) =>
    runCli(['create', '--target', place.reference(target), ...args]);

  it('is a carbon copy if nothing is to be changed', async () => {
    for (const options of [[], ['--type', 'oci'], ['--attestations', 'drop']]) {
      const result = await create('carbon', place.reference('odd'), ...options);
      expectCode(result, 0);
      expect(result.stdout).toContain(`Digest: ${digestOf(odd)} ${odd.length}`);
      expect(result.stderr).not.toContain('does not keep');
    }
    expect(await place.read('carbon')).toEqual(odd);
    const elsewhere = `${registry.host}/carbon/${_name.replaceAll(' ', '-')}:1`;
    expectCode(await runCli(['create', '-t', elsewhere, place.reference('odd')]), 0);
    expectCode(await runCli(['verify', elsewhere]), 0);
  });

  it.each([
    ['another type', ['--type', 'docker'], 'note, other'],
    ['an annotation', ['--annotation', 'note=mine'], 'the annotation other'],
    ['an annotation of an entry', ['--annotation', 'manifest-descriptor:a=b'], 'note, other'],
    ['an artifact type', ['--artifact-type', 'application/y'], 'note, other'],
  ])('is built anew for %s, and what is lost is named', async (_what, options, lost) => {
    const result = await create('rebuilt', place.reference('odd'), ...options);
    expectCode(result, 0);
    expect(result.stdout).not.toContain(digestOf(odd));
    expect(result.stderr).toContain(lost);
    const all = `the artifact type application/x, the member x-unknown of ${place.reference('odd')}`;
    expect(result.stderr).toContain(all);
    const strict = await create('strict', place.reference('odd'), ...options, '--strict');
    expectCode(strict, 2);
  });

  it('is built anew with another source, or if the index names an index', async () => {
    const both = await create('both', place.reference('odd'), place.reference('s390x'));
    expectCode(both, 3);
    await putImage(place, 's390x');
    const result = await create('both', place.reference('odd'), place.reference('s390x'));
    expectCode(result, 0);
    expect(result.stderr).toContain('the annotations note, other, the artifact type application/x');
    const nested = indexText([descriptor(OCI_INDEX, odd)]);
    await place.manifest('nested-odd', OCI_INDEX, Buffer.from(nested));
    const unfolded = await create('unfolded', place.reference('nested-odd'));
    expectCode(unfolded, 0);
    expect(unfolded.stderr).toContain('does not keep the annotations note, other');
    const { manifests } = JSON.parse((await place.read('unfolded')).toString()) as {
      manifests: Entry[];
    };
    expect(manifests.map(({ digest }) => digest)).toEqual(entries.map(({ digest }) => digest));
  });

  it('names the members of entries that are lost, also when entries are added', async () => {
    const [kept, other] = entries;
    const odder = {
      ...kept!,
      'x-note': 1,
      platform: { ...(kept!['platform'] as object), features: ['sse4'] },
    };
    await place.manifest('odder', OCI_INDEX, Buffer.from(indexText([odder, other!])));
    const says = `the members x-note, platform.features of entries of ${place.reference('odder')}`;
    const result = await create('x', place.reference('odder'), '--annotation', 'a=b');
    expectCode(result, 0);
    expect(result.stderr).toContain(says);
    const others = await create('x', place.reference('odder'), '--platform', 'linux/arm64');
    expectCode(others, 0);
    expect(others.stderr).not.toContain('x-note');
    const added = await runCli(['add', place.reference('x'), place.reference('odder')]);
    expectCode(added, 0);
    expect(added.stderr).toContain(says);
  });

  it('names what a Docker manifest list does not keep of an entry', async () => {
    const artifact = {
      ...entries[1]!,
      artifactType: 'application/x',
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': entries[0]!.digest,
      },
    };
    const text = indexText([entries[0]!, artifact]);
    await place.manifest('typed', OCI_INDEX, Buffer.from(text));
    const says = `a Docker manifest list does not keep the artifact type application/x of ${artifact.digest}`;
    const result = await create('x', place.reference('typed'), '--type', 'docker');
    expectCode(result, 0);
    expect(result.stderr).toContain(says);
    await create('x', place.reference('odd'), '--type', 'docker', '--platform', 'linux/amd64');
    const added = await runCli(['add', place.reference('x'), place.reference('typed')]);
    expectCode(added, 0);
    expect(added.stderr).toContain(says);
  });

  it('names a subject that is lost', async () => {
    const subject = descriptor(OCI_MANIFEST, Buffer.from('subject'));
    await place.manifest('referring', OCI_INDEX, Buffer.from(indexText(entries, { subject })));
    const result = await create('x', place.reference('referring'), '--annotation', 'a=b');
    expectCode(result, 0);
    expect(result.stderr).toContain(`does not keep the subject ${subject.digest}`);
    expectCode(await create('kept', place.reference('referring')), 0);
    expect(await place.read('kept')).toEqual(await place.read('referring'));
  });
});
