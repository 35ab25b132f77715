import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReference } from '../../src/oci/reference.js';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { imageFor, type ImagePlatform } from '../support/images.js';
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
    expect(stderr).toMatch(/names the platform linux\/aarch64; it is published as linux\/arm64/);
    expect(stderr).toMatch(/names the platform linux\/arm\/7; it is published as linux\/arm\/v7/);
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
});
