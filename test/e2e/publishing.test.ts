import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host, {
    repositories: ['docker/app', 'oci/app', 'odd/app', 'buildx/app'],
  });
});

afterAll(() => registry.stop());

const name = (image: string): string => `${registry.host}/${image}`;

interface List {
  readonly annotations?: Record<string, string>;
  readonly manifests: readonly {
    readonly platform: { readonly architecture: string };
    readonly annotations?: Record<string, string>;
  }[];
}

async function listAt(image: string): Promise<List | undefined> {
  const [repository, tag] = image.split(':') as [string, string];
  const { status, body } = await getManifest(registry.host, repository, tag);
  return status === 200 ? (JSON.parse(body) as List) : undefined;
}

function create(target: string, sources: string[], ...options: string[]) {
  return runCli(['create', '--target', name(target), ...sources.map(name), ...options]);
}

describe('--annotation', () => {
  it('takes all behind the first = as the value, for the list, all images or one of them', async () => {
    const sources = ['oci/app:linux-amd64', 'oci/app:linux-s390x'];
    const options = ['a=1,2=3', 'index:b=x', 'manifest-descriptor:all=1'].concat(
      'manifest-descriptor[linux/s390x]:one=2',
    );
    const given = options.flatMap((option) => ['--annotation', option]);
    expectCode(await create('oci/app:annotated', sources, ...given), 0);
    const list = await listAt('oci/app:annotated');
    expect(list?.annotations).toEqual({ a: '1,2=3', b: 'x' });
    expect(list?.manifests.map(({ annotations }) => annotations)).toEqual([
      { all: '1' },
      { all: '1', one: '2' },
    ]);
  });

  it('sets an annotation at several levels', async () => {
    const options = ['--annotation', 'index,manifest-descriptor[linux/s390x]:a=b:c=d'];
    const sources = ['oci/app:linux-amd64', 'oci/app:linux-s390x'];
    expectCode(await create('oci/app:levels', sources, ...options), 0);
    const list = await listAt('oci/app:levels');
    expect(list?.annotations).toEqual({ a: 'b:c=d' });
    expect(list?.manifests.map(({ annotations }) => annotations)).toEqual([
      undefined,
      { a: 'b:c=d' },
    ]);
  });

  it('removes annotations that come from a source or a spec', async () => {
    const set = ['index:a=1', 'index:b=2', 'manifest-descriptor:a=1', 'manifest-descriptor:b=2'];
    const given = set.flatMap((option) => ['--annotation', option]);
    const sources = ['oci/app:linux-amd64', 'oci/app:linux-s390x'];
    expectCode(await create('oci/app:set', sources, ...given), 0);
    const removed = ['--annotation', 'manifest-descriptor[linux/amd64]:a-'];
    expectCode(await create('oci/app:removed', ['oci/app:set'], ...removed), 0);
    expect((await listAt('oci/app:removed'))?.manifests.map((each) => each.annotations)).toEqual([
      { b: '2' },
      { a: '1', b: '2' },
    ]);
    const { stdout } = await runCli(['spec', 'from', name('oci/app:set')]);
    const stdin = stdout.replace(/^(image: .*):set$/m, '$1:spec');
    const options = ['--annotation', 'index,manifest-descriptor:a-'];
    expectCode(await runCli(['push', 'from-spec', ...options, '-'], { stdin }), 0);
    const list = await listAt('oci/app:spec');
    expect(list?.annotations).toEqual({ b: '2' });
    expect(list?.manifests.map(({ annotations }) => annotations)).toEqual([{ b: '2' }, { b: '2' }]);
  });

  it.each([
    ['manifset:a=b', '"manifset" is not a level'],
    ['index,manifest:a=b', '"manifest" is not a level'],
    ['index[linux/amd64]:a=b', 'the level index has no platform'],
    ['manifest-descriptor[linux]:a=b', 'os/arch'],
    ['index:a', 'is not of the form KEY=VALUE or KEY-'],
    ['-', 'is not of the form KEY=VALUE or KEY-'],
  ])('is refused before a registry is asked: %s', async (option, message) => {
    const result = await create('oci/app:refused', ['oci/app:none'], '--annotation', option);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(message);
  });

  it('is refused for a platform that no image has, before anything is written', async () => {
    const options = ['--annotation', 'manifest-descriptor[linux/riscv64]:a=b'];
    const result = await create('oci/app:unmatched', ['oci/app:linux-amd64'], ...options);
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('is for linux/riscv64, but no image is');
    expect(result.stderr).toContain('linux/amd64');
    expect(await listAt('oci/app:unmatched')).toBeUndefined();
  });

  it('makes an OCI index of Docker images where the kind is free, and is refused where it is not', async () => {
    const sources = ['docker/app:linux-amd64'];
    expectCode(await create('docker/app:annotated', sources, '--annotation', 'a=b'), 0);
    expect((await listAt('docker/app:annotated'))?.annotations).toEqual({ a: 'b' });
    const refused = ['--type', 'docker', '--annotation', 'manifest-descriptor:a=b'];
    expectCode(await create('docker/app:refused', sources, ...refused), 2);
    expectCode(await create('docker/app:refused', sources, '--annotation', 'a'), 2);
  });
});

describe('--attestations drop', () => {
  it('leaves them out', async () => {
    const sources = ['buildx/app:amd64', 'buildx/app:arm64'];
    expectCode(await create('buildx/app:kept', sources), 0);
    expect((await listAt('buildx/app:kept'))?.manifests).toHaveLength(4);
    expectCode(await create('buildx/app:dropped', sources, '--attestations', 'drop'), 0);
    expect((await listAt('buildx/app:dropped'))?.manifests).toHaveLength(2);
    expectCode(await create('buildx/app:x', sources, '--attestations', 'maybe'), 2);
  });
});

describe('a warning, which --strict makes an error of before anything is written', () => {
  it.each<[string, RegExp, string[]]>([
    [
      'mixed kinds',
      /1 Docker images and 1 OCI images/,
      ['docker/app:linux-amd64', 'oci/app:linux-s390x'],
    ],
    [
      'a variant beside none',
      /linux\/arm has no variant, but the index also has linux\/arm\/v6/,
      ['odd/app:arm-novariant', 'docker/app:linux-arm-v6'],
    ],
  ])('%s', async (what, says, sources) => {
    const tag = what.replaceAll(' ', '-');
    const strict = await create(`out/${tag}:strict`, sources, '--strict');
    expectCode(strict, 2);
    expect(strict.stderr).toMatch(
      /^manifest-tool: publishing .* failed: a warning is an error in strict mode: /m,
    );
    expect(await listAt(`out/${tag}:strict`)).toBeUndefined();
    const loose = await create(`out/${tag}:loose`, sources);
    expectCode(loose, 0);
    expect(loose.stderr).toMatch(says);
  });

  it('a list of another kind than its images, and one image for several platforms', async () => {
    const args = ['push', 'from-args', '--platforms', 'linux/amd64,linux/s390x'];
    const names = ['--template', name('oci/app:linux-amd64'), '--target', name('oci/app:odd')];
    const result = await runCli([...args, ...names]);
    expectCode(result, 0);
    expect(result.stderr).toMatch(/an OCI index would match them/);
    expect(result.stderr).toMatch(/is published for several platforms: linux\/amd64, linux\/s390x/);
    expectCode(await runCli([...args, ...names, '--strict']), 2);
  });
});

describe('--wait', () => {
  it('waits for an image that appears a moment later, and shows it', async () => {
    const image = await getManifest(registry.host, 'docker/app', 'linux-s390x');
    const late = async (): Promise<void> => {
      await sleep(700);
      await putManifest(
        registry.host,
        'docker/app',
        'late',
        image.mediaType!,
        Buffer.from(image.body),
      );
    };
    const [result] = await Promise.all([
      create('docker/app:waited', ['docker/app:linux-amd64', 'docker/app:late'], '--wait', '20s'),
      late(),
    ]);
    expectCode(result, 0);
    expect(result.stderr).toMatch(/^waiting: reading \S+:late failed: not found/m);
    expect((await listAt('docker/app:waited'))?.manifests).toHaveLength(2);
  });

  it('ends after its time, and does not wait for what is refused', async () => {
    const start = performance.now();
    expectCode(await create('docker/app:never', ['docker/app:none'], '--wait', '600ms'), 3);
    expect(performance.now() - start).toBeGreaterThan(590);
    expectCode(await create('docker/app:never', ['docker/app:none'], '--wait', 'long'), 2);
  });
});

describe('--verify', () => {
  it('proves afterwards that what is published is whole', async () => {
    const result = await create('docker/app:proved', ['docker/app:linux-amd64'], '--verify');
    expectCode(result, 0);
    expect(result.stderr).toMatch(/^verified \S+@sha256:[0-9a-f]{64}$/m);
  });
});

describe('--concurrency', () => {
  it('is a number of at least one', async () => {
    expectCode(await create('docker/app:slow', ['docker/app:linux-amd64'], '-j', '1'), 0);
    expectCode(await create('docker/app:slow', ['docker/app:linux-amd64'], '-j', '0'), 2);
  });
});

describe('several specs', () => {
  const spec = (target: string, image: string): string =>
    `image: ${name(target)}\nmanifests:\n  - image: ${name(image)}\n`;

  it('are published over shared connections, each with a line of its own, in their order', async () => {
    const documents = Array.from({ length: 100 }, (_, i) =>
      ['amd64', 's390x', '386', 'ppc64le'].reduce(
        (text, each) => `${text}  - image: ${name(`docker/app:linux-${each}`)}\n`,
        `image: ${name(`docker/app:many-${i}`)}\nmanifests:\n`,
      ),
    );
    const result = await runCli(['push', 'from-spec', '-'], { stdin: documents.join('---\n') });
    expectCode(result, 0);
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(100);
    expect(lines[99]).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+ \S+\/docker\/app:many-99$/);
    expect((await listAt('docker/app:many-42'))?.manifests).toHaveLength(4);
  });

  it('of which one fails are published but for that one, and the exit code tells it', async () => {
    const stdin = [
      spec('docker/app:good', 'docker/app:linux-amd64'),
      spec('docker/app:bad', 'docker/app:none'),
      spec('docker/app:fine', 'docker/app:linux-s390x'),
    ].join('---\n');
    const result = await runCli(['push', 'from-spec', '-'], { stdin });
    expectCode(result, 3);
    expect(result.stderr).toMatch(/^manifest-tool: reading \S+:none failed: not found/m);
    expect(result.stderr).toMatch(
      /^manifest-tool: publishing to 3 targets failed: 1 of 3 failed, the others succeeded$/m,
    );
    expect(await listAt('docker/app:good')).toBeDefined();
    expect(await listAt('docker/app:fine')).toBeDefined();
    expect(await listAt('docker/app:bad')).toBeUndefined();
  });

  it('are all read before the first one is published', async () => {
    const stdin = `${spec('docker/app:unread', 'docker/app:linux-amd64')}---\nimage: X\n`;
    expectCode(await runCli(['push', 'from-spec', '-'], { stdin }), 2);
    expect(await listAt('docker/app:unread')).toBeUndefined();
    expectCode(await runCli(['push', 'from-spec', '-', '-'], { stdin }), 2);
  });

  it('take variables from the environment with --env', async () => {
    const stdin = spec('docker/app:${TAG:-none}', 'docker/app:linux-${ARCH}');
    const env = { TAG: 'from-env', ARCH: 'amd64' };
    expectCode(await runCli(['push', 'from-spec', '--env', '-'], { stdin, env }), 0);
    expect(await listAt('docker/app:from-env')).toBeDefined();
  });
});

describe('sources that are not found', () => {
  const here = 'oci/app:linux-amd64';
  const spec = (...images: string[]): string =>
    `image: ${name('oci/app:x')}\nmanifests:\n${images.map((image) => `  - image: ${name(image)}\n`).join('')}`;

  it.each([
    ['create', ['create', '--target', 'oci/app:x', 'oci/app:none-1', here, 'oci/app:none-2']],
    ['add', ['add', 'docker/app:linux-amd64', 'oci/app:none-1', here, 'oci/app:none-2']],
    ['push from-spec', ['push', 'from-spec', '-']],
  ])('are all named by %s', async (_, args) => {
    const stdin = spec('oci/app:none-1', here, 'oci/app:none-2');
    const named = args.map((arg) => (arg.includes('/') ? name(arg) : arg));
    const result = await runCli(named, { stdin });
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('2 of 3 sources were not found: ');
    for (const none of ['oci/app:none-1', 'oci/app:none-2'])
      expect(result.stderr).toContain(`${name(none)}: not found`);
    expect(result.stderr).toContain('hint: check the names; --wait TIME waits');
  });

  it('are named by push from-args with the platform that an index lacks', async () => {
    expectCode(await create('oci/app:two', [here, 'oci/app:linux-s390x']), 0);
    const options = [
      '--platforms',
      'linux/mips,linux/amd64,linux/386',
      '--target',
      name('oci/app:x'),
    ];
    const result = await runCli([
      'push',
      'from-args',
      ...options,
      '--template',
      name('oci/app:two'),
    ]);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(
      /it has no entry for linux\/mips.*it has no entry for linux\/386/,
    );
  });
});
