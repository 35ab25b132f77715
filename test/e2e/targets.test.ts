import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { startGuardedRegistry, type GuardedRegistry } from '../support/guarded-registry.js';

import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let open: Registry;
let guarded: GuardedRegistry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'targets-'));
  [open, guarded] = await Promise.all([startRegistry(), startGuardedRegistry(folder)]);
  await seedParityImages(open.host, { repositories: ['oci/app', 'docker/app', 'buildx/full'] });
});

afterAll(async () => {
  await Promise.all([open.stop(), guarded.stop()]);
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CliResult> {
  return runCli([...args, ...guarded.options, '--retry-delay', '5ms'], { env: guarded.env });
}

function push(target: string, ...options: string[]): Promise<CliResult> {
  const args = ['push', '--type', 'oci', 'from-args', '--platforms', 'linux/amd64,linux/s390x'];
  const template = `${open.host}/oci/app:OS-ARCH`;
  return run(...args, '--template', template, '--target', target, ...options);
}

/** What a tag names, wherever it is. */
async function held(reference: string): Promise<string | undefined> {
  const { code, stdout } = await run('inspect', reference);
  return code === 0 ? /Digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1] : undefined;
}

const digestOf = (result: CliResult): string =>
  /^Digest: (sha256:[0-9a-f]{64}) \d+\n$/m.exec(result.stdout)![1]!;

describe('--tag', () => {
  it('publishes in several registries and layouts, with the same digest', async () => {
    const others = [
      `${guarded.registry.host}/team/app:1`,
      `oci-layout://${folder}/layout:1`,
      `${open.host}/other/app:1`,
      `${open.host}/oci/app:same-repository`,
    ];
    const result = await push(`${open.host}/oci/app:out`, '-t', 'latest', ...named(others));
    expectCode(result, 0);
    const digest = digestOf(result);
    for (const name of [`${open.host}/oci/app:out`, `${open.host}/oci/app:latest`, ...others]) {
      expect(await held(name)).toBe(digest);
      expect(result.stderr).toContain(`published ${name}`);
      expectCode(await run('verify', '--deep', name), 0);
    }
  });

  it('reports a failure at one target, and leaves the others whole', async () => {
    const proxy = await startRecordingProxy(open.host, ({ method, url }) =>
      method === 'PUT' && url.includes('/bad/app/manifests/broken') ? { status: 403 } : undefined,
    );
    const good = `${guarded.registry.host}/team/whole:1`;
    const bad = `${proxy.host}/bad/app:broken`;
    try {
      const result = await push(`${open.host}/oci/app:whole`, ...named([bad, good]), '--json');
      expectCode(result, 4);
      expect(result.stderr).toMatch(/^manifest-tool: writing \S+\/bad\/app:broken failed: /m);
      expect(result.stderr).toContain('publishing to 3 targets failed: 1 of 3 failed');
      const document = JSON.parse(result.stdout) as {
        tags: { name: string; status: string }[];
        failed: { target: string; error: { code: string } }[];
      };
      expect(document.failed).toMatchObject([{ target: bad, error: { code: 'DENIED' } }]);
      expect(document.tags.map(({ name, status }) => [name, status])).toEqual([
        [`${open.host}/oci/app:whole`, 'moved'],
        [good, 'moved'],
      ]);
      expect(await held(good)).toBeDefined();
      expect(await held(`${open.host}/oci/app:whole`)).toBeDefined();
    } finally {
      await proxy.stop();
    }
  });

  it('tells once of what stands in the way of all targets', async () => {
    const source = `${open.host}/oci/app:none-amd64`;
    const target = ['--target', `${open.host}/oci/app:none`, '-t', `${open.host}/other/none:1`];
    const result = await run('create', ...target, source);
    expectCode(result, 3);
    expect(result.stderr.match(/failed:/g)).toHaveLength(1);
    expect(result.stdout).toBe('');
  });

  it('is part of a dry run, which writes nothing', async () => {
    const other = `${open.host}/dry/app:1`;
    const result = await push(`${open.host}/oci/app:dry`, '-t', other, '--dry-run');
    expectCode(result, 0);
    for (const name of [`${open.host}/oci/app:dry`, other])
      expect(result.stdout).toContain(`tag ${name} is new, and would point to sha256:`);
    expect(await held(other)).toBeUndefined();
  });

  it('is told in the metadata file', async () => {
    const file = path.join(folder, 'metadata.json');
    const other = `${open.host}/meta/app:2`;
    expectCode(await push(`${open.host}/oci/app:meta`, '-t', other, '--metadata-file', file), 0);
    const metadata = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    expect(metadata['image.name']).toBe(`${open.host}/oci/app,${open.host}/meta/app`);
  });

  it('names the target of create without --target: the first one', async () => {
    const layout = `oci-layout://${folder}/first`;
    const [first, same, other] = [`${layout}:1`, `${layout}:2`, `${open.host}/first/app:1`];
    const source = `${open.host}/oci/app:linux-amd64`;
    const result = await run('create', ...named([first, same, other]), '-t', 'extra', source);
    expectCode(result, 0);
    for (const name of [first, same, other, `${layout}:extra`])
      expect(await held(name)).toBe(digestOf(result));
    expect(await held(`${open.host}/first/app:extra`)).toBeUndefined();
  });

  it.each([
    [
      [],
      'create needs --target or --tag',
      'pass --target REF, or one or more -t REF; all arguments are sources',
    ],
    [
      ['-t', 'latest'],
      '--tag "latest" is a tag without a repository, and there is no --target',
      'pass --target REF, or write the first --tag in full: example.com/app:latest',
    ],
    [['-t', `e.co/app@sha256:${'a'.repeat(64)}`], 'has a digest', 'name a tag'],
  ])('create with %j is refused', async (options, why, hint) => {
    const result = await run('create', ...options, `${open.host}/oci/app:linux-amd64`);
    expectCode(result, 2);
    expect(result.stderr).toContain(why);
    expect(result.stderr).toContain(`hint: ${hint}\n`);
  });

  it('names a target whose digest is looked at with --no-clobber', async () => {
    const taken = `${open.host}/taken/app:1`;
    expectCode(await run('copy', `${open.host}/docker/app:linux-amd64`, taken), 0);
    const before = await held(taken);
    const result = await push(`${open.host}/oci/app:free`, '-t', taken, '--no-clobber');
    expectCode(result, 6);
    expect(await held(taken)).toBe(before);
    expect(await held(`${open.host}/oci/app:free`)).toBe(digestOf(result));
  });

  it.each([
    ['the same tag twice', ['-t', 'a', '-t', 'a'], /--tag "a" is given twice/],
    [
      'a tag and its full name',
      ['-t', 'a', '-t', '{R}/oci/app:a'],
      /--tag "a" and --tag ".*\/oci\/app:a" are the same/,
    ],
    ['a layout in two ways', ['-t', 'oci-layout://x:1', '-t', 'ocidir://./x:1'], /are the same/],
    ['a digest', ['-t', `{R}/oci/app@sha256:${'a'.repeat(64)}`], /has a digest/],
    ['no reference', ['-t', 'a:b:c'], /reading image reference "a:b:c"/],
    ['nothing', ['-t', ''], /it is empty/],
    ['the repository of the target', ['-t', '{R}/oci/app'], /repeats a target/],
  ])('refuses %s', async (_, options, says) => {
    const given = options.map((option) => option.replace('{R}', open.host));
    const result = await push(`${open.host}/oci/app:refused`, ...given);
    expectCode(result, 2);
    expect(result.stderr).toMatch(says);
    expect(result.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(await held(`${open.host}/oci/app:refused`)).toBeUndefined();
  });

  it('is refused with several specs', async () => {
    const spec = `image: ${open.host}/oci/app:spec\nmanifests: [{ image: ${open.host}/oci/app:linux-amd64 }]\n`;
    const file = path.join(folder, 'two.yaml');
    await writeFile(file, `${spec}---\n${spec}`);
    expectCode(await run('push', 'from-spec', file, '-t', 'x'), 2);
    await writeFile(file, spec);
    expectCode(await run('push', '--type', 'oci', 'from-spec', file, '-t', 'x'), 0);
    expect(await held(`${open.host}/oci/app:x`)).toBeDefined();
  });
});

describe('copy to several targets', () => {
  it('brings a list with its attestations to each, with the tags of --tags in each', async () => {
    const targets = [
      `${guarded.registry.host}/promoted/app:1`,
      `oci-layout://${folder}/promoted:1`,
    ];
    const result = await run('copy', `${open.host}/buildx/full:latest`, ...targets, '--tags', 'v1');
    expectCode(result, 0);
    const digest = await held(`${open.host}/buildx/full:latest`);
    expect(digestOf(result)).toBe(digest);
    for (const target of targets) {
      expect(await held(target)).toBe(digest);
      expect(await held(target.replace(/:1$/, ':v1'))).toBe(digest);
    }
  });

  it('reads the source once', async () => {
    const proxy = await startRecordingProxy(open.host);
    try {
      const targets = [1, 2, 3].map((n) => `oci-layout://${folder}/once-${n}:1`);
      expectCode(await run('copy', `${proxy.host}/buildx/full:latest`, ...targets), 0);
      const manifests = proxy.requests.filter(({ url }) => url.includes('/manifests/'));
      expect(new Set(manifests.map(({ url }) => url)).size).toBe(manifests.length);
    } finally {
      await proxy.stop();
    }
  });

  it('refuses a target that is named twice', async () => {
    const target = `${open.host}/twice/app:1`;
    const result = await run('copy', `${open.host}/docker/app:linux-amd64`, target, target);
    expectCode(result, 2);
    expect(result.stderr).toContain('is given twice');
  });
});

describe('a target with a digest', () => {
  it('that is a source is refused before anything is written', async () => {
    const source = await held(`${open.host}/oci/app:linux-amd64`);
    const proxy = await startRecordingProxy(open.host);
    try {
      const target = `${proxy.host}/fresh/app@${source}`;
      const image = `${proxy.host}/oci/app:linux-amd64`;
      const result = await run('create', '--target', target, image);
      expectCode(result, 2);
      expect(result.stderr).toContain('the digest is that of one of its images');
      expect(proxy.requests.filter(({ method }) => /POST|PUT/.test(method))).toEqual([]);
    } finally {
      await proxy.stop();
    }
  });
});

function named(references: readonly string[]): string[] {
  return references.flatMap((reference) => ['--tag', reference]);
}
