import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  FakeRegistry,
  OCI_INDEX,
  stored,
  type Stored,
} from '../adversarial/support/fake-registry.js';
import { addReferrer, digestsUnder, indexOf, tagOf } from '../adversarial/support/referrers.js';
import { startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';
import { expectCode, runCli } from '../support/cli.js';

let fake: FakeRegistry;
let server: ScriptedServer;
let folder: string;
/** The entries of the source, by name, and the index of them all. */
let entries: Record<string, { digest: string }>;
let index: Stored;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'copy-filter-'));
  server = await startScripted((seen) => fake.answer(seen));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  fake = new FakeRegistry();
  const image = (architecture: string, text = '', more: object = {}) => {
    const made = fake.addImage('s', `${architecture}${text}`, { oci: true, architecture, text });
    return entry(made, { platform: { os: 'linux', architecture }, ...more });
  };
  const attestation = (of: { digest: string }) =>
    entry(fake.addImage('s', `att-${of.digest.slice(7, 12)}`, { oci: true, text: of.digest }), {
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': of.digest,
      },
    });
  const amd64 = image('amd64');
  const zstd = image('amd64', '-zstd', {
    annotations: { 'io.github.containers.compression.zstd': 'true' },
  });
  const arm64 = image('arm64');
  const soci = entry(addArtifact('application/vnd.amazon.soci.index.v2+json'), {
    artifactType: 'application/vnd.amazon.soci.index.v2+json',
    annotations: { 'com.amazon.soci.image-manifest-digest': arm64.digest },
  });
  entries = {
    amd64,
    zstd,
    arm64,
    amd64Attested: attestation(amd64),
    arm64Attested: attestation(arm64),
    soci,
  };
  const annotations = { 'org.example.kept': 'yes <&>' };
  const document = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: Object.values(entries),
    annotations,
  };
  index = stored(OCI_INDEX, document);
  fake.addManifest('s', '1', index);
});

function entry({ mediaType, digest, bytes }: Stored, more: object) {
  return { mediaType, digest, size: bytes.length, ...more };
}

/** Puts an artifact without a subject into the source. */
function addArtifact(artifactType: string): Stored {
  const referrer = addReferrer(fake, 's', stored(OCI_INDEX, {}), artifactType);
  const { subject: _, ...document } = JSON.parse(referrer.bytes.toString()) as { subject: object };
  const artifact = stored(referrer.mediaType, document);
  fake.manifests.set(`s@${artifact.digest}`, artifact);
  return artifact;
}

function copy(...args: string[]) {
  return runCli(['copy', ...args.map((arg) => arg.replaceAll('REG', server.host))]);
}

/** The names of the entries under a tag of the target. */
function keptIn(repository: string, tag: string): string[] {
  const digests = digestsUnder(fake, repository, tag)!;
  return Object.keys(entries).filter((name) => digests.includes(entries[name]!.digest));
}

describe('copy --platform', () => {
  it.each([
    [['linux/arm64'], ['arm64', 'arm64Attested', 'soci']],
    [['linux/aarch64'], ['arm64', 'arm64Attested', 'soci']],
    [['linux/amd64'], ['amd64', 'amd64Attested']],
    [
      ['linux/arm64', '--attestations', 'drop'],
      ['arm64', 'soci'],
    ],
  ])('%j keeps these entries, and what belongs to them', async (options, expected) => {
    const result = await copy('--platform', ...options, 'REG/s:1', 'REG/t:1');
    expectCode(result, 0);
    expect(keptIn('t', '1')).toEqual(expected);
    const { digest, bytes } = fake.manifests.get('t:1')!;
    expect(result.stdout).toBe(`Digest: ${digest} ${bytes.length}\n`);
    expect(result.stderr).toContain(
      `${expected.length} of 6 entries are kept, so the digest changes from ${index.digest} to ${digest}`,
    );
    expect(JSON.parse(bytes.toString())).toEqual({
      ...(JSON.parse(index.bytes.toString()) as object),
      manifests: expected.map((name) => entries[name]),
    });
    expectCode(await runCli(['verify', '--deep', `${server.host}/t:1`]), 0);
    const others = Object.keys(entries).filter((name) => !expected.includes(name));
    const written = others.filter((name) => fake.manifests.has(`t@${entries[name]!.digest}`));
    expect(written).toEqual([]);
  });

  it('takes the first of several images for a platform, and says how many there are', async () => {
    const { stderr } = await copy('--platform', 'linux/amd64', 'REG/s:1', 'REG/t:1');
    expect(stderr).toContain('2 entries are for linux/amd64');
    expect(stderr).toContain(entries['amd64']!.digest);
  });

  it.each([
    ['a list of platforms', ['--platform', 'linux/amd64,linux/arm64']],
    ['two options', ['--platform', 'linux/amd64', '--platform', 'linux/arm64']],
  ])('with %s that are all there keeps the digest', async (_, options) => {
    const { zstd: __, ...all } = entries;
    const manifests = Object.values(all);
    const whole = stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
    fake.addManifest('s', '2', whole);
    const result = await copy(...options, 'REG/s:2', 'REG/t:1');
    expectCode(result, 0);
    expect(fake.manifests.get('t:1')?.digest).toBe(whole.digest);
    expect(result.stderr).not.toContain('digest changes');
  });

  it.each([
    ['a platform that is not there', ['--platform', 'linux/arm64,linux/s390x'], 3],
    ['no platform', ['--platform', 'amd64'], 2],
  ])('with %s writes nothing', async (_, options, code) => {
    const result = await copy(...options, 'REG/s:1', 'REG/t:1');
    expectCode(result, code);
    expect([...fake.manifests.keys()].filter((key) => key.startsWith('t'))).toEqual([]);
  });

  it('of a single image checks its platform', async () => {
    expectCode(await copy('--platform', 'linux/arm64,linux/amd64', 'REG/s:amd64', 'REG/t:1'), 0);
    expect(fake.manifests.get('t:1')?.digest).toBe(entries['amd64']!.digest);
    const result = await copy('--platform', 'linux/arm64', 'REG/s:amd64', 'REG/t:2');
    expectCode(result, 3);
    expect(result.stderr).toContain('for linux/amd64, not for linux/arm64');
  });

  it('filters into layouts and archives, and takes referrers of what it keeps', async () => {
    const { mediaType, bytes } = fake.manifests.get('s:arm64')!;
    const arm64 = { mediaType, bytes, digest: entries['arm64']!.digest };
    const type = 'application/example.signature';
    const [ofImage, ofIndex] = [
      addReferrer(fake, 's', arm64, type),
      addReferrer(fake, 's', index, type),
    ];
    fake.addManifest('s', tagOf(arm64), indexOf([ofImage]));
    fake.addManifest('s', tagOf(index), indexOf([ofIndex]));
    for (const [local, to] of [
      [`oci-layout://${folder}/layout:1`, 'a'],
      [`oci-archive://${folder}/archive.tar:1`, 'b'],
    ] as const) {
      const options = ['--referrers', '--platform', 'linux/arm64'];
      expectCode(await copy(...options, 'REG/s:1', local), 0);
      expectCode(await copy('--referrers', local, `REG/${to}:1`), 0);
      expect(keptIn(to, '1')).toEqual(['arm64', 'arm64Attested', 'soci']);
      expect(digestsUnder(fake, to, tagOf(arm64))).toEqual([ofImage.digest]);
      expect(fake.manifests.has(`${to}@${ofIndex.digest}`)).toBe(false);
    }
  });
});

describe('of an index inside an index', () => {
  let inner: Stored;

  beforeEach(() => {
    const { amd64, amd64Attested, arm64, arm64Attested, soci } = entries;
    const nested = (manifests: unknown[], annotations: object): Stored => {
      const made = stored(OCI_INDEX, {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests,
        annotations,
      });
      fake.manifests.set(`s@${made.digest}`, made);
      return made;
    };
    inner = nested([arm64, arm64Attested, soci], { 'org.example.inner': '1' });
    const middle = nested([{ ...entry(inner, {}), unknown: 1 }, amd64], {
      'org.example.middle': '1',
    });
    const outer = nested([amd64, amd64Attested, entry(middle, {})], { 'org.example.outer': '1' });
    fake.addManifest('s', 'nested', outer);
  });

  /** The entries under a tag or digest, those of indexes inside it as lists. */
  function treeOf(repository: string, reference: string): unknown[] {
    const separator = reference.includes(':') ? '@' : ':';
    const held = fake.manifests.get(`${repository}${separator}${reference}`)!;
    const { manifests } = JSON.parse(held.bytes.toString()) as {
      manifests: { mediaType: string; digest: string }[];
    };
    return manifests.map(({ mediaType, digest }) =>
      mediaType === OCI_INDEX
        ? treeOf(repository, digest)
        : Object.keys(entries).find((name) => entries[name]!.digest === digest),
    );
  }

  it.each(['t', 's'])('copy --platform filters inside, to repository %s', async (repository) => {
    const result = await copy('--platform', 'linux/arm64', 'REG/s:nested', `REG/${repository}:1`);
    expectCode(result, 0);
    expect(treeOf(repository, '1')).toEqual([[['arm64', 'arm64Attested', 'soci']]]);
    expect(fake.manifests.get(`${repository}:1`)!.bytes.toString()).toContain('org.example.outer');
    expect(fake.manifests.has(`${repository}@${inner.digest}`)).toBe(true);
    expect(result.stderr).toContain('3 of 6 entries are kept');
    expectCode(await runCli(['verify', '--deep', `${server.host}/${repository}:1`]), 0);
  });

  it('copy --platform keeps the unknown members of an index entry that changes', async () => {
    const dropped = ['--platform', 'linux/arm64', '--attestations', 'drop'];
    expectCode(await copy(...dropped, 'REG/s:nested', 'REG/t:1'), 0);
    expect(treeOf('t', '1')).toEqual([[['arm64', 'soci']]]);
    const texts = [...fake.manifests].filter(([key]) => key.startsWith('t@'));
    const changed = texts.map(([, { bytes }]) => bytes.toString());
    expect(changed.filter((text) => text.includes('"unknown":1'))).toHaveLength(1);
  });

  it('copy --platform takes the first of all levels', async () => {
    expectCode(await copy('--platform', 'linux/amd64', 'REG/s:nested', 'REG/t:1'), 0);
    expect(treeOf('t', '1')).toEqual(['amd64', 'amd64Attested']);
  });

  it('create, add and push from-args select inside', async () => {
    const source = `${server.host}/s:nested`;
    const target = `${server.host}/s:made`;
    const only = ['--platform', 'linux/arm64'];
    const created = await runCli(['create', ...only, '--target', target, source]);
    expectCode(created, 0);
    expect(treeOf('s', 'made')).toEqual(['arm64', 'soci', 'arm64Attested']);
    const added = await runCli(['add', '--platform', 'linux/amd64', target, source]);
    expectCode(added, 0);
    expect(treeOf('s', 'made')).toContain('amd64');
    const options = ['--platforms', 'linux/arm64', '--template', source, '--target', target];
    const pushed = await runCli(['push', '--type', 'oci', 'from-args', ...options]);
    expectCode(pushed, 0);
    expect(pushed.stderr).not.toContain('does not keep');
    expect(treeOf('s', 'made')).toEqual(['arm64', 'soci', 'arm64Attested']);
    const missing = await runCli(['create', '--platform', 'linux/s390x', '-t', target, source]);
    expectCode(missing, 3);
    expect(missing.stderr).toContain('there are linux/amd64, linux/arm64');
  });
});

describe('copy --attestations', () => {
  it.each([
    ['drop', ['amd64', 'zstd', 'arm64', 'soci']],
    ['keep', ['amd64', 'zstd', 'arm64', 'amd64Attested', 'arm64Attested', 'soci']],
  ])('%s', async (what, expected) => {
    expectCode(await copy('--attestations', what, 'REG/s:1', 'REG/t:1'), 0);
    expect(keptIn('t', '1')).toEqual(expected);
  });

  it('drop of an index of attestations alone is an error', async () => {
    const manifests = [entries['amd64Attested'], entries['arm64Attested']];
    fake.addManifest(
      's',
      '2',
      stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    );
    expectCode(await copy('--attestations', 'drop', 'REG/s:2', 'REG/t:1'), 3);
  });
});
