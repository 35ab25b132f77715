import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';

/** `spec check` needs no registry: none is running here, and example.com is never asked. */

const folder = mkdtempSync(path.join(tmpdir(), 'mt-spec-check-'));
const file = (name: string): string => path.join(folder, name);

const LIST = 'manifests:\n  - image: example.com/app:amd64\n';
const GOOD = `image: example.com/app:1\ntags: [latest, '1.0']\n${LIST}`;

const FILES = {
  'good.yaml': GOOD,
  'other.yaml': `image: example.com/other:1\n${LIST}  - image: example.com/app:arm64\n`,
  'two.yaml': `image: example.com/a:1\n${LIST}---\nimage: example.com/b:1\n${LIST}`,
  'bad.yaml': `image: example.com/bad:1\nmanifests:\n  - image: example.com/Bad:amd64\n`,
  'broken.yaml': 'image: [\n',
  'half.yaml': `image: example.com/c:1\n${LIST}---\nimage: B\n${LIST}---\nimage: example.com/d:1\n${LIST}`,
  'unknown.yaml': `image: example.com/unknown:1\nplatform: linux\n${LIST}`,
  'annotated.yaml': `image: example.com/noted:1\nannotations:\n  a: b\n${LIST}`,
  'vars.yaml': `image: example.com/vars:\${TAG}\n${LIST}`,
};

beforeAll(() => {
  for (const [name, text] of Object.entries(FILES)) writeFileSync(file(name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function check(...args: string[]) {
  return runCli(['spec', 'check', ...args.map((arg) => (arg.endsWith('.yaml') ? file(arg) : arg))]);
}

/** What `spec check` says of one spec that comes by standard input. */
function checkText(stdin: string, ...options: string[]) {
  return runCli(['spec', 'check', ...options, '-'], { stdin });
}

describe('spec check', () => {
  it('prints a line for each list, of all documents of all files', async () => {
    expect(await check('good.yaml', 'two.yaml', 'other.yaml')).toEqual({
      code: 0,
      stdout:
        `ok ${file('good.yaml')} example.com/app:1 1 image, tags latest, 1.0\n` +
        `ok ${file('two.yaml')}#1 example.com/a:1 1 image\n` +
        `ok ${file('two.yaml')}#2 example.com/b:1 1 image\n` +
        `ok ${file('other.yaml')} example.com/other:1 2 images\n`,
      stderr: '',
    });
  });

  it('reads standard input, once', async () => {
    const { code, stdout } = await checkText(GOOD);
    expect([code, stdout]).toEqual([0, 'ok - example.com/app:1 1 image, tags latest, 1.0\n']);
    expect(await check('-', '-')).toMatchObject({ code: 2, stdout: '' });
  });

  it('reports the error of every file, and goes on', async () => {
    const names = ['bad.yaml', 'good.yaml', 'none.yaml', 'broken.yaml', 'half.yaml'];
    const { code, stdout, stderr } = await check(...names);
    expect(code).toBe(2);
    expect(stdout).toBe(
      `ok ${file('good.yaml')} example.com/app:1 1 image, tags latest, 1.0\n` +
        `ok ${file('half.yaml')}#1 example.com/c:1 1 image\n` +
        `ok ${file('half.yaml')}#3 example.com/d:1 1 image\n`,
    );
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/bad\.yaml:3:12 failed: .*lower case, in `- image: example.com\/Bad/),
      expect.stringMatching(/^hint: write it as \S+$/),
      expect.stringMatching(/none\.yaml failed: no such file or directory$/),
      'hint: check the path',
      expect.stringMatching(/broken\.yaml:2:1 failed: it is not valid YAML: .*, in `image: \[`$/),
      expect.stringMatching(/^hint: check indentation, brackets and quotes there/),
      expect.stringMatching(/half\.yaml:5:8 failed: .*, in `image: B`$/),
      expect.stringMatching(/^hint: write it as \S+$/),
      'manifest-tool: checking 7 specs failed: 4 of 7 failed, the others succeeded',
      'hint: fix the errors above and run it again: what succeeded is not repeated',
    ]);
    for (const line of lines) expect(line).toMatch(/^(manifest-tool: .+ failed: |hint: ).+/);
  });

  it('reports the error of one file as a publish does', async () => {
    const checked = await check('bad.yaml');
    const pushed = await runCli(['push', 'from-spec', file('bad.yaml')]);
    expect(checked).toEqual(pushed);
    expect(checked.code).toBe(2);
  });

  it('takes variables from the environment with --env', async () => {
    const args = ['spec', 'check', '--env', file('vars.yaml')];
    expect(await runCli(args, { env: { TAG: '2.0' } })).toMatchObject({
      code: 0,
      stdout: `ok ${file('vars.yaml')} example.com/vars:2.0 1 image\n`,
    });
    expect((await runCli(args)).stderr).toMatch(
      /needs the variable TAG, .*, in `image: .*\$\{TAG\}`/,
    );
  });

  it('warns of what is left out, which --strict makes an error of', async () => {
    const loose = await check('unknown.yaml', 'good.yaml');
    expect(loose.code).toBe(0);
    expect(loose.stderr).toMatch(/^manifest-tool: warning: .*unknown\.yaml:2:1: unknown key/);
    const strict = await check('--strict', 'unknown.yaml', 'good.yaml');
    expect(strict.code).toBe(2);
    expect(strict.stdout).toMatch(/^ok \S+good\.yaml .*\n$/);
    expect(strict.stderr).toMatch(
      /unknown\.yaml:1:1 failed: a warning is an error in strict mode: /,
    );
  });

  it('shows all of it as JSON', async () => {
    const { code, stdout } = await check('--json', 'good.yaml', 'half.yaml', 'none.yaml');
    expect(code).toBe(2);
    const image = { image: 'example.com/app:amd64', platform: null, annotations: {} };
    const good = {
      ok: true,
      warnings: [],
      type: 'docker',
      artifactType: null,
      annotations: {},
      attestations: 'keep',
      images: [image],
    };
    expect(JSON.parse(stdout)).toEqual([
      {
        ...good,
        file: file('good.yaml'),
        document: 1,
        target: 'example.com/app:1',
        tags: ['latest', '1.0'],
      },
      { ...good, file: file('half.yaml'), document: 1, target: 'example.com/c:1', tags: [] },
      {
        file: file('half.yaml'),
        document: 2,
        ok: false,
        warnings: [],
        error: {
          code: 'USAGE',
          message: expect.stringContaining('half.yaml:5:8') as string,
          hint: 'write it as b',
        },
      },
      { ...good, file: file('half.yaml'), document: 3, target: 'example.com/d:1', tags: [] },
      {
        file: file('none.yaml'),
        document: null,
        ok: false,
        warnings: [],
        error: {
          code: 'USAGE',
          message: expect.stringContaining('no such file') as string,
          hint: 'check the path',
        },
      },
    ]);
  });

  it('acts on no terminal, whatever is in a spec', async () => {
    const evil = 'oci-layout://a\\e[31m\\u009b';
    const { code, stdout, stderr } = await checkText(`image: "${evil}"\n${LIST}"a\\eb": c\n`);
    expect(code).toBe(0);
    expect(stdout).toContain('a\\u001b[31m\\u009b');
    expect(`${stdout}${stderr}`).not.toMatch(/[^\n -~]/);
  });
});

describe('spec check refuses what a publish would refuse before it asks a registry', () => {
  const platforms = (...each: string[]): string =>
    each.reduce(
      (text, platform, i) => `${text}  - image: example.com/app:${i}\n    platform: ${platform}\n`,
      'image: example.com/app:1\nmanifests:\n',
    );
  const AMD64 = '{os: linux, architecture: amd64}';

  it('annotations of a Docker manifest list', async () => {
    const { code, stderr } = await check('annotated.yaml');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /annotated\.yaml:3:3 failed: a Docker .* no annotations, in `a: b`\nhint:/,
    );
    for (const type of ['oci', 'auto'])
      expect(await check('--type', type, 'annotated.yaml')).toMatchObject({ code: 0, stderr: '' });
    expect((await check('--type', 'ocl', 'annotated.yaml')).code).toBe(2);
  });

  it.each([
    ['one platform twice', platforms(AMD64, '{os: linux, architecture: x86_64}'), 5],
    [
      'one version of Windows twice',
      platforms(...Array<string>(2).fill('{os: windows, architecture: amd64, osversion: 10.0.1}')),
      5,
    ],
    [
      'one image twice',
      `image: a\nmanifests:\n  - image: b\n  - image: b:latest\n  - image: b\n`,
      5,
    ],
  ])('%s', async (_what, text, line) => {
    const { code, stdout, stderr } = await checkText(text);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      new RegExp(`^manifest-tool: reading -:${line}:5 failed: manifests.*\nhint:`),
    );
  });

  it.each([
    ['arm', '{os: linux, architecture: arm}'],
    ['Windows', '{os: windows, architecture: amd64}'],
  ])('but warns of %s, of which images tell the rest', async (_what, platform) => {
    const result = await checkText(platforms(platform, platform));
    expect(result.code).toBe(0);
    expect(result.stderr).toMatch(/-:5:5: manifests\[1\] is for .* can distinguish them/);
    expect((await checkText(platforms(platform, platform), '--strict')).code).toBe(2);
  });

  it('two lists under one tag', async () => {
    const { code, stdout, stderr } = await check('two.yaml', 'two.yaml');
    expect(code).toBe(2);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).toMatch(
      /two\.yaml:1:1 failed: example\.com\/a:1 is also published by .*two\.yaml:1:1/,
    );
    const tagged = `image: example.com/b:2\ntags: ['1']\n${LIST}`;
    expect((await checkText(`image: example.com/b:1\n${LIST}---\n${tagged}`)).code).toBe(2);
  });
});

describe('push from-spec --strict', () => {
  it('makes errors of the warnings of a spec, before a registry is asked', async () => {
    const result = await runCli(['push', 'from-spec', '--strict', file('unknown.yaml')]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(/unknown\.yaml failed: a warning is an error in strict mode: /);
  });
});
