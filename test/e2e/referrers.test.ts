import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, spawnCli } from '../support/cli.js';
import { getManifest, putBlob, putManifest, sha256 } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';
import { FakeRegistry, OCI_INDEX, OCI_MANIFEST } from '../adversarial/support/fake-registry.js';
import { json, startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';

let registry: Registry;
let other: Registry;
let folder: string;
/** The list, one of its images, and what refers to them. */
let list: string;
let child: string;
let signature: string;
let countersignature: string;
let bom: string;

const SOURCE = 'buildx/full';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'referrers-'));
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  await seedParityImages(registry.host, { repositories: [SOURCE] });
  const held = await getManifest(registry.host, SOURCE, 'latest');
  list = held.digest!;
  child = (JSON.parse(held.body) as { manifests: { digest: string }[] }).manifests[0]!.digest;
  signature = await refer(list, 'application/example.signature');
  countersignature = await refer(signature, 'application/example.countersignature');
  bom = await refer(child, 'application/example.bom');
});

afterAll(async () => {
  await Promise.all([registry.stop(), other.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** Pushes something that refers to a manifest, into a registry that keeps referrers under a tag. */
async function refer(subject: string, artifactType: string, repository = SOURCE): Promise<string> {
  const { body, mediaType } = await getManifest(registry.host, SOURCE, subject);
  const empty = await putBlob(registry.host, repository, Buffer.from('{}'));
  const layer = await putBlob(
    registry.host,
    repository,
    Buffer.from(`${artifactType} of ${subject}`),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 },
      layers: [
        {
          mediaType: artifactType,
          digest: layer,
          size: `${artifactType} of ${subject}`.length,
        },
      ],
      subject: { mediaType, digest: subject, size: Buffer.byteLength(body) },
      annotations: { 'org.example.made-by': 'test' },
    }),
  );
  const digest = sha256(manifest);
  await putManifest(registry.host, repository, digest, OCI_MANIFEST, manifest);
  const entry = { mediaType: OCI_MANIFEST, digest, size: manifest.length, artifactType };
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] };
  const tag = subject.replace(':', '-');
  await putManifest(registry.host, repository, tag, OCI_INDEX, Buffer.from(JSON.stringify(index)));
  return digest;
}

async function taggedReferrers(host: string, repository: string, subject: string) {
  const { status, body } = await getManifest(host, repository, subject.replace(':', '-'));
  if (status !== 200) return [];
  return (
    JSON.parse(body) as {
      manifests: { digest: string; artifactType: string; annotations: object }[];
    }
  ).manifests;
}

describe('copy --referrers', () => {
  it('takes along what refers to the list, to its images, and to that, in a registry without the API', async () => {
    const result = await runCli([
      'copy',
      '--referrers',
      `${registry.host}/${SOURCE}:latest`,
      `${other.host}/promoted/app:1`,
    ]);
    expectCode(result, 0);
    expect((await getManifest(other.host, 'promoted/app', '1')).digest).toBe(list);
    for (const [subject, digest] of [
      [list, signature],
      [signature, countersignature],
      [child, bom],
    ]) {
      const found = await taggedReferrers(other.host, 'promoted/app', subject!);
      expect(found).toMatchObject(
        [{ digest, annotations: { 'org.example.made-by': 'test' }, artifactType: /example/ }].map(
          (entry) => ({ ...entry, artifactType: expect.stringMatching(/example/) as string }),
        ),
      );
      expect((await getManifest(other.host, 'promoted/app', digest!)).status).toBe(200);
    }
  });

  it('keeps what refers to it already', async () => {
    const target = `${other.host}/kept/app:1`;
    expectCode(
      await runCli(['copy', '--referrers', `${registry.host}/${SOURCE}:latest`, target]),
      0,
    );
    const older = { mediaType: OCI_MANIFEST, digest: child, size: 1, artifactType: 'older' };
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [older] };
    const tag = list.replace(':', '-');
    await putManifest(other.host, 'kept/app', tag, OCI_INDEX, Buffer.from(JSON.stringify(index)));
    for (let again = 0; again < 2; again += 1) {
      const from = `${registry.host}/${SOURCE}:latest`;
      expectCode(await runCli(['copy', '--referrers', from, target]), 0);
      const found = await taggedReferrers(other.host, 'kept/app', list);
      expect(found.map(({ digest }) => digest)).toEqual([child, signature]);
    }
  });

  it('loses nothing when several processes add referrers of one manifest', async () => {
    const target = `${other.host}/raced/app`;
    expectCode(await runCli(['copy', `${registry.host}/${SOURCE}:latest`, `${target}:1`]), 0);
    const types = Array.from({ length: 6 }, (_, n) => `application/example.raced-${n}`);
    const digests: string[] = [];
    for (const type of types) digests.push(await refer(list, type, 'raced/source'));
    const copies = await Promise.all(
      digests.map((digest) => {
        const from = `${registry.host}/raced/source@${digest}`;
        return spawnCli(['copy', from, `${target}@${digest}`]).done;
      }),
    );
    expect(copies.map(({ code }) => code)).toEqual(digests.map(() => 0));
    const found = await taggedReferrers(other.host, 'raced/app', list);
    expect(found.map(({ digest }) => digest).toSorted()).toEqual(digests.toSorted());
  });

  it('leaves it all behind without the option', async () => {
    const from = `${registry.host}/${SOURCE}:latest`;
    expectCode(await runCli(['copy', from, `${other.host}/bare/app:1`]), 0);
    expect(await taggedReferrers(other.host, 'bare/app', list)).toEqual([]);
  });

  it('goes through a layout and back', async () => {
    const layout = `oci-layout://${folder}/layout:1`;
    const from = `${registry.host}/${SOURCE}:latest`;
    expectCode(await runCli(['copy', '--referrers', from, layout]), 0);
    const index = await readFile(path.join(folder, 'layout', 'index.json'), 'utf8');
    for (const digest of [signature, countersignature, bom]) expect(index).toContain(digest);
    expectCode(await runCli(['copy', '--referrers', layout, `${other.host}/back/app:1`]), 0);
    for (const [subject, digest] of [
      [list, signature],
      [child, bom],
    ]) {
      const found = await taggedReferrers(other.host, 'back/app', subject!);
      expect(found.map((each) => each.digest)).toEqual([digest]);
    }
  });

  it('moves the tag when all else is there', async () => {
    const fake = new FakeRegistry();
    const order: string[] = [];
    const target = await startScripted((seen) => {
      if (seen.method === 'PUT' && seen.path.includes('/manifests/'))
        order.push(seen.path.split('/').at(-1)!);
      return withApi(fake, seen);
    });
    try {
      const from = `${registry.host}/${SOURCE}:latest`;
      expectCode(await runCli(['copy', '--referrers', from, `${target.host}/x:done`]), 0);
      expect(order.at(-1)).toBe('done');
      expect(order.indexOf(list)).toBeLessThan(order.indexOf(signature));
      // A registry that says that it lists what refers to a manifest needs no tag for it.
      expect(order.filter((name) => name.startsWith('sha256-'))).toEqual([]);
    } finally {
      await target.stop();
    }
  });
});

describe('the referrers API', () => {
  it('is read page by page, at its own host even if a link names another one', async () => {
    const fake = new FakeRegistry();
    const image = fake.addImage('x', 'latest', { oci: true });
    const referrers = [1, 2, 3].map((n) => {
      const made = fake.addImage('x', `r${n}`, { oci: true, text: `referrer ${n}` });
      return { mediaType: made.mediaType, digest: made.digest, size: made.bytes.length };
    });
    const evil = await startScripted(() => json(200, {}));
    const server = await startScripted((seen) => {
      if (!seen.path.includes('/referrers/')) return fake.answer(seen);
      if (!seen.path.endsWith(image.digest)) return page([]);
      const at = Number(seen.query.get('at') ?? 0);
      const next = at === 0 ? `${seen.path}?at=1` : `${evil.url}${seen.path}?at=2`;
      return page([referrers[at]!], at < 2 ? { link: `<${next}>; rel="next"` } : {});
    });
    try {
      const layout = `oci-layout://${folder}/pages:1`;
      expectCode(await runCli(['copy', '--referrers', `${server.host}/x:latest`, layout]), 0);
      const index = await readFile(path.join(folder, 'pages', 'index.json'), 'utf8');
      for (const { digest } of referrers) expect(index).toContain(digest);
      expect(evil.requests).toEqual([]);
    } finally {
      await Promise.all([server.stop(), evil.stop()]);
    }
  });

  it('that fails is no empty list', async () => {
    const fake = new FakeRegistry();
    fake.addImage('x', 'latest', { oci: true });
    const server = await startScripted((seen) =>
      seen.path.includes('/referrers/') ? { status: 503 } : fake.answer(seen),
    );
    try {
      const args = ['copy', '--referrers', '--retry', '0', `${server.host}/x:latest`];
      expectCode(await runCli([...args, `oci-layout://${folder}/none:1`]), 5);
    } finally {
      await server.stop();
    }
  });
});

/** A registry that has the referrers API, as far as writing goes. */
function withApi(fake: FakeRegistry, seen: Parameters<ScriptedServer['script']>[0]) {
  const answer = fake.answer(seen);
  if (seen.method !== 'PUT' || !seen.path.includes('/manifests/')) return answer;
  const { subject } = JSON.parse(seen.body.toString()) as { subject?: { digest: string } };
  if (subject === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'oci-subject': subject.digest } };
}

function page(manifests: readonly object[], headers: Record<string, string> = {}) {
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  return json(200, index, { 'content-type': OCI_INDEX, ...headers });
}
