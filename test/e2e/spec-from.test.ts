import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest, putManifest, sha256 } from '../support/http.js';
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
    expect(again.stdout.split('\n')[0]).toBe(`# The content of ${named(`${name}:1`)}, ${digest}.`);
    expect(again.stdout).toContain('# To publish it with the same digest:\n');
    expect(again.stdout).toContain(`\ntype: ${kind}\n`);
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
    const result = await runCli(['spec', 'check', '--strict', file]);
    expect(result).toMatchObject({
      code: 0,
      stdout: `ok ${file} ${inRegistry('oci/checked:1')} 8 images\n`,
      stderr: '',
    });
  });
});

describe('spec from an index with attestations and annotated entries', () => {
  /** Publishes a recorded index as buildx writes it, with Go's order of keys and its escapes. */
  async function putAsBuildx(repository: string, tag: string): Promise<string> {
    const { body, mediaType } = await getManifest(registry.host, repository, tag);
    const index = JSON.parse(body) as {
      manifests: { platform: { architecture: string; os: string } }[];
      annotations?: Record<string, string>;
    };
    const manifests = index.manifests.map(
      ({ platform: { architecture, os, ...more }, ...entry }) => ({
        ...entry,
        platform: { architecture, os, ...more },
      }),
    );
    const annotations = Object.entries(index.annotations ?? {}).toSorted(([a], [b]) =>
      a < b ? -1 : 1,
    );
    const written = {
      ...index,
      manifests,
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    };
    const text = JSON.stringify(written, null, 2).replaceAll(
      /[<>&]/g,
      (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
    );
    const bytes = Buffer.from(text);
    await putManifest(registry.host, repository, 'buildx', mediaType!, bytes);
    return sha256(bytes);
  }

  it.each([
    ['buildx/full', 'latest'],
    ['buildx/app', 'arm64'],
  ])('has the same digest: %s', async (repository, tag) => {
    const digest = await putAsBuildx(repository, tag);
    const again = await roundTrip(
      inRegistry(`${repository}:buildx`),
      inRegistry(`${repository}:2`),
    );
    expect(again.digest).toBe(digest);
    expect(again.stderr).toBe('');
    expect(again.stdout).toContain('vnd.docker.reference.type: attestation-manifest');
    expect(again.stdout).toMatch(/os: unknown\n +architecture: unknown/);
    expect(again.stdout).not.toContain('# -');
  });

  it('passes spec check', async () => {
    const { stdout } = await runCli(['spec', 'from', inRegistry('buildx/full:latest')]);
    const checked = await runCli(['spec', 'check', '--strict', '-'], { stdin: stdout });
    expect(checked).toMatchObject({ code: 0, stderr: '' });
  });

  it('has the annotations that one entry has', async () => {
    const options = ['--annotation', 'manifest-descriptor[linux/386]:a=b'];
    const digest = await create('oci', inRegistry('oci/entries:1'), ...options);
    const again = await roundTrip(inRegistry('oci/entries:1'), inRegistry('oci/entries:2'));
    expect(again.digest).toBe(digest);
    expect(again.stderr).toBe('');
  });

  it('has the artifact type', async () => {
    const name = inRegistry('oci/typed');
    const source = inRegistry('oci/app:linux-amd64');
    const spec = `image: ${name}:1\ntype: oci\nartifactType: application/vnd.acme.app\nmanifests: [{image: "${source}"}]\n`;
    const published = await runCli(['push', 'from-spec', '-'], { stdin: spec });
    expectCode(published, 0);
    const { body } = await getManifest(registry.host, 'oci/typed', '1');
    expect(JSON.parse(body)).toMatchObject({ artifactType: 'application/vnd.acme.app' });
    const again = await roundTrip(`${name}:1`, `${name}:2`);
    expect(again.digest).toBe(digestOf(published.stdout));
  });

  it('publishes without the attestations if they are dropped', async () => {
    const { stdout } = await runCli(['spec', 'from', inRegistry('buildx/full:latest')]);
    const spec = stdout.replace(/^(image: .*):latest$/m, '$1:dropped');
    const options = ['--attestations', 'drop', '-'];
    expectCode(await runCli(['push', 'from-spec', ...options], { stdin: spec }), 0);
    const { body } = await getManifest(registry.host, 'buildx/full', 'dropped');
    const { manifests } = JSON.parse(body) as {
      manifests: { platform: { os: string } }[];
    };
    expect(manifests.map(({ platform }) => platform.os)).toEqual(['linux', 'linux', 'linux']);
  });
});

describe('what a spec cannot say', () => {
  it('is the form in which another tool wrote a list', async () => {
    const from = inRegistry('docker/list:latest');
    const again = await roundTrip(from, inRegistry('docker/list:again'));
    expect(again.stdout).toContain('not written in the form that push writes');
    expect(again.stdout).toContain(`another digest: ${again.digest}\n`);
  });

  it('is that one image is no list', async () => {
    const again = await roundTrip(
      inRegistry('docker/app:linux-arm-v6'),
      inRegistry('docker/app:l'),
    );
    expect(again.stderr).toContain('it is a single image');
    expect(again.stdout).toContain('\ntype: docker\n');
    expect(again.stdout).toContain('variant: v6');
    expect(again.stdout).toContain(`another digest: ${again.digest}\n`);
  });

  it('is two images of one platform: such a spec would be refused', async () => {
    const entries = await Promise.all(
      ['linux-amd64', 'linux-s390x'].map(async (tag) => {
        const { mediaType, digest, size } = await getManifest(registry.host, 'oci/app', tag);
        return { mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } };
      }),
    );
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const index = { schemaVersion: 2, mediaType, manifests: entries };
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
    const published = await runCli(['push', 'from-spec', '-'], { stdin: stdout });
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
