import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReference } from '../../src/oci/reference.js';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { imageFor, type ImagePlatform } from '../support/images.js';
import { LayoutFolder, OCI_CONFIG, type Entry } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let folder: string;

beforeAll(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(path.join(tmpdir(), 'platforms-'));
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(['registry', 'layout'])('in a %s', (where) => {
  const named = (tag: string): string =>
    where === 'registry'
      ? `${registry.host}/platforms/app:${tag}`
      : `oci-layout://${folder}/app:${tag}`;

  const IMAGES: Readonly<Record<string, ImagePlatform>> = {
    amd64: { os: 'linux', architecture: 'amd64' },
    arm64: { os: 'linux', architecture: 'arm64' },
    v8: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    v9: { os: 'linux', architecture: 'arm64', variant: 'v9' },
    aarch64: { os: 'linux', architecture: 'aarch64' },
    armv6: { os: 'linux', architecture: 'arm', variant: 'v6' },
    armv7: { os: 'linux', architecture: 'arm', variant: '7' },
    win1: { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' },
    win2: { os: 'windows', architecture: 'amd64', 'os.version': '10.0.2' },
    win32k: {
      os: 'windows',
      architecture: 'amd64',
      'os.version': '10.0.1',
      'os.features': ['win32k'],
    },
    gzip: { os: 'linux', architecture: 'amd64' },
    zstd: { os: 'linux', architecture: 'amd64' },
  };

  beforeAll(async () => {
    for (const [tag, platform] of Object.entries(IMAGES))
      await imageFor(parseReference(named(tag)), platform, 'oci');
  });

  async function run(...args: string[]): Promise<CliResult> {
    const result = await runCli(args);
    expectCode(result, 0);
    return result;
  }

  const create = (tag: string, ...sources: string[]): Promise<CliResult> =>
    run('create', '--target', named(tag), ...sources.map(named));

  async function platformsOf(tag: string): Promise<unknown[]> {
    const { stdout } = await run('inspect', '--format', 'raw', named(tag));
    const { manifests } = JSON.parse(stdout) as { manifests: { platform: unknown }[] };
    return manifests.map(({ platform }) => platform);
  }

  it('add replaces arm64 by arm64/v8, and verify finds nothing wrong', async () => {
    await create('added', 'amd64', 'arm64');
    await run('add', named('added'), named('v8'));
    expect(await platformsOf('added')).toEqual([IMAGES['amd64'], IMAGES['v8']]);
    const names = 'linux/x86_64,linux/aarch64';
    expect((await run('verify', named('added'), '--platforms', names)).stderr).toBe('');
    expectCode(await runCli(['verify', named('added'), '--platforms', 'linux/arm64']), 6);
  });

  it('aliases in a config are written in their proper form, with a warning', async () => {
    const { stderr } = await create('aliases', 'aarch64', 'armv7');
    expect(stderr).toMatch(/has the platform linux\/aarch64; it is published as linux\/arm64/);
    expect(stderr).toMatch(/has the platform linux\/arm\/7; it is published as linux\/arm\/v7/);
    expect(await platformsOf('aliases')).toEqual([
      IMAGES['arm64'],
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ]);
    await run('verify', named('aliases'), '--platforms', 'linux/arm64,linux/arm');
  });

  it('two images of one platform are an error, one image twice is one entry', async () => {
    const two = await runCli(['create', '--target', named('two'), named('arm64'), named('v8')]);
    expectCode(two, 2);
    expect(two.stderr).toMatch(/two images have the platform linux\/arm64/);
    await create('twice', 'amd64', 'arm64', 'amd64');
    expect(await platformsOf('twice')).toEqual([IMAGES['amd64'], IMAGES['arm64']]);
  });

  it('the first of several entries is used, and their number reported', async () => {
    await create('windows', 'amd64', 'win1', 'win2');
    const { stdout, stderr } = await run(
      'inspect',
      '--config',
      '--platform',
      'windows/amd64',
      named('windows'),
    );
    expect(JSON.parse(stdout)).toMatchObject(IMAGES['win1']!);
    expect(stderr).toMatch(/2 entries are for windows\/amd64; using windows\/amd64:10\.0\.1, sha/);
  });

  it('from-args takes the highest arm variant, and warns of one that not all machines run', async () => {
    await create('arms', 'armv6', 'armv7', 'v9');
    const { stderr } = await run(
      'push',
      'from-args',
      '--platforms',
      'linux/arm,linux/arm64',
      '--template',
      named('arms'),
      '--target',
      named('taken'),
    );
    expect(stderr).toMatch(/arm64\/v9 is used for linux\/arm64, but does not run on every/);
    expect(await platformsOf('taken')).toEqual([
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      IMAGES['v9'],
    ]);
  });

  it('remove takes all entries of a platform and says which; annotate asks for a digest', async () => {
    await create('edited', 'amd64', 'win1', 'win2');
    const annotate = ['annotate', named('edited'), '--platform', 'Windows/x86_64'];
    const refused = await runCli([...annotate, '--os-version', '11']);
    expectCode(refused, 2);
    expect(refused.stderr).toMatch(/several entries are for windows\/amd64: sha256:\S+, sha256:/);
    expect(refused.stderr).toMatch(/^hint: select one with --digest$/m);
    const removed = await run('remove', named('edited'), '--platform', 'Windows/x86_64');
    expect(removed.stderr).toMatch(/2 entries are for windows\/amd64: sha256:\S+, sha256:/);
    expect(await platformsOf('edited')).toEqual([IMAGES['amd64']]);
  });

  it('an entry whose image was built for another variant is a warning before anything is written', async () => {
    await create('lists-v6', 'armv7', 'arm64', 'amd64');
    await run('annotate', named('lists-v6'), '--platform', 'linux/arm/v7', '--variant', 'v6');
    const says =
      /app@\S+ was built for linux\/arm\/v7, but is published for linux\/arm\/v6, as its index lists it/;
    const sources = [named('lists-v6'), named('win1')];
    const args = ['create', '--type', 'oci', '--target', named('contradicts'), ...sources];
    const refused = await runCli([...args, '--strict']);
    expectCode(refused, 2);
    expect(refused.stderr).toMatch(says);
    expectCode(await runCli(['inspect', named('contradicts')]), 3);
    const { stderr } = await run(...args);
    expect(stderr.match(/ was built for /g)).toHaveLength(1);
    expect(stderr).toMatch(says);
    await create('grows', 'amd64');
    expect((await run('add', named('grows'), named('lists-v6'))).stderr).toMatch(says);
  });

  describe('os features of a request', () => {
    const WITH = 'windows(10.0.1+win32k)/amd64';

    it.each([
      ['windows(10.0.1)/amd64', 'win1'],
      ['windows/amd64:10.0.1', 'win1'],
      [WITH, 'win32k'],
      ['Windows(+win32k)/x86_64', 'win32k'],
    ])('select the entry: inspect --platform %s', async (platform, image) => {
      await create('features', 'win1', 'win32k');
      const config = ['inspect', '--config', '--platform', platform];
      const { stdout } = await run(...config, named('features'));
      expect(JSON.parse(stdout)).toMatchObject(IMAGES[image]!);
      expect(JSON.parse(stdout)['os.features']).toEqual(IMAGES[image]!['os.features']);
      expectCode(await runCli([...config, named('win1')]), image === 'win1' ? 0 : 3);
    });

    it('select what is published and edited, and are printed', async () => {
      await create('featured', 'win1', 'win32k');
      const args = ['--template', named('featured'), '--target', named('taken-features')];
      await run('push', 'from-args', '--platforms', WITH, ...args);
      expect(await platformsOf('taken-features')).toEqual([IMAGES['win32k']]);
      expect((await run('query', '--json', named('featured'))).stdout).toContain(`"${WITH}"`);
      const both = `${WITH},windows(10.0.1)/amd64`;
      await run('verify', named('featured'), '--platforms', both);
      const wrong = await runCli(['verify', named('taken-features'), '--platforms', both]);
      expectCode(wrong, 6);
      expect(wrong.stderr).toMatch(/windows\/amd64:10\.0\.1 is required, but not in the index/);
      await run('annotate', named('featured'), '--platform', WITH, '--os-version', '10.0.3');
      await run('remove', named('featured'), '--platform', 'windows(+win32k)/amd64');
      expect(await platformsOf('featured')).toEqual([IMAGES['win1']]);
    });

    it('select the entries of an annotation', async () => {
      const level = `manifest-descriptor[${WITH}]:k=v`;
      const args = ['--type', 'oci', '--annotation', level, '--target', named('annotated')];
      await run('create', ...args, named('win1'), named('win32k'));
      const { stdout } = await run('inspect', '--format', 'raw', named('annotated'));
      const { manifests } = JSON.parse(stdout) as { manifests: object[] };
      expect(manifests).toEqual([
        expect.not.objectContaining({ annotations: { k: 'v' } }),
        expect.objectContaining({ annotations: { k: 'v' } }),
      ]);
    });

    it('select the entry of a spec', async () => {
      await create('of-spec', 'win1', 'win32k');
      const platform = `platform: {os: windows, architecture: amd64, osfeatures: [win32k]}`;
      await fromSpec('by-spec', `  - {image: '${named('of-spec')}', ${platform}}`);
      expect(await platformsOf('by-spec')).toEqual([IMAGES['win32k']]);
    });
  });

  async function fromSpec(tag: string, ...entries: string[]): Promise<CliResult> {
    const stdin = [`image: '${named(tag)}'`, 'type: oci', 'manifests:', ...entries].join('\n');
    expectCode(await runCli(['spec', 'check', '--strict', '-'], { stdin }), 0);
    const result = await runCli(['push', 'from-spec', '--strict', '-'], { stdin });
    expectCode(result, 0);
    return result;
  }

  describe('two images of one platform, told apart by their compression', () => {
    const ZSTD = { 'io.github.containers.compression.zstd': 'true' };

    interface Listed {
      readonly digest: string;
      readonly annotations?: Record<string, string>;
    }

    async function entriesOf(tag: string): Promise<Listed[]> {
      const { stdout } = await run('inspect', '--format', 'raw', named(tag));
      return (JSON.parse(stdout) as { manifests: Listed[] }).manifests;
    }

    async function publish(tag: string): Promise<[string, string]> {
      await fromSpec(
        tag,
        `  - {image: '${named('gzip')}', platform: {os: linux, architecture: amd64}}`,
        `  - {image: '${named('zstd')}', platform: {os: linux, architecture: amd64}, annotations: ${JSON.stringify(ZSTD)}}`,
        `  - {image: '${named('arm64')}'}`,
      );
      const [gzip, zstd] = await entriesOf(tag);
      expect([gzip!.annotations, zstd!.annotations]).toEqual([undefined, ZSTD]);
      return [gzip!.digest, zstd!.digest];
    }

    it('are listed by query, inspect and verify', async () => {
      const digests = await publish('listed');
      const { stdout } = await run('query', named('listed'));
      expect(stdout.match(/- linux\/amd64$/gm)).toHaveLength(2);
      const table = await run('inspect', '--format', 'table', named('listed'));
      expect(table.stdout.match(/linux\/amd64/g)).toHaveLength(2);
      const json = JSON.parse((await run('inspect', '--format', 'json', named('listed'))).stdout);
      expect(JSON.stringify(json)).toContain(digests[0]);
      expect(JSON.stringify(json)).toContain(digests[1]);
      const human = await run('inspect', named('listed'));
      for (const digest of digests) expect(human.stdout).toContain(digest);
      const platforms = ['--platforms', 'linux/amd64,linux/arm64'];
      expect((await run('verify', named('listed'), ...platforms)).stderr).toBe('');
    });

    it('the first is taken for its platform, which --strict accepts', async () => {
      const [gzip] = await publish('both');
      const args = [
        '--platforms',
        'linux/amd64',
        '--template',
        named('both'),
        '--strict',
        '--type',
        'oci',
      ];
      const pushed = await run('push', 'from-args', ...args, '--target', named('first'));
      expect(pushed.stderr).toMatch(/2 entries are for linux\/amd64; using linux\/amd64, sha256/);
      expect(pushed.stderr).not.toMatch(/warning/);
      expect(await entriesOf('first')).toMatchObject([{ digest: gzip }]);
      const inspected = await run(
        'inspect',
        '--format',
        'raw',
        '--platform',
        'linux/amd64',
        named('both'),
      );
      expect(inspected.stdout).toBe(
        (await run('inspect', '--format', 'raw', named('gzip'))).stdout,
      );
      expect(inspected.stderr).toMatch(/^reading \S+: 2 entries are for linux\/amd64; using/m);
    });

    it('create keeps both', async () => {
      await publish('kept');
      await create('again', 'kept');
      expect(await entriesOf('again')).toEqual(await entriesOf('kept'));
      await create('joined', 'kept', 'armv6');
      expect((await entriesOf('joined')).slice(0, 2)).toEqual(
        (await entriesOf('kept')).slice(0, 2),
      );
    });

    it('remove and annotate select one by its digest', async () => {
      const [gzip, zstd] = await publish('one');
      await run('annotate', named('one'), '--digest', zstd, '--variant', 'v3');
      expect(await platformsOf('one')).toEqual([
        IMAGES['gzip'],
        { ...IMAGES['zstd'], variant: 'v3' },
        IMAGES['arm64'],
      ]);
      await run('remove', named('one'), '--digest', gzip);
      expect(await entriesOf('one')).toMatchObject([{ digest: zstd }, {}]);
    });

    it('remove takes both, and annotate sets annotations of both', async () => {
      const [gzip, zstd] = await publish('all');
      const annotated = await run(
        'annotate',
        named('all'),
        '--platform',
        'linux/amd64',
        '--annotation',
        'k=v',
      );
      expect(annotated.stderr).toContain(`2 entries are for linux/amd64: ${gzip}, ${zstd}`);
      expect(await entriesOf('all')).toMatchObject([
        { annotations: { k: 'v' } },
        { annotations: { k: 'v', ...ZSTD } },
        {},
      ]);
      const fields = ['annotate', named('all'), '--platform', 'linux/amd64', '--variant', 'v2'];
      const refused = await runCli(fields);
      expectCode(refused, 2);
      expect(refused.stderr).toContain(`several entries are for linux/amd64: ${gzip}, ${zstd}`);
      const removed = await run('remove', named('all'), '--platform', 'linux/amd64');
      expect(removed.stderr).toContain(`2 entries are for linux/amd64: ${gzip}, ${zstd}`);
      expect(await platformsOf('all')).toEqual([IMAGES['arm64']]);
    });
  });
});

it('an entry whose config cannot be compared is published all the same', async () => {
  const layout = await LayoutFolder.make();
  try {
    const lost = await layout.imageFor('linux/arm/v7', {
      listed: { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
    });
    const config = await layout.blob(OCI_CONFIG, 'no JSON');
    const wasm = await layout.manifest(config, [await layout.blob('application/wasm', 'x')]);
    const platform = { os: 'wasi', architecture: 'wasm' };
    await layout.tag(await layout.index([lost, { ...wasm, platform }]), 'list');
    await layout.tag(await layout.imageFor('linux/amd64'), 'amd64');
    const { config: gone } = JSON.parse(await readFile(layout.fileOf(lost), 'utf8')) as {
      config: Entry;
    };
    await rm(layout.fileOf(gone));
    const sources = [layout.reference('list'), layout.reference('amd64')];
    const result = await runCli(['create', '--target', layout.reference('new'), ...sources]);
    expectCode(result, 0);
    expect(result.stderr).not.toMatch(/built for/);
  } finally {
    await layout.remove();
  }
});
