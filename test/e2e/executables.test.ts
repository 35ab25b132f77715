import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LayoutFolder, type Entry } from '../support/layout.js';
import {
  armFile,
  fatFile,
  gzipped,
  layerOf,
  programFor,
  zstdFrames,
  type LayerFile,
  type Target,
} from '../support/programs.js';
import { startRegistry } from '../support/registry.js';
import { temporaryFolder } from '../support/supervise.js';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

const HINT =
  'hint: build the image again for its platform: a cross-build probably copied a program of the host';

const TARGETS: readonly Target[] = [
  'linux/amd64',
  'linux/386',
  'linux/arm',
  'linux/arm64',
  'linux/ppc64le',
  'linux/s390x',
  'linux/riscv64',
  'linux/loong64',
  'linux/mips64le',
  'windows/amd64',
  'darwin/arm64',
];

const GZIP_FAULT = 'its gzip data is damaged, incomplete or followed by something else';

type Files = Readonly<Record<string, LayerFile>>;

interface Document {
  readonly entries: { readonly digest: string; readonly defects: { readonly what: string }[] }[];
  readonly defects: { readonly where: string; readonly what: string }[];
  readonly executables: {
    readonly platform: string;
    readonly programs: number;
    readonly started: { readonly path: string; readonly architectures: string[] }[];
    readonly others: { readonly count: number; readonly first: { readonly path: string }[] };
    readonly compatible: { readonly count: number };
    readonly notes: string[];
  }[];
}

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: LayoutFolder;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(() => registry.stop());

beforeEach(async () => {
  folder = await LayoutFolder.make();
});

afterEach(() => folder.remove());

const gzipLayer = (files: Files): Promise<Entry> => folder.blob(`${LAYER}+gzip`, gzipped(files));

/** An image with these layers, as an entry of an index. */
async function imageOf(platform: string, config: object, layers: readonly Entry[]) {
  const [os, architecture, variant] = platform.split('/');
  const listed = { os, architecture, ...(variant !== undefined && { variant }) };
  const diff_ids = layers.map(({ digest }) => digest);
  const made = await folder.image(
    { ...listed, config, rootfs: { type: 'layers', diff_ids } },
    layers,
  );
  return { ...made, platform: listed };
}

/** An image that starts `/app`, with these files in one layer. */
async function appFor(platform: string, files: Files) {
  const app = platform.startsWith('windows/') ? 'C:\\app' : '/app';
  return imageOf(platform, { Entrypoint: [app] }, [await gzipLayer(files)]);
}

/** Tags an index of these entries, and returns its reference. */
async function indexOf(...entries: readonly Entry[]): Promise<string> {
  await folder.tag(await folder.index(entries), 'app');
  return folder.reference('app');
}

async function verified(reference: string, code: number, ...options: string[]): Promise<Document> {
  const result = await runCli(['verify', '--executables', '--json', ...options, reference]);
  expectCode(result, code);
  return JSON.parse(result.stdout) as Document;
}

describe('verify --executables', () => {
  it('accepts an index whose images start programs of their platforms', async () => {
    const entries = await Promise.all(
      TARGETS.map((target) => appFor(target, { app: programFor(target) })),
    );
    const { executables } = await verified(await indexOf(...entries), 0);
    expect(
      executables.map(({ platform, programs, started, others }) => [
        platform,
        programs,
        started[0]?.architectures,
        others.count,
      ]),
    ).toEqual(TARGETS.map((target) => [target, 1, [target.split('/')[1]], 0]));
  });

  it('finds in each image a program that is started and for another platform', async () => {
    // Each image has the program of the target before its own.
    const wrong = (i: number): Target => TARGETS.at(i - 1)!;
    const entries = await Promise.all(
      TARGETS.map((target, i) => appFor(target, { app: programFor(wrong(i)) })),
    );
    // On arm64 most processors run programs for arm.
    const isDefect = (target: Target): boolean => target !== 'linux/arm64';
    const { entries: rows, executables } = await verified(await indexOf(...entries), 6);
    expect(rows.map(({ defects }) => defects.length)).toEqual(
      TARGETS.map((target) => (isDefect(target) ? 1 : 0)),
    );
    for (const [i, target] of TARGETS.entries()) {
      const architecture = wrong(i).split('/')[1];
      if (isDefect(target)) {
        expect(rows[i]!.defects[0]!.what).toMatch(
          new RegExp(
            `^starts /app, an? (ELF|PE|Mach-O) program for ${architecture}, but is for ${target}$`,
          ),
        );
      } else expect(executables[i]!.compatible.count).toBe(1);
    }
  });

  it('names each defect, counts other programs and names the first ten', async () => {
    const others = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`opt/lib${i}.so`, programFor('linux/s390x')]),
    );
    const good = await appFor('linux/arm64', { app: programFor('linux/arm64'), ...others });
    const bad = await appFor('linux/riscv64', { app: programFor('linux/amd64') });
    const half = await appFor('linux/amd64', {
      app: programFor('linux/amd64'),
      'lib/ld.so': programFor('linux/386'),
    });
    const result = await runCli(['verify', '--executables', await indexOf(good, bad, half)]);
    expectCode(result, 6);
    const names = Array.from({ length: 10 }, (_, i) => `/opt/lib${i}.so (s390x)`);
    expect(result.stdout.split('\n').slice(1, -1)).toEqual([
      `ok      linux/arm64    ${good.digest}  2 blobs`,
      `DEFECT  linux/riscv64  ${bad.digest}  2 blobs`,
      `ok      linux/amd64    ${half.digest}  2 blobs`,
      'linux/arm64 starts /app (arm64); 13 programs in all',
      `linux/arm64 has 12 programs of another architecture that it does not start: ${names.join(', ')} and 2 more`,
      'linux/riscv64 starts /app (amd64); 1 program in all',
      'linux/amd64 starts /app (amd64); 2 programs in all',
      'linux/amd64 has 1 program of an architecture that it probably runs as well: /lib/ld.so (386)',
    ]);
    expect(result.stderr).toBe(
      `manifest-tool: verifying ${folder.reference('app')} failed: 1 defect: ${bad.digest} starts /app, an ELF program for amd64, but is for linux/riscv64\n${HINT}\n`,
    );
  });

  it.each<[string, object, Files]>([
    ['a link', { Entrypoint: ['start'] }, { 'usr/bin/start': { symlink: '../../app' } }],
    [
      'a shell form',
      { Cmd: ['/bin/sh', '-c', 'exec /app -x'] },
      { 'bin/sh': programFor('linux/arm64') },
    ],
    [
      'a script',
      { Entrypoint: ['/run.sh'] },
      { 'run.sh': '#!/bin/sh\nexec /app "$@"\n', 'bin/sh': programFor('linux/arm64') },
    ],
    [
      'an entrypoint that executes its command',
      { Entrypoint: ['/run.sh'], Cmd: ['/app'] },
      { 'run.sh': '#!/bin/sh\nexec "$@"\n', 'bin/sh': programFor('linux/arm64') },
    ],
    ['an interpreter', { Cmd: ['/run'] }, { run: '#!/app\n' }],
  ])('follows %s', async (_, config, files) => {
    const layers = [await gzipLayer({ app: programFor('linux/amd64') }), await gzipLayer(files)];
    const { defects } = await verified(
      await indexOf(await imageOf('linux/arm64', config, layers)),
      6,
    );
    expect(defects.map(({ what }) => what)).toEqual([
      'starts /app, an ELF program for amd64, but is for linux/arm64',
    ]);
  });

  it('accepts programs for other architectures among which a script chooses, if one fits', async () => {
    const choosing = (...architectures: readonly ('amd64' | 'arm64' | 'riscv64')[]) =>
      folder
        .blob(
          `${LAYER}+gzip`,
          gzipped({
            'bin/sh': programFor('linux/arm64'),
            'run.sh': `#!/bin/sh\ncase $(uname -m) in\n${architectures.map((each) => `${each}) exec /app-${each} ;;`).join('\n')}\nesac\n`,
            ...Object.fromEntries(
              architectures.map((each) => [`app-${each}`, programFor(`linux/${each}`)]),
            ),
          }),
        )
        .then((layer) => imageOf('linux/arm64', { Entrypoint: ['/run.sh'] }, [layer]));
    const good = await choosing('amd64', 'arm64');
    const bad = await choosing('amd64', 'riscv64');
    const { defects, executables } = await verified(await indexOf(good, bad), 6);
    expect(defects.map(({ where, what }) => [where, what])).toEqual([
      [bad.digest, 'starts /app-amd64, an ELF program for amd64, but is for linux/arm64'],
      [bad.digest, 'starts /app-riscv64, an ELF program for riscv64, but is for linux/arm64'],
    ]);
    expect(executables[0]!.others.count).toBe(1);
  });

  it('finds a fat Mach-O file in an image for linux', async () => {
    const fat = fatFile(programFor('darwin/amd64'), programFor('darwin/arm64'));
    const { defects } = await verified(await indexOf(await appFor('linux/arm64', { app: fat })), 6);
    expect(defects[0]!.what).toBe(
      'starts /app, a Mach-O program for amd64 and arm64, but is for linux/arm64',
    );
  });

  it.each<[string, string, (files: Files) => Buffer]>([
    ['plain', LAYER, layerOf],
    ['gzip', `${LAYER}+gzip`, gzipped],
    ['zstd', `${LAYER}+zstd`, (files) => zstdFrames(layerOf(files))],
    [
      'another compression than its type says',
      `${LAYER}+gzip`,
      (files) => zstdFrames(layerOf(files), 700),
    ],
    [
      'several members of gzip',
      `${LAYER}+gzip`,
      (files) => {
        const tar = layerOf(files);
        return Buffer.concat(
          [tar.subarray(0, 700), tar.subarray(700)].map((part) => gzipSync(part)),
        );
      },
    ],
  ])('reads a layer: %s', async (_, type, pack) => {
    const bad = programFor('linux/amd64');
    const layer = await folder.blob(type, pack({ app: bad, text: 'x'.repeat(100_000) }));
    const image = await imageOf('linux/arm64', { Entrypoint: ['/app'] }, [layer]);
    const { defects } = await verified(await indexOf(image), 6);
    expect(defects).toHaveLength(1);
  });

  it('notes programs for a later version of arm', async () => {
    const images = await Promise.all(
      ['linux/arm/v6', 'linux/arm/v7', 'linux/arm'].map((platform) =>
        appFor(platform, { app: armFile(10), lib: armFile(9) }),
      ),
    );
    const { executables } = await verified(await indexOf(...images), 0);
    expect(executables.map(({ notes }) => notes)).toEqual([
      ['has 1 program for a later version of arm: /app (v7)'],
      [],
      [],
    ]);
  });

  it('says what it cannot examine', async () => {
    const layers = [
      await gzipLayer({ app: programFor('linux/arm64') }),
      await folder.blob(`${LAYER}+gzip+encrypted`, 'secret'),
      await folder.blob('application/vnd.example.layer', 'unknown'),
      await folder.blob(LAYER, Buffer.from('fd377a585a000004', 'hex')),
      {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: `sha256:${'0'.repeat(64)}`,
        size: 10,
      },
    ];
    const image = await imageOf('linux/arm64', { Entrypoint: ['/app'] }, layers);
    const { executables } = await verified(await indexOf(image), 0);
    expect(executables[0]!.notes).toEqual([
      `has layer ${layers[1]!.digest}, which was not examined: it is encrypted`,
      `has layer ${layers[2]!.digest}, which was not examined: it is of type application/vnd.example.layer`,
      `has layer ${layers[3]!.digest}, which was not examined: it is compressed with xz, which is not supported`,
      `has layer ${layers[4]!.digest}, which was not examined: it is downloaded from elsewhere`,
    ]);
  });

  it.each<[string, Buffer, string]>([
    ['no archive', Buffer.alloc(600, 'x'), 'it is not a tar archive'],
    ['cut short', layerOf({ app: 'x'.repeat(2000) }).subarray(0, 1500), 'it is truncated'],
    ['damaged', Buffer.concat([gzipped({ a: 'x' }).subarray(0, 40), Buffer.alloc(40)]), GZIP_FAULT],
    ['incomplete', gzipped({ a: 'x' }).subarray(0, 60), GZIP_FAULT],
    [
      'followed by something',
      Buffer.concat([gzipped({ a: 'x' }), Buffer.from('more')]),
      GZIP_FAULT,
    ],
    [
      'incomplete zstd',
      zstdFrames(layerOf({ a: 'x' })).subarray(0, 700),
      'its zstd data is damaged or incomplete',
    ],
  ])('finds a layer that is %s', async (_, bytes, why) => {
    const layer = await folder.blob(LAYER, bytes);
    const { defects } = await verified(
      await indexOf(await imageOf('linux/arm64', { Cmd: ['/a'] }, [layer])),
      6,
    );
    expect(defects.map(({ what }) => what)).toEqual([`layer ${layer.digest}: ${why}`]);
  });

  it('leaves out attestations and artifacts, and with --deep reads their blobs', async () => {
    const image = await appFor('linux/arm64', { app: programFor('linux/arm64') });
    const attestation = await folder.attestation(image, 'https://spdx.dev/Document');
    const reference = await indexOf(image, attestation);
    const { executables } = await verified(reference, 0, '--deep');
    expect(executables.map(({ platform }) => platform)).toEqual(['linux/arm64']);
    const manifest = JSON.parse(await readFile(folder.fileOf(attestation), 'utf8')) as {
      layers: Entry[];
    };
    const [layer] = manifest.layers as [Entry];
    await writeFile(folder.fileOf(layer), 'x'.repeat(layer.size));
    const { defects } = await verified(reference, 6, '--deep');
    expect(defects.map(({ what }) => what)).toEqual([
      `layer ${layer.digest}: its digest is not ${layer.digest}`,
    ]);
  });

  it('examines a single image, and one inside a nested index', async () => {
    const bad = await appFor('linux/arm64', { app: programFor('linux/amd64') });
    await folder.tag(bad, 'single');
    const single = await verified(folder.reference('single'), 6);
    expect(single.entries[0]!.defects).toHaveLength(1);
    const nested = await folder.index([bad]);
    const { entries, executables } = await verified(await indexOf(nested), 6);
    expect(entries[0]!.defects).toEqual(single.entries[0]!.defects);
    expect(executables).toEqual(single.executables);
  });

  it('works in registries and archives, and reads a layer that images share once', async () => {
    const shared = await gzipLayer({ 'lib/shared.so': programFor('linux/amd64') });
    const images = await Promise.all(
      (['linux/amd64', 'linux/arm64'] as const).map(async (platform) =>
        imageOf(platform, { Entrypoint: ['/app'] }, [
          shared,
          await gzipLayer({ app: programFor(platform) }),
        ]),
      ),
    );
    const source = await indexOf(...images);
    const archive = path.join(await temporaryFolder(), 'app.tar');
    for (const target of [`${registry.host}/executables/app:1`, `oci-archive://${archive}:1`]) {
      expectCode(await runCli(['copy', '--verify=executables', source, target]), 0);
      const { executables } = await verified(target, 0);
      expect(executables.map(({ others }) => others.count)).toEqual([0, 1]);
    }
    const debugged = await runCli([
      'verify',
      '--executables',
      '--deep',
      '--debug',
      `${registry.host}/executables/app:1`,
    ]);
    const reads = debugged.stderr
      .split('\n')
      .filter((line) => line.includes(`GET`) && line.includes(shared.digest));
    expect(reads).toHaveLength(1);
  });

  it('reads real archives of tar and gzip', async () => {
    const root = await temporaryFolder();
    execFileSync('sh', [
      '-c',
      `mkdir -p ${root}/r/bin && cp /bin/sh ${root}/r/bin/sh && ln -s sh ${root}/r/bin/app && truncate -s 1M ${root}/r/hole && tar -C ${root}/r -czSf ${root}/l.tgz .`,
    ]);
    const layer = await folder.blob(`${LAYER}+gzip`, await readFile(path.join(root, 'l.tgz')));
    const image = await imageOf('linux/ppc64le', { Entrypoint: ['app'] }, [layer]);
    const { executables, defects } = await verified(await indexOf(image), 6);
    expect(executables[0]!.notes).toEqual(['has sparse files, which were not examined: ./hole']);
    expect(defects[0]!.what).toMatch(
      /^starts \/bin\/sh, an ELF program for \w+, but is for linux\/ppc64le$/,
    );
  });
});

describe('--verify=executables', () => {
  let good: string;
  let bad: string;
  let why: string;

  beforeEach(async () => {
    const arm = await appFor('linux/arm64', { app: programFor('linux/arm64') });
    const wrong = await appFor('linux/riscv64', { app: programFor('linux/amd64') });
    await folder.tag(arm, 'linux-arm64');
    await folder.tag(wrong, 'linux-riscv64');
    [good, bad] = [folder.reference('linux-arm64'), folder.reference('linux-riscv64')];
    why = `failed: linux/riscv64 (${wrong.digest}) starts /app, an ELF program for amd64, but is for linux/riscv64`;
  });

  let targets = 0;
  const newTarget = (): string => `${registry.host}/executables/refused:${(targets += 1)}`;

  it.each<[string, (target: string) => string[]]>([
    ['create', (target) => ['create', '--target', target, good, bad]],
    [
      'push from-args',
      (target) => [
        'push',
        'from-args',
        '--type',
        'oci',
        '--platforms',
        'linux/arm64,linux/riscv64',
        '--template',
        folder.reference('OS-ARCH'),
        '--target',
        target,
      ],
    ],
    ['copy', (target) => ['copy', bad, target]],
    ['create as a dry run', (target) => ['create', '--dry-run', '--target', target, good, bad]],
  ])('of %s refuses before a tag moves', async (_, commandLine) => {
    const target = newTarget();
    const result = await runCli([...commandLine(target), '--verify=deep,executables']);
    expectCode(result, 6);
    expect(result.stderr).toContain(why);
    expect(result.stderr).toContain(HINT);
    expectCode(await runCli(['digest', target]), 3);
  });

  it('of add and annotate refuses before the tag moves', async () => {
    const target = newTarget();
    expectCode(await runCli(['create', '--verify=executables', '--target', target, good]), 0);
    const before = await runCli(['digest', target]);
    const added = await runCli(['add', '--verify=executables', target, bad]);
    expectCode(added, 6);
    expect(added.stderr).toContain(why);
    const annotated = await runCli([
      'annotate',
      '--verify=executables',
      '--platform',
      'linux/arm64',
      '--arch',
      's390x',
      target,
    ]);
    expectCode(annotated, 6);
    expect(annotated.stderr).toContain(
      'starts /app, an ELF program for arm64, but is for linux/s390x',
    );
    expect(await runCli(['digest', target])).toEqual(before);
  });

  it('publishes what is right, and verifies it afterwards', async () => {
    const target = newTarget();
    const result = await runCli([
      'create',
      '--verify=executables',
      '--verify=deep',
      '--target',
      target,
      good,
    ]);
    expectCode(result, 0);
    expect(result.stderr).toMatch(/^verified /m);
    const single = await runCli(['create', '--verify', '--target', target, good]);
    expectCode(single, 0);
  });

  it('refuses a check that it does not know', async () => {
    const result = await runCli(['create', '--verify=depe', '--target', newTarget(), good]);
    expectCode(result, 2);
    expect(result.stderr).toContain(
      '--verify must be deep or executables, not "depe" (did you mean deep?)',
    );
  });
});
