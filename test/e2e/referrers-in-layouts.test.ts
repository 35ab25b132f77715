import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeRegistry, OCI_INDEX, stored } from '../adversarial/support/fake-registry.js';
import { addReferrer, digestsUnder, indexOf, tagOf } from '../adversarial/support/referrers.js';
import { startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';
import { expectCode, runCli, spawnCli } from '../support/cli.js';
import { sha256 } from '../support/http.js';

const SIGNATURE = 'application/example.signature';
const BOM = 'application/example.bom';

interface Entry {
  readonly digest: string;
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
}

let folder: string;
let count = 0;
let fake: FakeRegistry;
let server: ScriptedServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'layout-referrers-'));
  server = await startScripted((seen) => fake.answer(seen));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  fake = new FakeRegistry();
  count += 1;
});

function layoutPath(): string {
  return path.join(folder, String(count));
}

async function entriesOf(layout: string): Promise<Entry[]> {
  const text = await readFile(path.join(layout, 'index.json'), 'utf8');
  return (JSON.parse(text) as { manifests: Entry[] }).manifests;
}

async function readTagged(layout: string, tag: string): Promise<string[] | undefined> {
  const entries = await entriesOf(layout);
  const named = entries.filter(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  expect(named.length).toBeLessThan(2);
  const [entry] = named;
  if (entry === undefined) return undefined;
  const blob = path.join(layout, 'blobs', ...entry.digest.split(':'));
  const { manifests } = JSON.parse(await readFile(blob, 'utf8')) as { manifests: Entry[] };
  return manifests.map(({ digest }) => digest);
}

async function shown(reference: string): Promise<string[]> {
  const result = await runCli(['inspect', '--format', 'json', '--referrers', reference]);
  expectCode(result, 0);
  const { referrers } = JSON.parse(result.stdout) as { referrers: Entry[] };
  return referrers.map(({ digest }) => digest);
}

describe('a referrer that is written to a layout', () => {
  it.each(['--referrers', 'by digest', 'by tag'])('%s is there for every tool', async (way) => {
    const image = fake.addImage('x', 'latest', { oci: true });
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    const bom = addReferrer(fake, 'x', image, BOM);
    fake.addManifest('x', tagOf(image), indexOf([signature, bom]));
    const layout = layoutPath();
    const all = way === '--referrers' ? [way] : [];
    expectCode(
      await runCli(['copy', ...all, `${server.host}/x:latest`, `oci-layout://${layout}:1`]),
      0,
    );
    if (way !== '--referrers') {
      for (const { digest } of [signature, bom]) {
        const target = way === 'by tag' ? `:${digest.slice(7, 14)}` : `@${digest}`;
        const from = `${server.host}/x@${digest}`;
        expectCode(await runCli(['copy', from, `oci-layout://${layout}${target}`]), 0);
      }
    }
    const expected = [signature.digest, bom.digest].toSorted();
    // regctl reads the tag.
    expect((await readTagged(layout, tagOf(image)))?.toSorted()).toEqual(expected);
    // oras follows entries to manifests that have the subject, buildx reads the annotation.
    const listed = (await entriesOf(layout)).filter(({ digest }) => expected.includes(digest));
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual(expected);
    if (way === '--referrers') {
      for (const { annotations, artifactType } of listed) {
        expect(annotations).toEqual({ 'io.containerd.manifest.subject': image.digest });
        expect([SIGNATURE, BOM]).toContain(artifactType);
      }
      // The image needs no tag: what refers to it is not another image.
      expectCode(await runCli(['inspect', `oci-layout://${layout}`]), 0);
    }
    expect((await shown(`oci-layout://${layout}:1`)).toSorted()).toEqual(expected);
    expectCode(
      await runCli(['copy', '--referrers', `oci-layout://${layout}:1`, `${server.host}/back:1`]),
      0,
    );
    expect(digestsUnder(fake, 'back', tagOf(image))?.toSorted()).toEqual(expected);
  });

  it('does not replace a tag that is not an index of referrers, with a warning', async () => {
    const image = fake.addImage('x', 'latest', { oci: true });
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    const layout = layoutPath();
    const from = `${server.host}/x:latest`;
    expectCode(await runCli(['copy', from, `oci-layout://${layout}:${tagOf(image)}`]), 0);
    const result = await runCli([
      'copy',
      `${server.host}/x@${signature.digest}`,
      `oci-layout://${layout}@${signature.digest}`,
    ]);
    expectCode(result, 0);
    expect(result.stderr).toContain(`${signature.digest} cannot be recorded under the tag`);
    expect(await shown(`oci-layout://${layout}:${tagOf(image)}`)).toEqual([signature.digest]);
  });

  it('by several processes at the same time is not lost', async () => {
    const image = fake.addImage('x', 'latest', { oci: true });
    const layout = layoutPath();
    expectCode(await runCli(['copy', `${server.host}/x:latest`, `oci-layout://${layout}:1`]), 0);
    const made = Array.from({ length: 6 }, (_, n) =>
      addReferrer(fake, 'x', image, SIGNATURE, String(n)),
    );
    const copies = await Promise.all(
      made.map(({ digest }) => {
        const args = ['copy', `${server.host}/x@${digest}`, `oci-layout://${layout}@${digest}`];
        return spawnCli(args).done;
      }),
    );
    expect(copies.map(({ code }) => code)).toEqual(made.map(() => 0));
    const expected = made.map(({ digest }) => digest).toSorted();
    expect((await readTagged(layout, tagOf(image)))?.toSorted()).toEqual(expected);
    expect((await shown(`oci-layout://${layout}:1`)).toSorted()).toEqual(expected);
  });

  it('in an archive is found again', async () => {
    const image = fake.addImage('x', 'latest', { oci: true });
    const referrers = [SIGNATURE, BOM].map((type) => addReferrer(fake, 'x', image, type));
    fake.addManifest('x', tagOf(image), indexOf(referrers));
    const archive = `oci-archive://${layoutPath()}.tar`;
    expectCode(await runCli(['copy', '--referrers', `${server.host}/x:latest`, `${archive}:1`]), 0);
    const expected = referrers.map(({ digest }) => digest).toSorted();
    expect((await shown(`${archive}:1`)).toSorted()).toEqual(expected);
    const third = addReferrer(fake, 'x', image, 'application/example.third');
    expectCode(await runCli(['copy', `${server.host}/x@${third.digest}`, `${archive}:third`]), 0);
    expect((await shown(`${archive}:1`)).toSorted()).toEqual(
      [...expected, third.digest].toSorted(),
    );
  });
});

describe('a referrer that another tool wrote to a layout', () => {
  /** Copies an image and a signature whose subject it is; returns both and the layout. */
  async function withoutRecords() {
    const image = fake.addImage('x', 'latest', { oci: true });
    const signature = addReferrer(fake, 'x', image, SIGNATURE);
    const layout = layoutPath();
    for (const digest of [image.digest, signature.digest]) {
      const target = digest === image.digest ? ':1' : `@${digest}`;
      const from = `${server.host}/x@${digest}`;
      expectCode(await runCli(['copy', from, `oci-layout://${layout}${target}`]), 0);
    }
    const entry = (await entriesOf(layout)).find(({ digest }) => digest === image.digest);
    return { image, signature, layout, entry: entry! };
  }

  async function writeIndex(layout: string, manifests: readonly object[]): Promise<void> {
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    await writeFile(path.join(layout, 'index.json'), JSON.stringify(index));
  }

  it('is found as an entry of index.json (oras)', async () => {
    const { signature, layout, entry } = await withoutRecords();
    const { mediaType, digest, bytes } = signature;
    const size = bytes.length;
    await writeIndex(layout, [entry, { mediaType, digest, size, artifactType: SIGNATURE }]);
    expect(await shown(`oci-layout://${layout}:1`)).toEqual([signature.digest]);
  });

  it('is found as an entry of an index inside (oras)', async () => {
    const { image, signature, layout, entry } = await withoutRecords();
    const index = indexOf([image, signature]);
    await writeFile(path.join(layout, 'blobs', ...index.digest.split(':')), index.bytes);
    const { mediaType, digest, bytes } = index;
    await writeIndex(layout, [entry, { mediaType, digest, size: bytes.length }]);
    expect(await shown(`oci-layout://${layout}:1`)).toEqual([signature.digest]);
  });

  it('is found beside documents that are ambiguous', async () => {
    const { signature, layout, entry } = await withoutRecords();
    const bytes = Buffer.from(`{"manifests":[],"Manifests":[],"mediaType":"${OCI_INDEX}"}`);
    const ambiguous = { mediaType: OCI_INDEX, digest: sha256(bytes), size: bytes.length };
    await writeFile(path.join(layout, 'blobs', ...ambiguous.digest.split(':')), bytes);
    const { mediaType, digest, bytes: own } = signature;
    await writeIndex(layout, [ambiguous, entry, { mediaType, digest, size: own.length }]);
    expect(await shown(`oci-layout://${layout}:1`)).toEqual([signature.digest]);
  });

  it('is found by its annotation (containerd, buildx)', async () => {
    const { image, layout, entry } = await withoutRecords();
    const bare = stored('application/vnd.oci.image.manifest.v1+json', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: image.digest, size: 2 },
      layers: [],
    });
    await writeFile(path.join(layout, 'blobs', ...bare.digest.split(':')), bare.bytes);
    const { mediaType, digest, bytes } = bare;
    const annotations = { 'io.containerd.manifest.subject': image.digest };
    await writeIndex(layout, [entry, { mediaType, digest, size: bytes.length, annotations }]);
    expect(await shown(`oci-layout://${layout}:1`)).toEqual([digest]);
  });
});
