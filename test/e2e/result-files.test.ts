import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Folder } from '../adversarial/support/files.js';
import { expectCode, runCli } from '../support/cli.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

const TAGS = PARITY_IMAGES['oci/app']!.tags;
const folder = new Folder();
let registry: Registry;
let repository: string;

beforeAll(async () => {
  registry = await startRegistry();
  repository = `${registry.host}/oci/app`;
  await seedParityImages(registry.host, { repositories: ['oci/app', 'buildx/full'] });
});

afterAll(() => registry.stop());

const read = (file: string): string => readFileSync(file, 'utf8');
const digestIn = (stdout: string): string => /sha256:[0-9a-f]{64}/.exec(stdout)![0];
const sources = (...tags: string[]): string[] => tags.map((tag) => `${repository}:${tag}`);

describe('--dotenv', () => {
  it('appends the digests of the index and of each platform', async () => {
    const file = folder.write('output', 'before=1');
    const windows = 'windows-amd64-10.0.26100.1-win32k';
    const tags = ['linux-amd64', 'linux-arm64-v8', 'linux-arm-v7', windows];
    const args = ['create', '-t', `${repository}:env`, ...sources(...tags), '--dotenv', file];
    const made = await runCli(args);
    expectCode(made, 0);
    const digest = digestIn(made.stdout);
    const lines = [
      'before=1',
      `digest=${digest}`,
      `image=${repository}@${digest}`,
      `digest_linux_amd64=${TAGS['linux-amd64']}`,
      `digest_linux_arm64_v8=${TAGS['linux-arm64-v8']}`,
      `digest_linux_arm_v7=${TAGS['linux-arm-v7']}`,
      `digest_windows_amd64_10_0_26100_1=${TAGS[windows]}`,
      '',
    ];
    expect(read(file)).toBe(lines.join('\n'));
    const before = read(file);
    expectCode(await runCli([...args, '--dry-run']), 0);
    expect(read(file)).toBe(before);
    expectCode(
      await runCli(['remove', `${repository}:env`, '--platform', 'linux/arm/v7', '--dotenv', file]),
      0,
    );
    const added = read(file).slice(before.length);
    expect(added).toMatch(/^digest=sha256:/);
    expect(added).toContain('digest_linux_arm64_v8=');
    expect(added).not.toContain('digest_linux_arm_v7');
  });

  it('numbers later images for the same key, and leaves out attestations', async () => {
    const file = path.join(folder.path, 'numbered');
    const annotation = 'io.github.containers.compression.zstd=true';
    const zstd = {
      digest: TAGS['linux-386'],
      platform: { os: 'linux', architecture: 'amd64' },
      annotations: Object.fromEntries([annotation.split('=')]),
    };
    const args = [
      'create',
      '--type',
      'oci',
      '-t',
      `${repository}:numbered`,
      ...sources('linux-amd64'),
    ];
    expectCode(
      await runCli([...args, '-f', '-', '--dotenv', file], { stdin: JSON.stringify(zstd) }),
      0,
    );
    expect(read(file)).toContain(`digest_linux_amd64=${TAGS['linux-386']}\n`);
    expect(read(file)).toContain(`digest_linux_amd64_2=${TAGS['linux-amd64']}\n`);
    const full = path.join(folder.path, 'full');
    const copied = ['copy', `${registry.host}/buildx/full:latest`, `${registry.host}/to/full:1`];
    expectCode(await runCli([...copied, '--dotenv', full]), 0);
    expect(read(full)).toContain('digest_linux_amd64=');
    expect(read(full)).not.toContain('unknown');
  });

  it('is for one index', async () => {
    const spec = (tag: string): string =>
      `image: ${repository}:${tag}\nmanifests:\n  - image: ${repository}:linux-amd64\n`;
    const stdin = `${spec('one')}---\n${spec('two')}`;
    const args = ['push', '--type', 'oci', 'from-spec', '-', '--dotenv', `${folder.path}/two`];
    const result = await runCli(args, { stdin });
    expectCode(result, 2);
    expect(result.stderr).toContain('--dotenv accepts only one spec, not 2');
    expect(result.stderr).toContain('hint: publish each spec with a separate command');
    expectCode(await runCli(['inspect', `${repository}:one`]), 3);
  });

  it.each(['--dotenv', '--subjects'])(
    '%s that cannot be written is found before',
    async (option) => {
      const args = ['create', '-t', `${repository}:early`, ...sources('linux-amd64')];
      const result = await runCli([...args, option, '/nowhere/file']);
      expectCode(result, 2);
      expect(result.stderr).toContain(`writing ${option} /nowhere/file failed: `);
      expect(result.stderr).toContain('hint: use a file in an existing, writable directory');
      expectCode(await runCli(['inspect', `${repository}:early`]), 3);
    },
  );
});

it.each(['--dotenv', '--subjects'])('%s refuses a path that would add lines', async (option) => {
  const target = `oci-layout://${folder.path}/a\ndigest=b:1`;
  const args = ['create', '-t', target, ...sources('linux-amd64'), option, `${folder.path}/lines`];
  const result = await runCli(args);
  expectCode(result, 2);
  expect(result.stderr).toContain('cannot represent a target with a line break');
});

describe('--subjects', () => {
  it('has a checksum line for the index and each image, in each repository', async () => {
    const file = folder.write('subjects', 'old\n');
    const other = `oci-layout://${folder.path}/layout`;
    const args = ['create', '-t', `${repository}:subjects`, '-t', 'more', '-t', `${other}:1`];
    const made = await runCli([
      ...args,
      ...sources('linux-amd64', 'linux-386'),
      '--subjects',
      file,
    ]);
    expectCode(made, 0);
    const digests = [digestIn(made.stdout), TAGS['linux-amd64']!, TAGS['linux-386']!];
    const lines = [repository, other].flatMap((name) =>
      digests.map((digest) => `${digest.slice('sha256:'.length)}  ${name}\n`),
    );
    expect(read(file)).toBe(lines.join(''));
  });

  it('has the line of a single image that is copied', async () => {
    const file = path.join(folder.path, 'one');
    const args = ['copy', `${repository}:linux-amd64`, `${registry.host}/to/app:1`];
    expectCode(await runCli([...args, '--subjects', file]), 0);
    const hex = TAGS['linux-amd64']!.slice('sha256:'.length);
    expect(read(file)).toBe(`${hex}  ${registry.host}/to/app\n`);
  });
});
