import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
const folder = mkdtempSync(path.join(tmpdir(), 'mt-spec-from-'));

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host, {
    repositories: ['docker/app', 'docker/list', 'oci/app', 'odd/app', 'buildx/app', 'buildx/full'],
  });
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const inRegistry = (image: string): string => `${registry.host}/${image}`;
const inLayout = (image: string): string => `oci-layout://${folder}/${image}`;

const ALL = [
  'linux-amd64',
  'linux-arm64-v8',
  'linux-arm-v7',
  'linux-arm-v6',
  'linux-386',
  'freebsd-amd64',
  'windows-amd64-10.0.20348.2655',
  'windows-amd64-10.0.26100.1-win32k',
];

/** The digest that a command says it has published. */
function digestOf(stdout: string): string {
  return /^Digest: (sha256:[0-9a-f]{64}) /m.exec(stdout)?.[1] ?? `no digest in ${stdout}`;
}

async function create(kind: 'docker' | 'oci', target: string, ...options: string[]) {
  const sources = ALL.map((tag) => inRegistry(`${kind}/app:${tag}`));
  const result = await runCli(['create', '--target', target, ...options, ...sources]);
  expectCode(result, 0);
  return digestOf(result.stdout);
}

/** Writes the spec of `from`, publishes it as `to` with the command that its comment names, and returns the digest. */
async function roundTrip(from: string, to: string) {
  const written = await runCli(['spec', 'from', from]);
  expectCode(written, 0);
  const command = /^# {3}manifest-tool (push .*) FILE$/m.exec(written.stdout)?.[1] ?? '';
  const spec = written.stdout.replace(`\nimage: ${from}\n`, `\nimage: ${to}\n`);
  expect(spec).toContain(`\nimage: ${to}\n`);
  const published = await runCli([...command.split(' '), '-'], { stdin: spec });
  expectCode(published, 0);
  return { ...written, digest: digestOf(published.stdout) };
}

describe('spec from a list, published again under another tag', () => {
  const annotations = [
    'org.opencontainers.image.title=An app: with "quotes", commas # and = signs',
    'number=1.10',
    'yes=true',
    'empty=',
    'lines=one\ntwo\r\n',
    '<<=merge',
    '- dash=*alias',
    'escape=\u001b[31m\u009b\u202e',
  ].flatMap((annotation) => ['--annotation', annotation]);

  it.each<[string, 'docker' | 'oci', (image: string) => string, string[]]>([
    ['a Docker manifest list', 'docker', inRegistry, []],
    ['an OCI index', 'oci', inRegistry, []],
    ['an annotated OCI index', 'oci', inRegistry, annotations],
    ['an OCI index in a layout', 'oci', inLayout, annotations],
    ['a Docker manifest list in a layout', 'docker', inLayout, []],
  ])('has the same digest: %s', async (what, kind, named, options) => {
    const name = `${kind}/${what.toLowerCase().replaceAll(' ', '-')}`;
    const digest = await create(kind, named(`${name}:1`), ...options);
    const again = await roundTrip(named(`${name}:1`), named(`${name}:2`));
    expect(again.digest).toBe(digest);
    expect(again.stderr).toBe('');
    expect(again.stdout.split('\n')[0]).toBe(`# What ${named(`${name}:1`)} is, ${digest}.`);
    expect(again.stdout).toContain('osversion: 10.0.20348.2655');
    expect(again.stdout).toMatch(/osfeatures:\n +- win32k/);
    expect(again.stdout).toContain('variant: v7');
    // Nothing that a list says acts on the terminal.
    expect(again.stdout).not.toMatch(/[^\n -~]/);
  });

  it('passes spec check as it is, with the type that it names', async () => {
    await create('oci', inRegistry('oci/checked:1'), ...annotations);
    const { stdout } = await runCli(['spec', 'from', inRegistry('oci/checked:1')]);
    const file = path.join(folder, 'checked.yaml');
    writeFileSync(file, stdout);
    const result = await runCli(['spec', 'check', '--strict', '--type', 'oci', file]);
    expect(result).toMatchObject({
      code: 0,
      stdout: `ok ${file} ${inRegistry('oci/checked:1')} 8 images\n`,
      stderr: '',
    });
  });
});

describe('what a spec cannot say', () => {
  it('is told in a warning and in a comment, with the digest that it has', async () => {
    const from = inRegistry('buildx/full:latest');
    const again = await roundTrip(from, inRegistry('buildx/full:again'));
    expect(again.stderr).toContain(
      `manifest-tool: warning: ${from}: 3 attestations are left out\n`,
    );
    expect(again.stderr).toContain(`what the spec publishes has another digest, ${again.digest}\n`);
    expect(again.stdout).toContain('# - 3 attestations are left out\n');
    expect(again.stdout).toContain(`another digest, ${again.digest}\n`);
  });

  it('are annotations of entries', async () => {
    const options = ['--annotation', 'manifest-descriptor[linux/386]:a=b'];
    await create('oci', inRegistry('oci/entries:1'), ...options);
    const again = await roundTrip(inRegistry('oci/entries:1'), inRegistry('oci/entries:2'));
    expect(again.stderr).toContain('1 image loses its annotations\n');
    expect(again.stdout).toContain(`another digest, ${again.digest}\n`);
  });

  it('is the form in which another tool wrote a list', async () => {
    const from = inRegistry('docker/list:latest');
    const again = await roundTrip(from, inRegistry('docker/list:again'));
    expect(again.stdout).toContain('not in the form in which lists are written here');
    expect(again.stdout).toContain(`another digest, ${again.digest}\n`);
  });

  it('is that one image is no list', async () => {
    const again = await roundTrip(
      inRegistry('docker/app:linux-arm-v6'),
      inRegistry('docker/app:l'),
    );
    expect(again.stderr).toContain('it is a single image');
    expect(again.stdout).toContain('--type docker');
    expect(again.stdout).toContain('variant: v6');
    expect(again.stdout).toContain(`another digest, ${again.digest}\n`);
  });

  it('is two images of one platform: such a spec would be refused', async () => {
    const image = await getManifest(registry.host, 'oci/app', 'linux-amd64');
    const entry = {
      mediaType: image.mediaType,
      digest: image.digest,
      size: image.size,
      platform: { os: 'linux', architecture: 'amd64' },
    };
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = { schemaVersion: 2, mediaType, manifests: [entry, entry] };
    const bytes = Buffer.from(JSON.stringify(index));
    await putManifest(registry.host, 'oci/app', 'twins', mediaType, bytes);
    const result = await runCli(['spec', 'from', inRegistry('oci/app:twins')]);
    expectCode(result, 0);
    expect(result.stderr).toMatch(
      /it would be refused as it is: .*two images have the platform linux\/amd64/,
    );
    expect(result.stdout).toContain('# - it would be refused as it is');
  });
});

describe('spec from', () => {
  it('names a list that was read by its digest without tag', async () => {
    const digest = await create('oci', inRegistry('oci/by-digest:1'));
    const named = inRegistry(`oci/by-digest@${digest}`);
    const { stdout, stderr, code } = await runCli(['spec', 'from', named]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`\nimage: ${inRegistry('oci/by-digest')}\n`);
    const published = await runCli(['push', '--type', 'oci', 'from-spec', '-'], { stdin: stdout });
    expect(digestOf(published.stdout)).toBe(digest);
  });

  it('fails as a read fails, and writes nothing', async () => {
    const none = await runCli(['spec', 'from', inRegistry('oci/app:none')]);
    expect(none).toMatchObject({ code: 3, stdout: '' });
    expect(await runCli(['spec', 'from', 'X'])).toMatchObject({ code: 2, stdout: '' });
    expect(await runCli(['spec', 'from'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('spec from needs REF') as string,
    });
  });

  it('fails where there is no image in a list', async () => {
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }));
    await putManifest(registry.host, 'oci/app', 'empty', mediaType, bytes);
    const result = await runCli(['spec', 'from', inRegistry('oci/app:empty')]);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('it has no images that a spec could name');
  });
});
