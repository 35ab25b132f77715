import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

interface Entry {
  readonly digest: string;
  readonly platform: { readonly os: string; readonly architecture: string; variant?: string };
  readonly annotations?: Record<string, string>;
}

let registry: Awaited<ReturnType<typeof startRegistry>>;
const folder = mkdtempSync(path.join(tmpdir(), 'mt-spec-entries-'));

beforeAll(async () => {
  registry = await startRegistry();
  const repositories = ['docker/app', 'docker/list', 'oci/app', 'buildx/full'];
  await seedParityImages(registry.host, { repositories });
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const push = (spec: string, ...options: string[]) =>
  runCli(['push', 'from-spec', ...options, '-'], { stdin: spec });

async function indexAt(repository: string, tag: string) {
  const { body, mediaType } = await getManifest(registry.host, repository, tag);
  const index = JSON.parse(body) as {
    readonly manifests: readonly Entry[];
    readonly annotations?: Record<string, string>;
  };
  return { ...index, mediaType };
}

const shown = ({ platform: { os, architecture, variant } }: Entry): string =>
  [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');

describe('the platform of a spec entry whose image is an index', () => {
  const spec = (target: string, image: string, platform: string): string =>
    `image: ${target}\nmanifests:\n  - image: ${image}\n    platform: ${platform}\n`;

  it('selects that entry and its attestations', async () => {
    const { host } = registry;
    const image = `${host}/buildx/full`;
    const platform = '{os: linux, architecture: arm64}';
    const result = await push(spec(`${image}:one`, `${image}:latest`, platform), '--type', 'oci');
    expectCode(result, 0);
    const { manifests } = await indexAt('buildx/full', 'one');
    expect(manifests.map(shown)).toEqual(['linux/arm64/v8', 'unknown/unknown']);
    expect(manifests[1]!.annotations!['vnd.docker.reference.digest']).toBe(manifests[0]!.digest);
  });

  it('selects from a layout', async () => {
    const layout = `oci-layout://${folder}/layout`;
    const source = `${registry.host}/docker/list:latest`;
    expectCode(await runCli(['copy', source, `${layout}:latest`]), 0);
    const platform = '{os: linux, architecture: arm, variant: v6}';
    expectCode(await push(spec(`${layout}:one`, `${layout}:latest`, platform)), 0);
    const { stdout } = await runCli(['query', '--json', `${layout}:one`]);
    expect(stdout).toContain('linux/arm/v6');
    expect(stdout).not.toContain('linux/amd64');
  });

  it('is an error with what there is if the index has no such entry', async () => {
    const image = `${registry.host}/buildx/full`;
    const platform = '{os: linux, architecture: s390x}';
    const result = await push(spec(`${image}:none`, `${image}:latest`, platform));
    expect(result).toMatchObject({ code: 3, stdout: '' });
    expect(result.stderr).toContain('linux/amd64, linux/arm64/v8, linux/arm/v7');
  });

  it('is an error if it names only an os', async () => {
    const image = `${registry.host}/buildx/full`;
    const result = await push(spec(`${image}:none`, `${image}:latest`, '{os: linux}'));
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('has no architecture');
    expect(result.stderr).toContain('hint: specify both os and architecture');
  });

  it('adds all entries if it is left out', async () => {
    const image = `${registry.host}/buildx/full`;
    expectCode(await push(spec(`${image}:all`, `${image}:latest`, '{}'), '--type', 'oci'), 0);
    expect((await indexAt('buildx/full', 'all')).manifests).toHaveLength(6);
  });

  it.each([
    ['{os: linux}', 'linux/arm/v6'],
    ['{architecture: arm}', 'linux/arm/v6'],
  ])('completes %s of an image from its config', async (platform, expected) => {
    const image = `${registry.host}/docker/app`;
    expectCode(await push(spec(`${image}:completed`, `${image}:linux-arm-v6`, platform)), 0);
    const { manifests } = await indexAt('docker/app', 'completed');
    expect(manifests.map(shown)).toEqual([expected]);
  });
});

describe('keys of a spec', () => {
  const spec = (more: string, entry = ''): string => {
    const app = `${registry.host}/oci/app`;
    return `image: ${app}:keys\n${more}\nmanifests:\n  - {image: "${app}:linux-amd64"${entry}}\n`;
  };

  it('are the type of the index and annotations of an entry', async () => {
    const result = await push(spec('type: oci', ', annotations: {a: "1", b: "x=y, z"}'));
    expectCode(result, 0);
    expect(result.stderr).not.toContain('warning');
    const { manifests, mediaType } = await indexAt('oci/app', 'keys');
    expect(mediaType).toContain('oci.image.index');
    expect(manifests[0]!.annotations).toEqual({ a: '1', b: 'x=y, z' });
  });

  it('give way to --type and --attestations, which is reported', async () => {
    const options = ['--type', 'docker', '--attestations', 'keep'];
    const result = await push(spec('type: oci\nattestations: drop'), ...options);
    expectCode(result, 0);
    expect((await indexAt('oci/app', 'keys')).mediaType).toContain('manifest.list');
    expect(result.stderr).toContain('--type docker takes precedence over type: oci');
    expect(result.stderr).toContain('--attestations keep takes precedence over attestations: drop');
  });

  it('leave out attestations', async () => {
    const image = `${registry.host}/buildx/full`;
    const text = `image: ${image}:dropped\ntype: oci\nattestations: drop\nmanifests: [{image: "${image}:latest"}]\n`;
    expectCode(await push(text), 0);
    const { manifests } = await indexAt('buildx/full', 'dropped');
    expect(manifests.map(shown)).toEqual(['linux/amd64', 'linux/arm64/v8', 'linux/arm/v7']);
  });

  it('are errors if the type of the index cannot have them', async () => {
    const annotated = await push(spec('', ', annotations: {a: b}'));
    expect(annotated.code).toBe(2);
    expect(annotated.stderr).toContain('a Docker manifest list has no annotations');
    const typed = await runCli(['spec', 'check', '-'], { stdin: spec('artifactType: a/b') });
    expect(typed.code).toBe(2);
    expect(typed.stderr).toContain('a Docker manifest list has no artifact type');
    expect(typed.stderr).toContain('--type oci');
  });

  it('are in spec check --json', async () => {
    const text = spec(
      'type: oci\nartifactType: a/b\nattestations: drop',
      ', annotations: {c: "1"}',
    );
    const { stdout, code } = await runCli(['spec', 'check', '--json', '-'], { stdin: text });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        type: 'oci',
        artifactType: 'a/b',
        attestations: 'drop',
        images: [{ annotations: { c: '1' } }],
      },
    ]);
  });

  it('with a variable that is not replaced hint at --env', async () => {
    const result = await push('image: e.co/app:${VERSION}\nmanifests: [{image: e.co/a}]\n');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(
      'hint: pass --env to replace ${VERSION} from the environment\n',
    );
  });
});
