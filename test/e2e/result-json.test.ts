import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Folder } from '../adversarial/support/files.js';
import { expectCode, runCli } from '../support/cli.js';
import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

interface Target {
  readonly reference: string;
  readonly digest: string;
  readonly tags: readonly { readonly name: string; readonly from: string | null; to: string }[];
  readonly imagesCopied: number;
  readonly bytesCopied: number | null;
  readonly bytesMounted: number | null;
  readonly warnings: readonly string[];
}

const { blobs, manifests, tags: TAGS } = PARITY_IMAGES['oci/app']!;
const folder = new Folder();
let registry: Registry;
let other: Registry;
let repository: string;

beforeAll(async () => {
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  repository = `${registry.host}/oci/app`;
  await seedParityImages(registry.host, { repositories: ['oci/app'] });
});

afterAll(() => Promise.all([registry.stop(), other.stop()]));

async function run(args: string[], stdin = ''): Promise<{ digest: string; targets: Target[] }> {
  const result = await runCli([...args, '--json'], { stdin });
  expectCode(result, 0);
  return JSON.parse(result.stdout) as { digest: string; targets: Target[] };
}

/** Bytes of the distinct blobs of images. */
function sizeOf(...names: string[]): number {
  const digests = names.flatMap((name) => {
    const { config, layers } = JSON.parse(manifests[TAGS[name]!]!.body) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    return [config.digest, ...layers.map(({ digest }) => digest)];
  });
  const bytes = [...new Set(digests)].map((digest) => Buffer.from(blobs[digest]!, 'base64').length);
  return bytes.reduce((sum, each) => sum + each, 0);
}

describe('--json', () => {
  const sources = () => [`${repository}:linux-amd64`, `${repository}:linux-s390x`];

  it('says what was done at each target', async () => {
    const names = [`${repository}:json`, `${registry.host}/json/app:1`, `${other.host}/json/app:1`];
    const options = names.flatMap((name) => ['-t', name]);
    const first = await run(['create', ...options, '-t', 'second', ...sources()]);
    const size = sizeOf('linux-amd64', 'linux-s390x');
    expect(first.targets).toEqual([
      {
        reference: names[0],
        image: `${repository}@${first.digest}`,
        digest: first.digest,
        tags: [`${repository}:json`, `${repository}:second`].map((name) => ({
          name,
          from: null,
          to: first.digest,
          status: 'moved',
        })),
        imagesCopied: 0,
        bytesCopied: 0,
        bytesMounted: 0,
        changes: null,
        warnings: [],
      },
      expect.objectContaining({
        reference: names[1],
        imagesCopied: 2,
        bytesCopied: 0,
        bytesMounted: size,
      }),
      expect.objectContaining({
        reference: names[2],
        imagesCopied: 2,
        bytesCopied: size,
        bytesMounted: 0,
      }),
    ]);
    const second = await run([
      'create',
      '-t',
      names[2]!,
      sources()[0]!,
      '--require',
      'linux/amd64',
    ]);
    expect(second.targets[0]).toMatchObject({ bytesCopied: 0, bytesMounted: 0, imagesCopied: 1 });
    expect(second.targets[0]!.tags[0]).toMatchObject({ from: first.digest, to: second.digest });
  });

  it('lists the entries of the index, those of before an edit included, and none of an image', async () => {
    interface Result {
      readonly entries: readonly { readonly platform: string; readonly digest: string }[];
    }
    const entries = async (...args: string[]) => {
      const result = (await run(args)) as unknown as Result;
      return result.entries.map(({ platform, digest }) => [platform, digest]);
    };
    const [amd64, s390x] = sources() as [string, string];
    const tag = `${repository}:entries`;
    const first = ['linux/amd64', TAGS['linux-amd64']];
    expect(await entries('create', '-t', tag, amd64)).toEqual([first]);
    const both = [first, ['linux/s390x', TAGS['linux-s390x']]];
    expect(await entries('add', tag, s390x, '--dry-run')).toEqual(both);
    expect(await entries('add', tag, s390x)).toEqual(both);
    expect(await entries('copy', amd64, `${repository}:entries-image`)).toEqual([]);
  });

  it('has the warnings of the target, of the sources and of the files', async () => {
    const directory = folder.directory();
    folder.write(`${directory}/${TAGS['linux-amd64']!.slice('sha256:'.length)}`, '');
    folder.write(`${directory}/notes`, '');
    const missing = `${repository}:missing`;
    const args = ['--digests', directory, '--ignore-missing', missing];
    const made = await run([
      'create',
      '-t',
      `${repository}:warned`,
      '-t',
      `${other.host}/x/y:1`,
      ...args,
    ]);
    for (const { warnings } of made.targets) {
      expect(warnings).toEqual([
        expect.stringContaining('"notes" is ignored'),
        expect.stringContaining(`${missing} is skipped`),
      ]);
    }
    const added = await run(['add', `${repository}:warned`, `${repository}:linux-386`, ...args]);
    expect(added.targets).toHaveLength(1);
    expect(added.targets[0]!.warnings).toHaveLength(2);
    const spec = `image: ${repository}:spec\nimagee: x\nmanifests:\n  - image: ${repository}:linux-amd64\n`;
    const pushed = await run(['push', '--type', 'oci', 'from-spec', '-'], spec);
    expect(pushed.targets[0]!.warnings).toEqual([expect.stringContaining('imagee')]);
  });

  it('has what an edit wrote, and nothing that a dry run does not know', async () => {
    const tag = `${other.host}/edit/app:1`;
    expectCode(await runCli(['create', '-t', tag, sources()[0]!]), 0);
    const args = ['add', tag, `${repository}:linux-386`];
    const planned = await run([...args, '--dry-run']);
    expect(planned.targets[0]).toMatchObject({
      imagesCopied: 1,
      bytesCopied: null,
      bytesMounted: null,
    });
    const added = await run(args);
    const shared = sizeOf('linux-amd64') + sizeOf('linux-386') - sizeOf('linux-amd64', 'linux-386');
    expect(added.targets).toMatchObject([
      {
        reference: tag,
        digest: added.digest,
        tags: [{ name: tag, to: added.digest }],
        imagesCopied: 1,
        bytesCopied: sizeOf('linux-386') - shared,
      },
    ]);
    const removed = await run(['remove', tag, '--platform', 'linux/386']);
    expect(removed.targets[0]).toMatchObject({ imagesCopied: 0, bytesCopied: 0, warnings: [] });
  });

  it('counts a copied image, and not one whose tag is there already', async () => {
    const args = ['copy', sources()[0]!, `${other.host}/copy/app:1`];
    const bytesCopied = sizeOf('linux-amd64');
    expect((await run(args)).targets[0]).toMatchObject({ imagesCopied: 1, bytesCopied });
    const again = await run(args);
    expect(again.targets[0]).toMatchObject({ imagesCopied: 0, bytesCopied: 0 });
    expect(again.targets[0]!.tags).toMatchObject([{ status: 'unchanged' }]);
  });

  it('leaves out targets that failed', async () => {
    const proxy = await startRecordingProxy(other.host, ({ method }) =>
      method === 'PUT' || method === 'POST' ? { status: 403 } : undefined,
    );
    try {
      const names = [`${repository}:partial`, `${proxy.host}/bad/app:1`];
      const options = names.flatMap((name) => ['-t', name]);
      const result = await runCli(['create', ...options, sources()[0]!, '--json']);
      expectCode(result, 4);
      const { targets } = JSON.parse(result.stdout) as { targets: Target[] };
      expect(targets.map(({ reference }) => reference)).toEqual([names[0]]);
    } finally {
      await proxy.stop();
    }
  });

  it('counts a blob once if several specs of one repository need it', async () => {
    const spec = (tag: string): string =>
      `image: ${other.host}/specs/app:${tag}\nmanifests:\n  - image: ${repository}:linux-amd64\n`;
    const args = ['push', '--type', 'oci', 'from-spec', '-', '--json'];
    const result = await runCli(args, { stdin: `${spec('1')}---\n${spec('2')}` });
    expectCode(result, 0);
    const documents = JSON.parse(result.stdout) as { targets: Target[] }[];
    const bytes = documents.map(({ targets }) => targets[0]!.bytesCopied!);
    expect(bytes[0]! + bytes[1]!).toBe(sizeOf('linux-amd64'));
  });
});
