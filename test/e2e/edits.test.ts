import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { LayoutFolder, OCI_INDEX } from '../support/layout.js';
import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host, {
    repositories: [
      'docker/app',
      'oci/app',
      'buildx/app',
      'buildx/full',
      'perplat/linux-riscv64/app',
    ],
  });
  folder = await mkdtemp(path.join(tmpdir(), 'edits-'));
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const app = (tag: string): string => `${registry.host}/docker/app:${tag}`;

async function create(name: string, ...sources: string[]): Promise<void> {
  expectCode(await runCli(['create', '--target', name, ...sources]), 0);
}

async function bytesOf(tag: string, repository = 'docker/app'): Promise<string> {
  const { status, body } = await getManifest(registry.host, repository, tag);
  expect(status).toBe(200);
  return body;
}

interface Entry {
  readonly digest: string;
  readonly platform: Record<string, unknown>;
  readonly annotations?: Record<string, string>;
}

const entriesOf = (text: string): Entry[] => (JSON.parse(text) as { manifests: Entry[] }).manifests;

describe('add', () => {
  it('gives the list that is made of all images at once, byte for byte', async () => {
    await create(app('whole'), app('linux-amd64'), app('linux-s390x'), app('linux-arm64-v8'));
    await create(app('grown'), app('linux-amd64'));
    const added = await runCli(['add', app('grown'), app('linux-s390x'), app('linux-arm64-v8')]);
    expectCode(added, 0);
    expect(await bytesOf('grown')).toBe(await bytesOf('whole'));
    expect(added.stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/);
  });

  it('of what is there changes nothing, and of another image for a platform takes its place', async () => {
    await create(app('again'), app('linux-amd64'), app('linux-s390x'));
    const before = await bytesOf('again');
    const same = await runCli(['add', app('again'), app('linux-amd64')]);
    expectCode(same, 0);
    expect(same.stderr).toMatch(/^unchanged /m);
    expect(await bytesOf('again')).toBe(before);
    await create(app('other'), `${registry.host}/perplat/linux-riscv64/app:1.0`);
    expectCode(await runCli(['add', app('other'), app('linux-riscv64')]), 0);
    expect(entriesOf(await bytesOf('other'))).toHaveLength(1);
  });

  it('brings images of other repositories, and attestations with theirs', async () => {
    const list = `${registry.host}/buildx/app:list`;
    await create(list, `${registry.host}/buildx/app:amd64`);
    expectCode(await runCli(['add', list, `${registry.host}/buildx/app:arm64`]), 0);
    const entries = entriesOf(await bytesOf('list', 'buildx/app'));
    expect(entries.map(({ platform }) => platform['architecture'])).toEqual([
      'amd64',
      'arm64',
      'unknown',
      'unknown',
    ]);
  });

  it('needs a list that is there, and a tag', async () => {
    expectCode(await runCli(['add', app('none'), app('linux-amd64')]), 3);
    const digest = await runCli([
      'add',
      `${registry.host}/docker/app@sha256:${'0'.repeat(64)}`,
      app('linux-s390x'),
    ]);
    expectCode(digest, 2);
  });

  it.each(['docker', 'oci'])(
    'makes an index of a single image of type %s',
    async (type) => {
      const at = (tag: string): string => `${registry.host}/${type}/app:${tag}`;
      const layout = `oci-layout://${folder}/single-${type}`;
      await create(at('both'), at('linux-amd64'), at('linux-s390x'));
      expectCode(await runCli(['copy', at('linux-amd64'), at('single'), '-t', `${layout}:1`]), 0);
      for (const single of [at('single'), `${layout}:1`]) {
        const args = ['add', single, at('linux-s390x')];
        const dry = await runCli([...args, '--dry-run', '--json']);
        expectCode(dry, 0);
        expectCode(await runCli(args), 0);
        const { stdout } = await runCli(['inspect', '--format', 'raw', single]);
        expect(stdout).toBe(await bytesOf('both', `${type}/app`));
        const { digest } = JSON.parse(dry.stdout) as { digest: string };
        expect((await runCli(['query', '--json', single])).stdout).toContain(digest);
        const again = await runCli(args);
        expectCode(again, 0);
        expect(again.stderr).toMatch(/^unchanged /m);
      }
    },
    60_000,
  );

  it('makes an OCI index of an image and an image of the other type', async () => {
    expectCode(await runCli(['copy', app('linux-amd64'), app('mixed')]), 0);
    expectCode(await runCli(['add', app('mixed'), `${registry.host}/oci/app:linux-s390x`]), 0);
    const { mediaType } = JSON.parse(await bytesOf('mixed')) as { mediaType: string };
    expect(mediaType).toBe('application/vnd.oci.image.index.v1+json');
    expect(entriesOf(await bytesOf('mixed'))).toHaveLength(2);
    expectCode(await runCli(['verify', app('mixed')]), 0);
  }, 30_000);

  it('edits a layout', async () => {
    const list = `oci-layout://${folder}/layout:list`;
    await create(list, app('linux-amd64'));
    expectCode(await runCli(['add', list, app('linux-s390x')]), 0);
    expect((await runCli(['inspect', list])).stdout).toContain('2 images');
  });
});

describe('remove', () => {
  it('leaves all else as it is, and takes the attestations of an image with it', async () => {
    const list = `${registry.host}/buildx/full:less`;
    expectCode(await runCli(['copy', `${registry.host}/buildx/full:latest`, list]), 0);
    const before = entriesOf(await bytesOf('less', 'buildx/full'));
    expectCode(await runCli(['remove', list, '--platform', 'linux/arm64']), 0);
    const after = entriesOf(await bytesOf('less', 'buildx/full'));
    expect(after).toEqual(before.filter((_, i) => i !== 2 && i !== 3));
  });

  it('of what is not there is not found, of the last entry refused, and of several unclear', async () => {
    await create(app('few'), app('linux-amd64'), app('linux-arm-v6'), app('linux-arm-v5'));
    expectCode(await runCli(['remove', app('few'), '--platform', 'linux/mips']), 3);
    expectCode(await runCli(['remove', app('few'), '--digest', `sha256:${'0'.repeat(64)}`]), 3);
    const several = await runCli(['remove', app('few'), '--platform', 'linux/arm']);
    expectCode(several, 2);
    expect(several.stderr).toMatch(
      /several entries are for linux\/arm: linux\/arm\/v6, linux\/arm\/v5/,
    );
    await create(app('one'), app('linux-amd64'));
    const last = await runCli(['remove', app('one'), '--platform', 'linux/amd64']);
    expectCode(last, 2);
    expect(last.stderr).toContain('no entry would be left');
    expectCode(await runCli(['remove', app('one')]), 2);
  });
});

describe('annotate', () => {
  it('changes the platform of an entry, or annotations of the list or of an entry', async () => {
    const list = `${registry.host}/buildx/full:annotated`;
    expectCode(await runCli(['copy', `${registry.host}/buildx/full:latest`, list]), 0);
    expectCode(
      await runCli([
        'annotate',
        list,
        '--platform',
        'linux/amd64',
        '--variant',
        'v2',
        '--annotation',
        'a=1,2=3',
      ]),
      0,
    );
    expectCode(await runCli(['annotate', list, '--annotation', 'org.example=x']), 0);
    const text = await bytesOf('annotated', 'buildx/full');
    expect(entriesOf(text)[0]).toMatchObject({
      platform: { variant: 'v2' },
      annotations: { a: '1,2=3' },
    });
    const { annotations } = JSON.parse(text) as { annotations: object };
    expect(annotations).toMatchObject({ 'org.example': 'x', b: 'x&y' });
  });

  it('removes annotations of the index or of an entry', async () => {
    const index = app('annotations-removed');
    const source = app('linux-amd64');
    const options = ['index:a=1', 'index:b=2', 'manifest-descriptor:c=3'];
    const given = options.flatMap((option) => ['--annotation', option]);
    expectCode(await runCli(['create', '--type', 'oci', '--target', index, source, ...given]), 0);
    expectCode(await runCli(['annotate', index, '--annotation', 'a-']), 0);
    const entry = ['--platform', 'linux/amd64', '--annotation', 'c-'];
    expectCode(await runCli(['annotate', index, ...entry]), 0);
    const raw = await runCli(['inspect', '--format', 'raw', index]);
    expect(JSON.parse(raw.stdout)).toMatchObject({ annotations: { b: '2' } });
    expect(raw.stdout).not.toContain('"a"');
    expect(raw.stdout).not.toContain('"c"');
    const unchanged = await runCli(['annotate', index, '--annotation', 'none-']);
    expectCode(unchanged, 0);
    expect((await runCli(['inspect', '--format', 'raw', index])).stdout).toBe(raw.stdout);
  });

  it('refuses annotations of a Docker list, a platform that is none, and nothing to do', async () => {
    await create(app('plain'), app('linux-amd64'));
    const annotated = await runCli(['annotate', app('plain'), '--annotation', 'a=b']);
    expectCode(annotated, 2);
    expect(annotated.stderr).toContain('a Docker manifest list has no annotations');
    expectCode(
      await runCli(['annotate', app('plain'), '--platform', 'linux/amd64', '--variant', 'v9']),
      2,
    );
    expectCode(await runCli(['annotate', app('plain')]), 2);
    expectCode(await runCli(['annotate', app('plain'), '--variant', 'v2']), 2);
  });
});

describe('edits at the same moment', () => {
  const PLATFORMS = 'arm64-v8 arm-v7 arm-v6 arm-v5 386 ppc64le s390x riscv64 mips64le loong64';
  const SOURCES = PLATFORMS.split(' ').map((platform) => `linux-${platform}`);
  /** One in the tests of every day; `make races` has fifty. */
  const ROUNDS = Number(process.env['MANIFEST_TOOL_RACES'] ?? 1);

  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'are all in the list: ten adds, through a proxy that delays each request by 5 to 200 ms (round %i)',
    { timeout: 120_000 },
    async (round) => {
      const tag = `raced${round}`;
      await create(app(tag), app('linux-amd64'));
      const proxy = await startRecordingProxy(registry.host, () => ({
        delayMs: 5 + Math.random() * 195,
      }));
      try {
        const adds = SOURCES.map((source) =>
          runCli(['add', `${proxy.host}/docker/app:${tag}`, `${proxy.host}/docker/app:${source}`]),
        );
        for (const result of await Promise.all(adds)) expectCode(result, 0);
      } finally {
        await proxy.stop();
      }
      expect(entriesOf(await bytesOf(tag))).toHaveLength(1 + SOURCES.length);
    },
  );

  it('are all in a layout', async () => {
    const list = `oci-layout://${folder}/raced:list`;
    await create(list, app('linux-amd64'));
    const adds = SOURCES.map((source) => runCli(['add', list, app(source)]));
    for (const result of await Promise.all(adds)) expectCode(result, 0);
    expect((await runCli(['inspect', list])).stdout).toContain('11 images');
  });
});

describe('annotate', () => {
  it.each(['registry', 'layout'])(
    'keeps members of an entry that it does not know, in a %s',
    async (where) => {
      const made = await LayoutFolder.make();
      try {
        const image = await made.imageFor('linux/amd64');
        const platform = { 'x-first': 1, architecture: 'amd64', os: 'linux', features: ['sse4'] };
        const entry = { ...image, 'x-before': { b: 1, a: [1.5] }, platform, 'x-after': 'é' };
        await made.tag(await made.index([entry], { 'x-index': true }), 'odd');
        const source = made.reference('odd');
        const name = where === 'layout' ? source : `${registry.host}/odd:1`;
        if (where === 'registry') expectCode(await runCli(['copy', source, name]), 0);
        const bytes = async (): Promise<string> => {
          const { digest } = JSON.parse((await runCli(['digest', '--json', name])).stdout) as {
            digest: string;
          };
          if (where === 'layout') return readFile(made.fileOf({ digest }), 'utf8');
          const answer = await fetch(`http://${registry.host}/v2/odd/manifests/${digest}`, {
            headers: { accept: OCI_INDEX },
          });
          return answer.text();
        };
        const held = await bytes();
        const args = ['annotate', name, '--platform', 'linux/amd64', '--variant', 'v2'];
        expectCode(await runCli([...args, '--annotation', 'manifest-descriptor:k:l=v']), 0);
        expect(await bytes()).toBe(
          held
            .replace('"os":"linux"', '"os":"linux","variant":"v2"')
            .replace(`"size":${image.size},`, `"size":${image.size},"annotations":{"k:l":"v"},`),
        );
        expectCode(await runCli(['annotate', name, '--annotation', 'index:k:l=v']), 0);
        expect(await bytes()).toContain('"x-index":true,"annotations":{"k:l":"v"}}');
      } finally {
        await made.remove();
      }
    },
  );
});

describe('a dry run of an edit', () => {
  const ARM64 = 'linux/arm64/v8';

  /** A published index of three images, an attestation included, in a registry or a layout. */
  async function published(where: string, tag: string): Promise<string> {
    const name = where === 'registry' ? app(tag) : `oci-layout://${folder}/dry:${tag}`;
    const sources = [`${registry.host}/buildx/full:latest`, app('linux-s390x')];
    expectCode(await runCli(['create', '--type', 'oci', '--target', name, ...sources]), 0);
    return name;
  }

  async function listed(name: string): Promise<Entry[]> {
    const { stdout } = await runCli(['inspect', '--format', 'raw', name]);
    return entriesOf(stdout);
  }

  /** What the tag points to may not change. */
  async function dryRun(command: string, name: string, ...options: string[]) {
    const before = await runCli(['inspect', '--format', 'raw', name]);
    const args = [command, name, ...options, '--dry-run'];
    const [text, json] = [await runCli(args), await runCli([...args, '--json'])];
    for (const result of [text, json]) expectCode(result, 0);
    expect(await runCli(['inspect', '--format', 'raw', name])).toEqual(before);
    const { targets } = JSON.parse(json.stdout) as { targets: [{ changes: unknown }] };
    return { stdout: text.stdout, changes: targets[0].changes };
  }

  it.each(['registry', 'layout'])(
    'of remove shows what would be removed, in a %s',
    async (where) => {
      const name = await published(where, 'dry-removed');
      const entries = await listed(name);
      const image = entries.find(({ platform }) => platform['architecture'] === 'amd64')!;
      const attestation = entries.find(
        ({ annotations = {} }) => annotations['vnd.docker.reference.digest'] === image.digest,
      )!;
      const { stdout, changes } = await dryRun('remove', name, '--platform', 'linux/amd64');
      expect(stdout).toMatch(
        new RegExp(
          `^- linux/amd64 {2}${image.digest} .*\n- attestation {2}${attestation.digest} .*\ntag \\S+ would move from \\S+ to \\S+\nDigest: `,
          'm',
        ),
      );
      expect(changes).toMatchObject([
        {
          added: [],
          removed: [
            { digest: image.digest, platform: 'linux/amd64', isAttestation: false },
            { digest: attestation.digest, platform: 'unknown/unknown', isAttestation: true },
          ],
          changed: [],
          annotations: {},
        },
      ]);
    },
  );

  it.each(['registry', 'layout'])('of annotate shows what would change, in a %s', async (where) => {
    const name = await published(where, 'dry-annotated');
    const old = ['--platform', ARM64, '--annotation', 'old=1', '--annotation', 'gone=1'];
    expectCode(await runCli(['annotate', name, ...old]), 0);
    const { digest } = (await listed(name)).find(({ annotations }) => annotations?.['old'])!;
    const options = ['--platform', ARM64, '--os-version', '7', '--annotation', 'old=\u001b[1m'];
    const { stdout, changes } = await dryRun('annotate', name, ...options, '--annotation', 'gone-');
    expect(stdout).toContain(
      `~ ${ARM64} -> ${ARM64}:7\n      ${digest}\n    - annotation gone: "1"\n    ~ annotation old: "1" -> "\\u001b[1m"\n`,
    );
    expect(changes).toMatchObject([
      {
        added: [],
        removed: [],
        changed: [
          {
            platform: ARM64,
            isAttestation: false,
            from: { digest, platform: ARM64 },
            to: { digest, platform: `${ARM64}:7` },
            annotations: {
              old: { from: '1', to: '\u001b[1m' },
              gone: { from: '1', to: null },
            },
          },
        ],
        annotations: {},
      },
    ]);
    const index = await dryRun('annotate', name, '--annotation', 'k=v');
    expect(index.stdout).toMatch(/^\+ annotation k: "v"$/m);
    expect(index.changes).toMatchObject([
      { changed: [], annotations: { k: { from: null, to: 'v' } } },
    ]);
  });

  it('of an edit that changes nothing shows no change', async () => {
    const name = await published('layout', 'dry-same');
    const options = ['--platform', ARM64, '--variant', 'v8'];
    const { stdout, changes } = await dryRun('annotate', name, ...options);
    expect(stdout).toMatch(/^tag \S+ points to \S+ already\nDigest: /);
    expect(changes).toEqual([]);
  });

  it('of add shows the entry that would be replaced as changed', async () => {
    const name = await published('layout', 'dry-added');
    const [{ digest }] = (await listed(name)) as [Entry];
    const { stdout, changes } = await dryRun('add', name, app('linux-amd64'));
    expect(stdout).toMatch(/^image linux\/amd64 \S+ would be copied from /);
    expect(stdout).toContain(`\n~ linux/amd64\n    - ${digest} `);
    expect(changes).toMatchObject([{ changed: [{ platform: 'linux/amd64', from: { digest } }] }]);
  });
});
