import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeRegistry, stored } from '../adversarial/support/fake-registry.js';
import { startScripted } from '../adversarial/support/scripted.js';
import { expectCode, runCli } from '../support/cli.js';
import { sha256 } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

type Entry = Blob & Record<string, unknown>;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'verify-'));
  await mkdir(path.join(root, 'blobs/sha256'), { recursive: true });
  await writeFile(path.join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
});

afterEach(() => rm(root, { recursive: true, force: true }));

const fileOf = ({ digest }: Blob): string => path.join(root, 'blobs/sha256', digest.slice(7));

async function put(content: unknown): Promise<Blob> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const blob = {
    digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    size: Buffer.byteLength(text),
  };
  await writeFile(fileOf(blob), text);
  return blob;
}

interface Image {
  readonly entry: Entry;
  readonly config: Blob;
  readonly layer: Blob;
}

async function image(architecture: string, listed: object = {}): Promise<Image> {
  const layer = await put(`layer of ${architecture}`);
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = await put({ os: 'linux', architecture, rootfs });
  const manifest = await put({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: LAYER, ...layer }],
  });
  const platform = { os: 'linux', architecture };
  return { entry: { mediaType: OCI_MANIFEST, ...manifest, platform, ...listed }, config, layer };
}

async function attestation(subject: string): Promise<Entry> {
  const { entry } = await image('unknown');
  return {
    ...entry,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': subject,
    },
  };
}

/** Verifies a list of these entries. */
async function verify(manifests: readonly Entry[], ...options: string[]) {
  const list = await put({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  const annotations = { 'org.opencontainers.image.ref.name': 'list' };
  const entry = { mediaType: OCI_INDEX, ...list, annotations };
  await writeFile(
    path.join(root, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
  );
  return runCli(['verify', `oci-layout://${root}:list`, ...options]);
}

describe('a list that is whole', () => {
  it('has no defect, attestations and all', async () => {
    const [a, b] = [await image('amd64'), await image('s390x')];
    const attested = await attestation(a.entry.digest);
    const result = await verify([a.entry, attested, b.entry], '--deep');
    expectCode(result, 0);
    expect(result.stderr).toBe('');
    expect(result.stdout).toMatch(/^ok +linux\/amd64 +sha256:[0-9a-f]{64} +2 blobs$/m);
    expect(result.stdout).toMatch(/^ok +attestation +sha256:/m);
  });

  it('has exactly the platforms that are demanded, or a defect for each that is not', async () => {
    const entries = [(await image('amd64')).entry, (await image('s390x')).entry];
    expectCode(await verify(entries, '--platforms', 'linux/s390x,linux/amd64'), 0);
    const other = await verify(entries, '--platforms', 'linux/amd64,linux/386');
    expectCode(other, 6);
    expect(other.stderr).toMatch(/linux\/386 is required, but not in the index/);
    expect(other.stderr).toMatch(/linux\/s390x is an unexpected platform/);
  });
});

it('warns of two entries that nothing tells apart, which is no defect', async () => {
  const [a, b] = [await image('amd64'), await image('s390x')];
  const platform = { os: 'linux', architecture: 'amd64', variant: 'v1' };
  const result = await verify([a.entry, { ...b.entry, platform: a.entry['platform'] }], '--json');
  expect(result.stderr).toMatch(
    /is for linux\/amd64, but sha256:\S+ comes first for that platform/,
  );
  const twice = await verify([a.entry, { ...a.entry, platform }], '--json');
  expectCode(twice, 0);
  const { defects, warnings } = JSON.parse(twice.stdout) as Record<string, unknown>;
  expect(defects).toEqual([]);
  expect(warnings).toEqual([
    {
      where: a.entry.digest,
      what: `is for linux/amd64/v1, but ${a.entry.digest} comes first for that platform`,
    },
  ]);
});

describe('a defect', () => {
  type Damage = (a: Image, b: Image) => Promise<Entry[]> | Entry[];
  const gone = (blob: Blob): Promise<void> => rm(fileOf(blob));
  const changed = async (blob: Blob): Promise<void> => {
    const text = await readFile(fileOf(blob), 'utf8');
    await writeFile(
      fileOf(blob),
      text.replace(/[a-z]/, (char) => (char === 'x' ? 'y' : 'x')),
    );
  };

  it.each<[string, RegExp, Damage, string[]?]>([
    [
      'a child that is missing',
      /has no blob/,
      async (a, b) => (await gone(a.entry), [a.entry, b.entry]),
    ],
    [
      'a child that is damaged',
      /its digest is not/,
      async (a, b) => (await changed(a.entry), [a.entry, b.entry]),
    ],
    [
      'a child of another size',
      /bytes/,
      (a, b) => [{ ...a.entry, size: a.entry.size + 1 }, b.entry],
    ],
    [
      'a child of another type',
      /is of type|it was served as/,
      (a, b) => [
        { ...a.entry, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' },
        b.entry,
      ],
    ],
    [
      'a child of a type that is no image',
      /neither an image nor an index/,
      (a, b) => [{ ...a.entry, mediaType: 'text/plain' }, b.entry],
    ],
    [
      'a configuration that is missing',
      /config sha256:\S+ the layout has no blob/,
      async (a, b) => (await gone(a.config), [a.entry, b.entry]),
    ],
    [
      'a configuration that is damaged',
      /config sha256:.*digest/,
      async (a, b) => (await changed(a.config), [a.entry, b.entry]),
    ],
    [
      'a layer that is missing',
      /layer sha256:\S+ it is not there/,
      async (a, b) => (await gone(a.layer), [a.entry, b.entry]),
    ],
    [
      'a layer of another size',
      /layer sha256:\S+ it has \d+ bytes/,
      async (a, b) => (await writeFile(fileOf(a.layer), 'x'), [a.entry, b.entry]),
    ],
    [
      'a layer that is damaged, with --deep',
      /layer sha256:.*digest/,
      async (a, b) => (await changed(a.layer), [a.entry, b.entry]),
      ['--deep'],
    ],
    [
      'a platform that is not that of the configuration',
      /is for linux\/386 in the index, but for linux\/amd64 in its config/,
      (a, b) => [{ ...a.entry, platform: { os: 'linux', architecture: '386' } }, b.entry],
    ],
    [
      'an entry without platform',
      /has no platform in the index/,
      (a, b) => [{ ...a.entry, platform: undefined }, b.entry],
    ],
    [
      'an attestation of what is not there',
      /is an attestation for sha256:0+, which is not in the index/,
      async (a) => [a.entry, await attestation(`sha256:${'0'.repeat(64)}`)],
    ],
    [
      'an unknown platform without attestation',
      /unknown\/unknown, but is not an attestation/,
      (a, b) => [a.entry, { ...b.entry, platform: { os: 'unknown', architecture: 'unknown' } }],
    ],
  ])('is found: %s', async (_, says, damage, options = []) => {
    const entries = await damage(await image('amd64'), await image('s390x'));
    const result = await verify(entries, ...options);
    expectCode(result, 6);
    expect(result.stderr).toMatch(says);
    expect(result.stderr).toMatch(
      /^manifest-tool: [^\n]+\n(?: {2}[^\n]+\n)*hint: push or copy the missing or damaged content again[^\n]*\n$/,
    );
    const json = await verify(entries, '--json', ...options);
    const { defects } = JSON.parse(json.stdout) as { defects: { where: string; what: string }[] };
    expect(defects.map(({ where, what }) => `${where} ${what}`).join('; ')).toMatch(says);
  });
});

describe('on a registry', () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;

  beforeAll(async () => {
    registry = await startRegistry();
    await seedParityImages(registry.host, {
      repositories: ['docker/list', 'buildx/full', 'odd/app'],
    });
  });

  afterAll(() => registry.stop());

  it.each(['docker/list:latest', 'buildx/full:latest'])('%s is whole', async (name) => {
    expectCode(await runCli(['verify', `${registry.host}/${name}`]), 0);
    expectCode(await runCli(['verify', '--deep', `${registry.host}/${name}`]), 0);
  });

  it('a foreign layer is not missing, but it counts as one', async () => {
    const args = ['verify', '--json', '--deep', `${registry.host}/odd/app:foreign`];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(6);
    const what = 'has 3 layers, but its config lists 2 (rootfs.diff_ids)';
    expect(JSON.parse(stdout)).toMatchObject({ defects: [{ what }], missingForeignLayers: 1 });
  });

  it('foreign layers that are missing are counted with --deep, each once', async () => {
    const fake = new FakeRegistry();
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
    const missing = { mediaType: foreign, digest: sha256(Buffer.from('elsewhere')), size: 9 };
    const added = ['amd64', 'arm64'].map((architecture) => {
      const whole = fake.addImage('x', architecture, { oci: true, architecture });
      const document = JSON.parse(whole.bytes.toString()) as { layers: { mediaType: string }[] };
      const here = { ...document.layers[0]!, mediaType: foreign };
      const made = stored(OCI_MANIFEST, { ...document, layers: [here, missing] });
      fake.addManifest('x', architecture, made);
      const { mediaType, digest, bytes } = made;
      return { mediaType, digest, size: bytes.length, platform: { os: 'linux', architecture } };
    });
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: added };
    fake.addManifest('x', '1', stored(OCI_INDEX, index));
    const server = await startScripted((seen) => fake.answer(seen));
    try {
      const deep = await runCli(['verify', '--deep', `${server.host}/x:1`]);
      expectCode(deep, 0);
      expect(deep.stdout).toContain('\n1 foreign layer not in the repository');
      const shallow = await runCli(['verify', `${server.host}/x:1`]);
      expectCode(shallow, 0);
      expect(shallow.stdout).not.toContain('foreign');
      // What is there is read.
      const blob = [...fake.blobs.keys()].find((key) => fake.blobs.get(key)!.includes('arm64 '));
      fake.blobs.set(blob!, Buffer.from('damaged'));
      expectCode(await runCli(['verify', '--deep', `${server.host}/x:1`]), 6);
    } finally {
      await server.stop();
    }
  });

  it('what is not there is not found', async () => {
    expectCode(await runCli(['verify', `${registry.host}/docker/list:none`]), 3);
  });
});
