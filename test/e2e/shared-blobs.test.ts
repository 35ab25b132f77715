import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LAYER, LayoutFolder, type Entry } from '../support/layout.js';
import { startRecordingProxy, type RecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';

/** How often each case runs: what it is about is a race. */
const ROUNDS = 5;
const DOCUMENTS = 8;
const ARCHITECTURES = ['amd64', 'arm64', 's390x'] as const;

let registry: Registry;
let proxy: RecordingProxy;
let folder: string;
/**
 * Holds an image for each architecture: a configuration of its own, and two of three layers, so six
 * blobs in all.
 */
let layout: LayoutFolder;
let images: Entry[];

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startRecordingProxy(registry.host);
  folder = await mkdtemp(path.join(tmpdir(), 'shared-'));
  layout = await LayoutFolder.make();
  const layers = await Promise.all(['a', 'b', 'c'].map((text) => layout.blob(LAYER, text)));
  images = await Promise.all(
    ARCHITECTURES.map(async (architecture, i) => {
      const own = [layers[i]!, layers[(i + 1) % 3]!];
      const rootfs = { type: 'layers', diff_ids: own.map(({ digest }) => digest) };
      return layout.image({ os: 'linux', architecture, rootfs }, own);
    }),
  );
  for (const [i, architecture] of ARCHITECTURES.entries())
    await layout.tag(images[i]!, architecture);
});

afterAll(async () => {
  await Promise.all([proxy.stop(), registry.stop(), layout.remove()]);
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  proxy.requests.length = 0;
});

/** A spec file of documents that name the same images in another order each, for one tag each. */
async function specFile(
  target: (document: number) => string,
  source: (architecture: string) => string,
): Promise<string> {
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => {
    const names = ARCHITECTURES.map((_each, i) => source(ARCHITECTURES[(i + n) % 3]!));
    return `image: ${target(n)}\nmanifests:\n${names.map((name) => `  - image: ${name}\n`).join('')}`;
  });
  const file = path.join(folder, 'spec.yaml');
  await writeFile(file, documents.join('---\n'));
  return file;
}

/**
 * How often each blob was uploaded, each blob was mounted, and each manifest was written by its
 * digest.
 */
function counts(): { uploads: number[]; mounts: number[]; children: number[] } {
  const found = (method: string, url: RegExp): number[] => {
    const seen = new Map<string, number>();
    for (const request of proxy.requests) {
      const key = request.method === method ? url.exec(request.url) : null;
      if (key !== null) seen.set(key.slice(1).join(), (seen.get(key.slice(1).join()) ?? 0) + 1);
    }
    return [...seen.values()];
  };
  return {
    uploads: found('PUT', /^\/v2\/(.+)\/blobs\/uploads\/.*[?&]digest=([^&]+)/),
    mounts: found('POST', /^\/v2\/(.+)\/blobs\/uploads\/\?mount=([^&]+)/),
    children: found('PUT', /^\/v2\/(.+)\/manifests\/(sha256:.+)/),
  };
}

const times = (count: number): number[] => Array.from({ length: count }, () => 1);

describe('eight documents that share images', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'upload each blob and each image to one repository once (round %d)',
    async (round) => {
      const target = `${proxy.host}/one/repository-${round}`;
      const file = await specFile(
        (n) => `${target}:${n}`,
        (architecture) => layout.reference(architecture),
      );
      expectCode(await runCli(['push', '--type', 'oci', 'from-spec', file, '--verify']), 0);
      expect(counts()).toEqual({ uploads: times(6), mounts: [], children: times(3) });
    },
  );

  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'upload each blob and each image to each of their repositories once (round %d)',
    async (round) => {
      const file = await specFile(
        (n) => `${proxy.host}/many-${round}/app-${n % 2}:${n}`,
        (architecture) => layout.reference(architecture),
      );
      expectCode(await runCli(['push', '--type', 'oci', 'from-spec', file, '--verify']), 0);
      expect(counts()).toEqual({ uploads: times(12), mounts: [], children: times(6) });
    },
  );

  it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    'mount each blob once, from whichever repository holds it (round %d)',
    async (round) => {
      const source = (architecture: string): string => `mounted-${round}/${architecture}`;
      for (const architecture of ARCHITECTURES)
        expectCode(
          await runCli([
            'copy',
            layout.reference(architecture),
            `${registry.host}/${source(architecture)}:1`,
          ]),
          0,
        );
      const file = await specFile(
        (n) => `${proxy.host}/mounted-${round}/app:${n}`,
        (architecture) => `${proxy.host}/${source(architecture)}:1`,
      );
      expectCode(await runCli(['push', '--type', 'oci', 'from-spec', file, '--verify']), 0);
      expect(counts()).toEqual({ uploads: [], mounts: times(6), children: times(3) });
    },
  );
});

it('one image for several tags of one repository, each named as a target, is uploaded once', async () => {
  const targets = [1, 2, 3].map((n) => `${proxy.host}/several/tags:${n}`);
  expectCode(await runCli(['copy', layout.reference('amd64'), ...targets]), 0);
  // The manifest is written under the tags only.
  expect(counts()).toEqual({ uploads: times(3), mounts: [], children: [] });
});

it('--progress json tells of each blob once', async () => {
  const file = await specFile(
    (n) => `${proxy.host}/progress/app:${n}`,
    (architecture) => layout.reference(architecture),
  );
  const result = await runCli(['push', '--type', 'oci', 'from-spec', file, '--progress', 'json']);
  expectCode(result, 0);
  const events = result.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; state?: string });
  const of = (event: string, state?: string): number =>
    events.filter((each) => each.event === event && each.state === state).length;
  expect([of('blob', 'started'), of('blob', 'copied'), of('written')]).toEqual([6, 6, 3]);
  expect(of('tagged')).toBe(DOCUMENTS);
});

it('a blob that cannot be uploaded fails every document that needs it, and no other', async () => {
  const refused = (await layout.blob(LAYER, 'c')).digest;
  const other = await layout.image({ os: 'linux', architecture: 'riscv64' }, []);
  await layout.tag(other, 'riscv64');
  proxy.intercept = ({ method, url }) =>
    method === 'PUT' && decodeURIComponent(url).endsWith(`digest=${refused}`)
      ? { status: 403 }
      : undefined;
  try {
    const documents = ['arm64', 's390x', 'arm64', 'riscv64'].map(
      (architecture, n) =>
        `image: ${proxy.host}/failing/app:${n}\nmanifests: [{ image: ${layout.reference(architecture)} }]\n`,
    );
    const file = path.join(folder, 'failing.yaml');
    await writeFile(file, documents.join('---\n'));
    const result = await runCli(['push', '--type', 'oci', 'from-spec', file]);
    expectCode(result, 4);
    expect(result.stderr).toContain('3 of 4 failed');
    expect(result.stdout).toMatch(/^Digest: \S+ \d+ \S+:3\n$/);
  } finally {
    proxy.intercept = undefined;
  }
});
