import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Folder } from '../adversarial/support/files.js';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { Workplace } from '../support/documented.js';
import { getManifest } from '../support/http.js';
import { OCI_MANIFEST } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

const { manifests: IMAGES, tags: TAGS } = PARITY_IMAGES['oci/app']!;
const [AMD64, ARM64, S390X] = ['linux-amd64', 'linux-arm64-v8', 'linux-s390x'].map(
  (tag) => TAGS[tag]!,
) as [string, string, string];
const folder = new Folder();
let registry: Registry;
let repository: string;
let runs = 0;

beforeAll(async () => {
  registry = await startRegistry();
  repository = `${registry.host}/oci/app`;
  await seedParityImages(registry.host, { repositories: ['oci/app', 'buildx/full'] });
});

afterAll(() => registry.stop());

/** A directory of files with these names, as the build jobs leave it. */
function digestsDir(...names: string[]): string {
  const directory = path.join(folder.path, `digests-${(runs += 1)}`);
  mkdirSync(directory);
  for (const name of names) writeFileSync(path.join(directory, name), '');
  return directory;
}

const hex = (digest: string): string => digest.slice('sha256:'.length);

async function platforms(tag: string, name = 'oci/app'): Promise<string[] | undefined> {
  const { status, body } = await getManifest(registry.host, name, tag);
  if (status !== 200) return undefined;
  const { manifests } = JSON.parse(body) as {
    manifests: { digest: string; platform: Record<string, string> }[];
  };
  return manifests.map(({ platform }) => Object.values(platform).toSorted().join(' '));
}

/** Fails unless it ended so, with one line that says why, and this hint. */
function expectRefusal(result: CliResult, code: number, why: string | RegExp, hint: string): void {
  expectCode(result, code);
  const errors = result.stderr.split('\n').filter((line) => line.includes(' failed: '));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(why);
  expect(result.stderr).toContain(`hint: ${hint}`);
}

describe('create --digests', () => {
  it('publishes the images of the digests under several tags, with the bytes of the recipe', async () => {
    const directory = digestsDir(hex(ARM64), `sha256-${hex(AMD64)}`, `sha256:${hex(S390X)}`);
    const target = `${repository}:digests`;
    const made = await runCli(['create', '-t', target, '-t', 'digests-2', '--digests', directory]);
    expectCode(made, 0);
    expect(made.stderr).not.toContain('warning');
    const published = await getManifest(registry.host, 'oci/app', 'digests');
    expect(await getManifest(registry.host, 'oci/app', 'digests-2')).toEqual(published);
    const named = [AMD64, ARM64, S390X].toSorted().map((digest) => `${repository}@${digest}`);
    const typed = await runCli(['create', '-t', `${repository}:typed`, ...named]);
    expect(typed.stdout).toBe(made.stdout);
    expect(typed.stdout).toContain(published.digest!);
  });

  it('warns of files that are not named by a digest; --strict refuses them', async () => {
    const directory = digestsDir(hex(AMD64), 'notes.txt', hex(ARM64).slice(1));
    mkdirSync(path.join(directory, hex(S390X)));
    const args = ['create', '-t', `${repository}:warned`, '--digests', directory];
    expectRefusal(await runCli([...args, '--strict']), 2, /3 warnings are errors/, 'fix them');
    expect(await platforms('warned')).toBeUndefined();
    const made = await runCli(args);
    expectCode(made, 0);
    expect(made.stderr).toContain('"notes.txt" is ignored: its name is not a digest');
    expect(made.stderr).toContain(`"${hex(S390X)}" is ignored: it is a directory`);
    expect(made.stderr.match(/is ignored/g)).toHaveLength(3);
    expect(await platforms('warned')).toEqual(['amd64 linux']);
  });

  it.each([
    ['empty', () => digestsDir(), /it is empty$/, 'in each build, create a file'],
    [
      'without digests',
      () => digestsDir('a', 'b'),
      /no file in it has a digest as its name; it contains "a", "b"$/,
      'in each build, create a file',
    ],
    [
      'of directories',
      () => {
        const directory = digestsDir();
        mkdirSync(path.join(directory, 'digests-linux-amd64'));
        return directory;
      },
      /it contains "digests-linux-amd64"$/,
      'put the files of all builds directly into this directory',
    ],
    ['missing', () => '/nowhere/digests', /no such file or directory$/, 'check the path'],
    [
      'a file',
      () => path.join(digestsDir('file'), 'file'),
      /a part of the path is not a directory$/,
      'pass the directory of the files, or use --file',
    ],
  ])('refuses a directory that is %s', async (_, make, why, hint) => {
    const args = ['create', '-t', `${repository}:refused`, '--digests', make()];
    expectRefusal(await runCli(args), 2, why, hint);
    expect(await platforms('refused')).toBeUndefined();
  });

  it('names an image that the repository does not have', async () => {
    const unknown = 'a'.repeat(64);
    const directory = digestsDir(hex(AMD64), unknown);
    const result = await runCli(['create', '-t', `${repository}:gone`, '--digests', directory]);
    expectCode(result, 3);
    expect(result.stderr).toContain(`${repository}@sha256:${unknown}`);
    expect(await platforms('gone')).toBeUndefined();
  });

  it('adds them to an index', async () => {
    const target = `${repository}:grown`;
    expectCode(await runCli(['create', '-t', target, AMD64]), 0);
    expectCode(await runCli(['add', target, '--digests', digestsDir(hex(S390X))]), 0);
    expect(await platforms('grown')).toEqual(['amd64 linux', 'linux s390x']);
  });
});

describe('sources', () => {
  it('are digests in the repository of the target', async () => {
    expectCode(await runCli(['create', '-t', `${repository}:bare`, AMD64, ARM64]), 0);
    expect(await platforms('bare')).toEqual(['amd64 linux', 'arm64 linux v8']);
    const args = ['create', '-t', `${repository}:bare`, 'sha256:abc'];
    expectRefusal(
      await runCli(args),
      2,
      /a digest must be "sha256:" and 64/,
      '"manifest-tool digest REF"',
    );
  });

  it('come from files and standard input, before those of the command line', async () => {
    const list = folder.write(
      'sources.txt',
      `# by the builds\n\n${repository}:linux-s390x\r\n\n${ARM64}\n`,
    );
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
    const descriptor = {
      mediaType: OCI_MANIFEST,
      digest: AMD64,
      size: Buffer.byteLength(IMAGES[AMD64]!.body),
      platform,
      annotations: { a: 'b' },
    };
    const args = ['create', '-t', `${repository}:files`, '-f', list, '-f', '-', TAGS['linux-386']!];
    const made = await runCli(args, { stdin: JSON.stringify(descriptor, null, 2) });
    expectCode(made, 0);
    const { body } = await getManifest(registry.host, 'oci/app', 'files');
    const { manifests: entries } = JSON.parse(body) as { manifests: Record<string, unknown>[] };
    expect(entries.map(({ digest }) => digest)).toEqual([S390X, ARM64, AMD64, TAGS['linux-386']]);
    expect(entries[2]).toMatchObject({ platform, annotations: { a: 'b' } });
  });

  it.each([
    [
      'media type',
      { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' },
      /it is of type \S+image\.manifest\S+, but its descriptor says \S+docker/,
    ],
    ['size', { size: 1 }, /it has \d+ bytes, but its descriptor says 1$/],
  ])('are refused if the %s of a descriptor is not that of the manifest', async (_, wrong, why) => {
    const right = {
      mediaType: OCI_MANIFEST,
      digest: AMD64,
      size: Buffer.byteLength(IMAGES[AMD64]!.body),
    };
    const stdin = JSON.stringify({ ...right, ...wrong });
    for (const command of [
      ['create', '-t', `${repository}:contradicted`],
      ['add', `${repository}:linux-s390x`],
    ]) {
      const result = await runCli([...command, '-f', '-'], { stdin });
      expectRefusal(result, 6, why, 'correct the descriptor, or give only its digest');
    }
    expect(await platforms('contradicted')).toBeUndefined();
  });

  it('are a descriptor a line, or on the command line', async () => {
    const lines = [ARM64, S390X].map((digest) => JSON.stringify({ digest })).join('\n');
    const args = ['create', '-t', `${repository}:lines`, '-f', '-', `{"digest":"${AMD64}"}`];
    expectCode(await runCli(args, { stdin: lines }), 0);
    expect(await platforms('lines')).toEqual(['arm64 linux v8', 'linux s390x', 'amd64 linux']);
  });

  it.each([
    ['', /--file -: standard input has no sources$/, 'pipe references to it'],
    [
      '{"digest": "sha256:1"}',
      /reading standard input failed: digest is not a digest$/,
      'write a desc',
    ],
    ['{"size": 1}', /digest is missing$/, 'write a descriptor such as'],
    ['{"digest"', /reading standard input failed: /, 'write a descriptor such as'],
    [
      `{"digest": "sha256:${'a'.repeat(64)}", "platform": {"os": "linux", "architecture": "amd46"}}`,
      /amd46/,
      '',
    ],
    ['App:1', /reading standard input failed: reading image reference "App:1" failed/, ''],
  ])('of a file are refused if they are %j', async (stdin, why, hint) => {
    const args = ['create', '-t', `${repository}:refused`, '-f', '-', AMD64];
    expectRefusal(await runCli(args, { stdin }), 2, why, hint);
    expect(await platforms('refused')).toBeUndefined();
  });

  it('come from standard input once, and there is at least one', async () => {
    const target = ['create', '-t', `${repository}:none`];
    const twice = await runCli([...target, '-f', '-', '-f', '-']);
    expectRefusal(twice, 2, /standard input \(-\) is given twice/, 'pass it once');
    const password = await runCli([...target, '-f', '-', '-u', 'a', '--password-stdin']);
    expectRefusal(password, 2, /standard input \(-\) is given twice/, 'pass it once');
    expectRefusal(await runCli(target), 2, /no sources are given/, 'list the images to publish');
    const missing = await runCli([...target, '-f', '/nowhere/sources']);
    expectRefusal(missing, 2, /reading \/nowhere\/sources failed: no such file/, 'check the path');
  });
});

describe('--require', () => {
  const require = ['--require', 'linux/amd64,linux/arm64'];

  it('accepts an index with these platforms and more', async () => {
    const args = ['create', '-t', `${repository}:required`, AMD64, ARM64, S390X, ...require];
    expectCode(await runCli(args), 0);
    expect(await platforms('required')).toHaveLength(3);
  });

  it('is met by an image for any version of the os, and by a normalized platform', async () => {
    const windows = TAGS['windows-amd64-10.0.20348.2655']!;
    const args = ['create', '-t', `${repository}:windows`, windows, TAGS['linux-arm-v7']!];
    expectCode(await runCli([...args, '--require', 'windows/x86_64,linux/armhf']), 0);
    const other = await runCli([...args, '--require', 'windows/amd64:10.0.1,linux/arm/v6']);
    expectRefusal(
      other,
      6,
      /missing: windows\/amd64:10\.0\.1, linux\/arm\/v6; /,
      'check that each',
    );
  });

  it('keeps the tag where it is, and names what each source has', async () => {
    const tag = `${repository}:kept`;
    expectCode(await runCli(['create', '-t', tag, ARM64]), 0);
    const full = `${registry.host}/buildx/full:latest`;
    const args = [
      'create',
      '-t',
      tag,
      AMD64,
      full,
      '--require',
      'linux/amd64,linux/mips,linux/s390x',
    ];
    const refused = await runCli([...args, '--platform', 'linux/arm64']);
    const named = `${repository}@${AMD64} has linux/amd64, ${full} has linux/arm64`;
    expectRefusal(
      refused,
      6,
      `required platforms are missing: linux/mips, linux/s390x; ${named}`,
      'check that each build has pushed its image, or omit the platform from --require',
    );
    expect(await platforms('kept')).toEqual(['arm64 linux v8']);
    expectCode(await runCli([...args, '--platform', 'linux/arm64', '--dry-run']), 6);
  });

  it('sees what --ignore-missing leaves out', async () => {
    const args = ['push', 'from-args', '--type', 'oci', '--platforms', 'linux/amd64,linux/mips'];
    const template = ['--template', `${repository}:OS-ARCH`, '--target', `${repository}:ignored`];
    const options = ['--ignore-missing', '--require', 'linux/mips'];
    const result = await runCli([...args, ...template, ...options]);
    expectRefusal(
      result,
      6,
      `a required platform is missing: linux/mips; ${repository}:linux-amd64 has linux/amd64, ${repository}:linux-mips has none`,
      'check that each build',
    );
    expect(await platforms('ignored')).toBeUndefined();
  });

  it('holds for a spec', async () => {
    const spec = `image: ${repository}:spec\nmanifests:\n  - image: ${repository}:linux-amd64\n`;
    const args = ['push', '--type', 'oci', 'from-spec', '-', ...require];
    expectRefusal(await runCli(args, { stdin: spec }), 6, /missing: linux\/arm64; /, 'check that');
    expect(await platforms('spec')).toBeUndefined();
  });

  it('counts what the index has for add', async () => {
    const target = `${repository}:added`;
    expectCode(await runCli(['create', '-t', target, AMD64]), 0);
    const refused = await runCli(['add', target, S390X, ...require]);
    const why = `missing: linux/arm64; the index has linux/amd64, ${repository}@${S390X} has linux/s390x`;
    expectRefusal(refused, 6, why, 'check that each build');
    expect(await platforms('added')).toEqual(['amd64 linux']);
    expectCode(await runCli(['add', target, ARM64, ...require]), 0);
    expect(await platforms('added')).toEqual(['amd64 linux', 'arm64 linux v8']);
    // A single image becomes an index of it.
    expectCode(await runCli(['copy', `${repository}:linux-amd64`, `${repository}:single`]), 0);
    expectCode(await runCli(['add', `${repository}:single`, S390X, ...require]), 6);
    expectCode(await runCli(['add', `${repository}:single`, ARM64, ...require]), 0);
  });

  it.each([
    ['linux', /reading --require "linux" failed/, 'the common ones are'],
    ['linux/amd64,', /option --require has an empty item/, 'separate values with commas'],
  ])('refuses %j', async (value, why, hint) => {
    const args = ['create', '-t', `${repository}:refused`, AMD64, '--require', value];
    expectRefusal(await runCli(args), 2, why, hint);
  });
});

describe("Docker's recipe for several runners", () => {
  it('works as it stands, with manifest-tool in place of docker buildx imagetools', async () => {
    const place = await Workplace.make();
    try {
      for (const architecture of ['amd64', 'arm64'])
        await place.image(`example.com/app:${architecture}`, architecture);
      const digest = `manifest-tool inspect --format json "example.com/app:$each" | jq -r .digest`;
      const builds = `mkdir -p digests; for each in amd64 arm64; do d=$(${digest}); touch "digests/\${d#sha256:}"; done`;
      expectCode(await place.run(builds), 0);
      const script = `cd digests
        manifest-tool create $(jq -cr '.tags | map("-t " + .) | join(" ")' <<< "$DOCKER_METADATA_OUTPUT_JSON") \\
          $(printf 'example.com/app@sha256:%s ' *)
        manifest-tool inspect example.com/app:main`;
      const tags = ['example.com/app:main', 'example.com/app:1.0'];
      const metadata = `export DOCKER_METADATA_OUTPUT_JSON='${JSON.stringify({ tags })}'`;
      const result = await place.run(`${metadata}\n${script}`, { shell: ['bash', '-ec'] });
      expectCode(result, 0);
      expect(result.stdout).toMatch(/^Digest: sha256:/m);
      expect(result.stdout).toContain('amd64');
      expect(result.stdout).toContain('arm64');
      // Without builds, the shell leaves the pattern as it is.
      const none = `mkdir none; cd none; manifest-tool create -t example.com/app:2.0 $(printf 'example.com/app@sha256:%s ' *)`;
      const refused = await place.run(none, { shell: ['bash', '-ec'] });
      expectCode(refused, 2);
      expect(refused.stderr).toContain('@sha256:*');
    } finally {
      await place.stop();
    }
  });
});
