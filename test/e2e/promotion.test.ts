import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeImage, makeList, type Image } from '../../scripts/bench/images.mjs';
import { putImage, putManifest } from '../../scripts/bench/seed.mjs';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { temporaryFolder } from '../support/supervise.js';

/** The tags of the source, by the image that they point to. */
const IMAGES: Readonly<Record<string, readonly string[]>> = {
  first: ['1.0', '1', 'latest'],
  second: ['2.0-rc1'],
};

let source: Registry;
let target: Registry;
let from: string;
let folder: string;
const images = new Map<string, Image>();
let repositories = 0;

beforeAll(async () => {
  [source, target] = await Promise.all([startRegistry(), startRegistry()]);
  from = `${source.host}/team/app`;
  folder = await temporaryFolder();
  for (const [name, tags] of Object.entries(IMAGES)) {
    const image = makeImage('linux/amd64', { name });
    await putImage({ host: source.host }, 'team/app', image, [...tags]);
    images.set(name, image);
  }
  const list = makeList([...images.values()]);
  await putManifest({ host: source.host }, 'team/app', list, ['index']);
});

afterAll(() => Promise.all([source.stop(), target.stop()]));

/** A repository that nothing has been copied to. */
function fresh(): string {
  repositories += 1;
  return `${target.host}/copy-${repositories}/app`;
}

function digestOf(name: string): string {
  return images.get(name)!.manifest.digest;
}

async function tagsAt(repository: string): Promise<Record<string, string>> {
  const { stdout } = await runCli(['tags', repository]);
  const tags = stdout.split('\n').slice(0, -1);
  const digests = await Promise.all(
    tags.map(async (tag) => {
      const { stdout: digest } = await runCli(['digest', `${repository}:${tag}`]);
      return [tag, digest.trim()] as const;
    }),
  );
  return Object.fromEntries(digests);
}

/** The lines of a result as [digest, reference, outcome]. */
function rowsOf(stdout: string): string[][] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(/ {2,}/));
}

describe('copy of several tags', () => {
  it('copies each under its own name, and prints a line for each', async () => {
    const to = fresh();
    const result = await runCli(['copy', `${from}:1.0,latest,2.0-rc1`, to]);
    expectCode(result, 0);
    expect(rowsOf(result.stdout)).toEqual([
      [digestOf('first'), `${to}:1.0`, 'copied'],
      [digestOf('first'), `${to}:latest`, 'copied'],
      [digestOf('second'), `${to}:2.0-rc1`, 'copied'],
    ]);
    expect(result.stderr).toContain('3 tags: 3 copied, 0 unchanged');
    expect(await tagsAt(to)).toEqual({
      '1.0': digestOf('first'),
      latest: digestOf('first'),
      '2.0-rc1': digestOf('second'),
    });
  });

  it('copies all tags, those that match, and skips what is there already', async () => {
    const to = fresh();
    expectCode(await runCli(['copy', '--all-tags', '--match', '1*', from, to]), 0);
    expect(Object.keys(await tagsAt(to))).toEqual(['1', '1.0']);
    expectCode(await runCli(['copy', `${from}:2.0-rc1`, `${to}:latest`]), 0);

    const again = await runCli(['copy', '--all-tags', from, to]);
    expectCode(again, 0);
    expect(
      rowsOf(again.stdout).map(([, name, outcome]) => [name!.split(':').at(-1), outcome]),
    ).toEqual([
      ['1', 'unchanged'],
      ['1.0', 'unchanged'],
      ['2.0-rc1', 'copied'],
      ['index', 'copied'],
      ['latest', `moved from ${digestOf('second')}`],
    ]);
    expect(again.stderr).toContain('5 tags: 3 copied, 2 unchanged');
    expect(await tagsAt(to)).toEqual(await tagsAt(from));
  });

  it('goes on after a failure, with its exit code', async () => {
    const to = fresh();
    const result = await runCli(['copy', `${from}:1.0,missing,gone`, to]);
    expectCode(result, 3);
    expect(rowsOf(result.stdout).map(([digest, , outcome]) => [digest, outcome])).toEqual([
      [digestOf('first'), 'copied'],
      ['-', 'failed'],
      ['-', 'failed'],
    ]);
    expect(result.stderr).toContain(`reading ${from}:missing failed: not found`);
    expect(result.stderr).toContain('copying 3 tags failed: 2 of 3 failed');
    expect(Object.keys(await tagsAt(to))).toEqual(['1.0']);
  });

  it('ends with exit code 1 after failures of different classes', async () => {
    const to = fresh();
    expectCode(await runCli(['copy', `${from}:2.0-rc1`, `${to}:1.0`]), 0);
    const result = await runCli(['copy', '--no-clobber', `${from}:1.0,1,missing`, to]);
    expectCode(result, 1);
    expect(result.stderr).toContain('the tag exists and points to');
    // The other tag of the same image is not affected.
    expect(await tagsAt(to)).toEqual({ '1.0': digestOf('second'), 1: digestOf('first') });
    const refused = await runCli(['copy', '--no-clobber', `${from}:1.0,1`, to]);
    expectCode(refused, 6);
  });

  it('writes only what a dry run shows, and only without it', async () => {
    const to = fresh();
    const planned = await runCli(['copy', '--dry-run', `${from}:1.0,1`, to]);
    expectCode(planned, 0);
    expect(rowsOf(planned.stdout).map(([, , outcome]) => outcome)).toEqual([
      'would be copied',
      'would be copied',
    ]);
    expect((await getManifest(target.host, to.slice(to.indexOf('/') + 1), '1.0')).status).toBe(404);
  });

  it('gives each tag as a document, and counts what tags share once', async () => {
    const to = fresh();
    const result = await runCli(['copy', '--json', `${from}:1.0,1,missing`, to]);
    expectCode(result, 3);
    const moved = (tag: string) => ({
      name: `${to}:${tag}`,
      from: null,
      to: digestOf('first'),
      status: 'moved',
    });
    const bytes = images.get('first')!.blobs.reduce((sum, { size }) => sum + size, 0);
    expect(JSON.parse(result.stdout)).toEqual({
      dryRun: false,
      written: true,
      copied: 2,
      unchanged: 0,
      targets: [
        {
          reference: `${to}:1.0`,
          digest: digestOf('first'),
          image: `${to}@${digestOf('first')}`,
          tags: [moved('1.0')],
          imagesCopied: 1,
          bytesCopied: bytes,
          bytesMounted: 0,
          changes: null,
          warnings: [],
        },
        {
          reference: `${to}:1`,
          digest: digestOf('first'),
          image: `${to}@${digestOf('first')}`,
          tags: [moved('1')],
          imagesCopied: 0,
          bytesCopied: 0,
          bytesMounted: 0,
          changes: null,
          warnings: [],
        },
      ],
      failed: [
        {
          target: `${to}:missing`,
          error: { code: 'NOT_FOUND', message: expect.stringContaining('missing') as string },
        },
      ],
    });
  });

  it('copies to several targets, layouts and archives, and from them', async () => {
    const layout = `oci-layout://${path.join(folder, 'layout')}`;
    const archive = `oci-archive://${path.join(folder, 'app.tar')}`;
    expectCode(await runCli(['copy', '--all-tags', from, layout, archive]), 0);
    const all = await tagsAt(from);
    expect(await tagsAt(layout)).toEqual(all);
    expect(await tagsAt(archive)).toEqual(all);
    for (const local of [layout, archive]) {
      expectCode(await runCli(['verify', '--deep', `${local}:index`]), 0);
      const to = fresh();
      expectCode(await runCli(['copy', `${local}:1,index,2.0-rc1`, to]), 0);
      const { 1: one, index, '2.0-rc1': rc } = all;
      expect(await tagsAt(to)).toEqual({ 1: one, index, '2.0-rc1': rc });
    }
  });

  it('writes result files with all tags, and verifies', async () => {
    const to = fresh();
    const file = (name: string): string => path.join(folder, name);
    const options = [
      '--digestfile',
      file('digests'),
      '--metadata-file',
      file('metadata'),
      '--subjects',
      file('subjects'),
    ];
    const result = await runCli(['copy', '--verify', ...options, `${from}:1.0,2.0-rc1`, to]);
    expectCode(result, 0);
    const [first, second] = [digestOf('first'), digestOf('second')];
    expect(await readFile(file('digests'), 'utf8')).toBe(`${first}\n${second}\n`);
    const metadata = JSON.parse(await readFile(file('metadata'), 'utf8')) as object;
    expect(metadata).toMatchObject({
      [`${to}:1.0`]: { 'containerimage.digest': first, 'image.name': to },
      [`${to}:2.0-rc1`]: { 'containerimage.digest': second, 'image.name': to },
    });
    expect(await readFile(file('subjects'), 'utf8')).toContain(`${second.slice(7)}  ${to}\n`);
    expect(result.stderr).toContain(`verified ${to}@${second}`);
  });

  it.each([
    [['a/app:1,2', 'b/app:1'], 'the target {H}/b/app:1 has a tag'],
    [['a/app:1,2', 'b/app', '--tags', 'x'], '--tags has a tag'],
    [['a/app:1,2', 'b/app', '-t', 'x'], '--tag has a tag'],
    [['a/app:1,2', 'b/app', '-t', '{H}/c/app:1'], 'the target {H}/c/app:1 has a tag'],
    [
      ['a/app:1,2', 'b/app', '--expect', `sha256:${'0'.repeat(64)}`],
      '--expect accepts only one tag',
    ],
    [['a/app:1,2', 'b/app', '--dotenv', 'file'], '--dotenv accepts only one tag'],
    [['a/app:1,1', 'b/app'], 'lists the tag 1 twice'],
    [['a/app:1,,2', 'b/app'], '"" in "{H}/a/app:1,,2" is not a valid tag'],
    [['a/app:1', 'b/app:1', '--match', 'x'], '--match needs --all-tags'],
    [['a/app:1', 'b/app', '--all-tags'], '--all-tags copies all tags of a repository'],
    [['a/app', 'b/app:1', '--all-tags'], 'the target {H}/b/app:1 has a tag'],
  ])('refuses %j', async (args, message) => {
    const host = 'example.com';
    const [first, second, ...options] = args.map((each) => each.replace('{H}', host));
    const result = await runCli(['copy', `${host}/${first}`, `${host}/${second}`, ...options]);
    expectCode(result, 2);
    expect(result.stderr).toContain(message.replaceAll('{H}', host));
  });

  it.each([[], ['--referrers']])(
    'copies signatures under the tags of cosign %j',
    async (...options) => {
      const signed = `${source.host}/signed-${options.length}/app`;
      expectCode(await runCli(['copy', `${from}:1.0,latest`, signed]), 0);
      const tag = `sha256-${digestOf('first').slice(7)}.sig`;
      expectCode(await runCli(['copy', `${from}:2.0-rc1`, `${signed}:${tag}`]), 0);
      const to = fresh();
      expectCode(await runCli(['copy', '--all-tags', ...options, signed, to]), 0);
      expect(await tagsAt(to)).toEqual(await tagsAt(signed));
      // Another signature at the target is not replaced in silence.
      expectCode(await runCli(['copy', `${from}:1.0`, `${to}:${tag}`]), 0);
      const again = await runCli(['copy', '--all-tags', ...options, signed, to]);
      expectCode(again, 0);
      expect(again.stderr).toContain(
        `${to}:${tag} is replaced: it pointed to ${digestOf('first')}`,
      );
    },
  );

  it('fails if no tag matches', async () => {
    const result = await runCli(['copy', '--all-tags', '--match', 'x*', from, fresh()]);
    expectCode(result, 3);
    expect(result.stderr).toContain('none of its tags matches "x*"');
  });
});

describe('requests of a copy of several tags', () => {
  it('sends nothing twice, and reads an unchanged tag by two requests here and one there', async () => {
    const proxies = await Promise.all(
      [source, target].map(({ host }) => startRecordingProxy(host)),
    );
    const [here, there] = proxies as [(typeof proxies)[0], (typeof proxies)[0]];
    const to = `${there.host}/counted/app`;
    const command = ['copy', '--plain-http', `${here.host}/team/app:1.0,1,latest`, to];
    const counts = ({ requests }: typeof here): Record<string, number> => {
      const all: Record<string, number> = {};
      for (const { method, url } of requests.splice(0)) {
        const kind = `${method} ${url.includes('/manifests/') ? 'manifests' : 'blobs'}`;
        all[kind] = (all[kind] ?? 0) + 1;
      }
      return all;
    };
    try {
      expectCode(await runCli(command), 0);
      const blobs = images.get('first')!.blobs.length;
      expect(counts(here)).toEqual({ 'GET manifests': 3, 'GET blobs': blobs });
      expect(counts(there)).toEqual({
        'HEAD manifests': 3,
        'HEAD blobs': blobs,
        'POST blobs': blobs,
        'PUT blobs': blobs,
        'PUT manifests': 3,
      });
      expectCode(await runCli(command), 0);
      expect(counts(here)).toEqual({ 'HEAD manifests': 3 });
      expect(counts(there)).toEqual({ 'HEAD manifests': 3, 'GET manifests': 3 });
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
    }
  });
});
