import { cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACTION, ROOT, runAction } from '../support/github/action.js';
import { readLog } from '../support/github/log.js';
import { DONE, type Runner, type StepResult } from '../support/github/steps.js';
import { basic, getManifest } from '../support/http.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';
import { auths, Folder, pathWith } from '../adversarial/support/files.js';

/** The Action, its steps run as the runner of GitHub runs them. */

interface Result {
  readonly digest: string;
  readonly tags: readonly { readonly name: string; readonly status: string }[];
  readonly images: readonly { readonly platform: string }[];
}

const NO_OUTPUTS = { digest: '', image: '', digests: '', metadata: '', json: '' };
const AMD64 = PARITY_IMAGES['docker/app']!.tags['linux-amd64']!;
const S390X = PARITY_IMAGES['docker/app']!.tags['linux-s390x']!;
const folder = new Folder();
let registry: Registry;
let app: string;
let workspace: string;

beforeAll(async () => {
  registry = await startRegistry();
  app = `${registry.host}/docker/app`;
  await seedParityImages(registry.host, { repositories: ['docker/app'] });
});

beforeEach(() => {
  workspace = folder.directory();
});

afterAll(() => registry.stop());

function runner(changes: Partial<Runner> = {}): Runner {
  return {
    workspace,
    env: { PATH: process.env['PATH']!, HOME: workspace },
    uses: (action) => Promise.reject(new Error(`${action} is not needed here`)),
    ...changes,
  };
}

function run(inputs: Readonly<Record<string, string>>, changes?: Partial<Runner>) {
  return runAction(inputs, runner(changes));
}

function expectDone(result: StepResult): Result {
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.log}`);
  expect(readLog(result.log)).toEqual({ annotations: [], commands: ['group Result', 'endgroup'] });
  return JSON.parse(result.outputs['json']!) as Result;
}

async function published(tag: string): Promise<string | undefined> {
  return (await getManifest(registry.host, 'docker/app', tag)).digest;
}

function expectUntouched(): void {
  expect(existsSync(path.join(workspace, 'pwned'))).toBe(false);
}

function spec(name: string, tag: string, image = 'linux-amd64'): void {
  const text = `image: ${app}:${tag}\nmanifests:\n  - image: ${app}:${image}\n`;
  writeFileSync(path.join(workspace, name), text);
}

describe('action.yml', () => {
  it('is composite, and no expression stands in a script of it', () => {
    expect(ACTION.runs.using).toBe('composite');
    expect(ACTION.runs.steps.map((step) => step.run ?? '').join('\n')).not.toContain('${{');
  });

  it('names each input in a step, and takes other Actions by their commit', () => {
    const steps = JSON.stringify(ACTION.runs.steps);
    for (const name of Object.keys(ACTION.inputs)) expect(steps).toContain(`inputs.${name}`);
    for (const { uses } of ACTION.runs.steps)
      if (uses !== undefined) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  });
});

describe('what it publishes', () => {
  it('a template, with platforms and tags in lines', async () => {
    const result = await run({
      target: `${app}:args`,
      template: `${app}:OS-ARCH`,
      platforms: 'linux/amd64\n  linux/s390x\n',
      tags: 'args-too, args-three\n',
      type: 'docker',
    });
    const { digest, tags, images } = expectDone(result);
    expect(result.outputs).toEqual({
      digest,
      image: `${app}@${digest}`,
      digests: JSON.stringify({ 'linux/amd64': AMD64, 'linux/s390x': S390X }),
      metadata: result.outputs['metadata'],
      json: result.outputs['json'],
    });
    expect(JSON.parse(result.outputs['metadata']!)).toMatchObject({
      'containerimage.digest': digest,
      'image.name': app,
    });
    expect(tags.map(({ name }) => name)).toEqual(
      ['args', 'args-too', 'args-three'].map((tag) => `${app}:${tag}`),
    );
    expect(images.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/s390x']);
    for (const tag of ['args', 'args-too', 'args-three']) expect(await published(tag)).toBe(digest);
  });

  it('a spec, with further arguments', async () => {
    spec('my app.yaml', 'spec');
    const result = await run({ spec: 'my app.yaml', tags: 'spec-too', args: '--verify --wait 5s' });
    expect(expectDone(result).digest).toBe(await published('spec-too'));
    expect(result.log).toContain(`verified ${app}`);
  });

  it('several specs: a digest in each line', async () => {
    spec('a.yaml', 'several-a');
    spec('b.yaml', 'several-b', 'linux-s390x');
    const result = await run({ spec: '\na.yaml\n  b.yaml\n' });
    expectDone(result);
    const digests = [await published('several-a'), await published('several-b')];
    expect(result.outputs['digest']).toBe(digests.join('\n'));
    expect(digests[0]).not.toBe(digests[1]);
    const images = digests.map((digest) => `${app}@${digest}`);
    expect(result.outputs['image']).toBe(images.join('\n'));
    expect(JSON.parse(result.outputs['digests']!)).toEqual({
      [`${app}:several-a`]: { 'linux/amd64': AMD64 },
      [`${app}:several-b`]: { 'linux/s390x': S390X },
    });
    expect(Object.keys(JSON.parse(result.outputs['metadata']!) as object)).toEqual([
      `${app}:several-a`,
      `${app}:several-b`,
    ]);
  });

  it('digests that build jobs left, with required platforms and annotations', async () => {
    folder.write(path.join(workspace, 'digests', AMD64.slice('sha256:'.length)), '');
    folder.write(path.join(workspace, 'digests', S390X.slice('sha256:'.length)), '');
    const inputs = {
      digests: 'digests',
      tags: `${app}:digests\n${app}:digests-too`,
      require: 'linux/amd64\nlinux/s390x',
      type: 'oci',
      annotations: 'a=it is, so\n index,manifest-descriptor[linux/s390x]:b=c\n',
    };
    const { code, outputs } = await run(inputs);
    expect(code).toBe(0);
    expect(outputs['image']).toBe(`${app}@${await published('digests-too')}`);
    const { body } = await getManifest(registry.host, 'docker/app', 'digests');
    const index = JSON.parse(body) as {
      annotations: object;
      manifests: { annotations?: object }[];
    };
    expect(index.annotations).toEqual({ a: 'it is, so', b: 'c' });
    expect(index.manifests.flatMap(({ annotations }) => annotations ?? [])).toEqual([{ b: 'c' }]);

    const refused = await run({ ...inputs, require: 'linux/amd64, linux/arm64' });
    expect(refused.code).toBe(6);
    expect(readLog(refused.log).annotations.join('\n')).toContain('missing: linux/arm64');
    expect(refused.outputs).toEqual(NO_OUTPUTS);
  });

  it('sources: references, digests and descriptors', async () => {
    const result = await run({
      target: `${app}:sources`,
      sources: `${app}:linux-386\n${AMD64}\n{"digest": "${S390X}"}\n`,
    });
    expectDone(result);
    expect(JSON.parse(result.outputs['digests']!)).toEqual({
      'linux/386': PARITY_IMAGES['docker/app']!.tags['linux-386'],
      'linux/amd64': AMD64,
      'linux/s390x': S390X,
    });
  });

  it('an edit: the digests of the whole index', async () => {
    const target = `${app}:edited`;
    expectDone(await run({ target, sources: AMD64 }));
    const { code, outputs } = await run({ args: `add ${target} ${S390X}` });
    expect(code).toBe(0);
    expect(outputs['image']).toBe(`${app}@${await published('edited')}`);
    expect(JSON.parse(outputs['digests']!)).toEqual({ 'linux/amd64': AMD64, 'linux/s390x': S390X });
    expect(JSON.parse(outputs['metadata']!)).toMatchObject({ 'image.name': app });
  });

  it('nothing in a dry run, which has neither image nor metadata', async () => {
    const result = await run({ target: `${app}:dry`, sources: AMD64, args: '--dry-run' });
    expect(result.code).toBe(0);
    expect(result.outputs).toMatchObject({ image: '', metadata: '' });
    expect(result.outputs['digest']).toMatch(/^sha256:/);
    expect(await published('dry')).toBeUndefined();
  });

  it('a whole command line', async () => {
    const args = `create\n  --target "${app}:whole"\n  --annotation 'index:a=it is so' --type=oci ${app}:linux-amd64`;
    const { code, log, outputs } = await run({ args });
    expect(code).toBe(0);
    expect(readLog(log).annotations).toEqual([
      expect.stringMatching(/^warning: the images are Docker images/) as string,
    ]);
    const { body, digest } = await getManifest(registry.host, 'docker/app', 'whole');
    expect(outputs['digest']).toBe(digest);
    expect((JSON.parse(body) as { annotations: object }).annotations).toEqual({ a: 'it is so' });
  });

  it('to some of its targets: what was published is told, and the step fails', async () => {
    const lost = '127.0.0.1:1/nowhere/app:1';
    const args = `create --retry 0 --target ${app}:partly --tag ${lost} ${app}:linux-amd64`;
    const { code, outputs, summary, log } = await run({ args });
    expect(code).toBe(5);
    expect(outputs['digest']).toBe(await published('partly'));
    expect(summary).toContain(`**Failed** at <code>${lost}</code>`);
    expect(readLog(log).annotations.join('\n')).toContain('1 of 2 failed');
  });

  it('with the credentials that the job has, as docker login leaves them', async () => {
    const closed = await startRegistry({ htpasswd: true });
    try {
      const { username, password } = USER;
      const config = JSON.stringify(auths(closed.host, username, password));
      folder.write(path.join(workspace, '.docker/config.json'), config);
      const target = `${closed.host}/app:1`;
      const { digest } = expectDone(
        await run({ args: `create --target ${target} ${app}:linux-amd64` }),
      );
      const authorization = basic(username, password);
      const found = await getManifest(closed.host, 'app', '1', { authorization });
      expect(found.digest).toBe(digest);
    } finally {
      await closed.stop();
    }
  });
});

describe('what it verifies', () => {
  const whole = () => ({ verify: `${app}:whole-list` });

  beforeAll(async () => {
    workspace = folder.directory();
    expectDone(await run({ target: `${app}:whole-list`, sources: `${AMD64}\n${S390X}` }));
  });

  it('is right if all requirements are met', async () => {
    const { code, log, outputs, summary } = await run({
      ...whole(),
      platforms: 'linux/amd64\nlinux/s390x',
      'at-least': 'linux/s390x',
      'same-as': `${app}:whole-list`,
    });
    expect({ code, log }).toMatchObject({ code: 0 });
    expect(summary).toBe('');
    expect(outputs).toMatchObject({ digest: await published('whole-list'), metadata: '' });
    expect(JSON.parse(outputs['digests']!)).toEqual({ 'linux/amd64': AMD64, 'linux/s390x': S390X });
  });

  it.each([
    [{ 'at-least': 'linux/amd64, linux/arm64' }, 'linux/arm64'],
    [{ platforms: 'linux/amd64' }, 'linux/s390x'],
    [{ 'same-as': '{app}:linux-amd64' }, 'linux/s390x'],
    [{ 'require-attestations': 'sbom, provenance' }, 'provenance'],
  ])('%j fails', async (requirement, defect) => {
    const filled = Object.entries(requirement).map(([name, value]) => {
      return [name, value.replace('{app}', app)] as const;
    });
    const { code, log } = await run({ ...whole(), ...Object.fromEntries(filled) });
    expect({ code, log }).toMatchObject({ code: 6 });
    expect(readLog(log).annotations.join('\n')).toContain(defect);
  });
});

it('writes a summary of what was published', async () => {
  const target = `${app}:summary`;
  const inputs = { target, template: `${app}:OS-ARCH`, platforms: 'linux/amd64' };
  const { summary, outputs } = await run(inputs);
  const rows = summary.split('\n').map((line) => line.replaceAll(/<\/?code>/g, ''));
  expect(rows).toContain(`### ${target}`);
  expect(rows).toContain('| Tag | Status | Before |');
  expect(rows).toContain(`| ${target} | moved | new |`);
  const { digest, source } = (
    JSON.parse(outputs['json']!) as { images: { digest: string; source: string }[] }
  ).images[0]!;
  expect(rows).toContain(`| linux/amd64 | ${digest} | ${source} |`);
});

describe('errors', () => {
  it.each([
    ['nothing', {}, 'nothing to do'],
    ['empty inputs', { spec: ' \n', args: '' }, 'nothing to do'],
    ['a target alone', { target: 'a' }, 'template and platforms must be given too'],
    ['two ways', { spec: 'a', target: 'b' }, 'target cannot be given with spec'],
    ['tags without a list', { args: 'create', tags: 'a' }, 'tags cannot be given with args alone'],
    ['digests without a name', { digests: 'd' }, 'target or tags must be given with digests'],
    [
      'a template for digests',
      { digests: 'd', template: 'a' },
      'template cannot be given with digests',
    ],
    ['a spec with sources', { spec: 'a', sources: 'b' }, 'sources cannot be given with spec'],
    ['verify while publishing', { spec: 'a', verify: 'b' }, 'spec cannot be given with verify'],
    [
      'a requirement alone',
      { spec: 'a', 'at-least': 'b' },
      'at-least cannot be given without verify',
    ],
    ['an open quote', { args: 'create "a' }, 'a " in args is not closed'],
  ])('%s: exit code 2, and an annotation', async (_what, inputs, why) => {
    const { code, log, outputs } = await run(inputs);
    expect(code).toBe(2);
    expect(readLog(log).annotations).toEqual([
      expect.stringMatching(/^error: reading the inputs failed: /) as string,
    ]);
    expect(log).toContain(why);
    expect(outputs).toEqual(NO_OUTPUTS);
  });

  it('of the program keep their exit code, and come with their hint', async () => {
    const { code, log } = await run({ args: `create --target ${app}:x --exepct a ${app}:x` });
    expect(code).toBe(2);
    const [only, ...more] = readLog(log).annotations;
    expect(more).toEqual([]);
    expect(only).toMatch(/^error: .+ failed: .*--exepct.*\nhint: /);
  });

  it('what is not found is exit code 3, and warnings are annotations too', async () => {
    writeFileSync(
      path.join(workspace, 'x.yaml'),
      `image: ${app}:x\nmanifest: []\nmanifests:\n  - image: ${app}:none\n`,
    );
    const { code, log } = await run({ spec: 'x.yaml' });
    expect(code).toBe(3);
    expect(readLog(log).annotations).toEqual([
      expect.stringMatching(/^warning: .*manifest/) as string,
      expect.stringMatching(/^error: .*docker\/app:none/) as string,
    ]);
  });

  it('have an annotation where the program does not tell them in words', async () => {
    const args = `create --progress json --target ${app}:x ${app}:none`;
    const { code, log } = await run({ args });
    expect(code).toBe(3);
    expect(readLog(log).annotations).toEqual(['error: manifest-tool ended with exit code 3']);
  });
});

describe('hostile inputs do nothing', () => {
  const texts = [
    '"; touch pwned; "',
    "'; touch pwned; '",
    '$(touch pwned)`touch pwned`',
    '${IFS}&&touch${IFS}pwned | touch pwned',
    '\ntouch pwned\n',
    'a\n::set-output name=digest::evil\n##[set-output name=digest]evil',
    '--metadata-file=pwned',
    '${{ github.token }}%0A::error::evil',
  ];
  const INPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    spec: {},
    target: { template: '{app}:OS-ARCH', platforms: 'linux/amd64' },
    template: { target: '{app}:hostile', platforms: 'linux/amd64' },
    platforms: { target: '{app}:hostile', template: '{app}:OS-ARCH' },
    tags: { target: '{app}:hostile', template: '{app}:OS-ARCH', platforms: 'linux/amd64' },
    type: { target: '{app}:hostile', template: '{app}:OS-ARCH', platforms: 'linux/amd64' },
    digests: { target: '{app}:hostile' },
    sources: { target: '{app}:hostile' },
    require: { target: '{app}:hostile', sources: '{app}:linux-amd64' },
    verify: {},
    'at-least': { verify: '{app}:linux-amd64' },
    'same-as': { verify: '{app}:linux-amd64' },
    'require-attestations': { verify: '{app}:linux-amd64' },
  };

  it.each(Object.keys(INPUTS))(
    'in %s',
    async (name) => {
      for (const text of texts) {
        const others = Object.entries(INPUTS[name]!).map(([key, value]) => [
          key,
          value.replace('{app}', app),
        ]);
        const inputs = { ...Object.fromEntries(others), [name]: text } as Record<string, string>;
        const { code, log, outputs } = await run(inputs);
        if (code !== 2 && code !== 3) throw new Error(`${text}: exit code ${code}: ${log}`);
        expect(outputs).toEqual(NO_OUTPUTS);
        const { annotations, commands } = readLog(log);
        expect(commands).toEqual([]);
        expect(annotations).toHaveLength(1);
        expectUntouched();
      }
    },
    60_000,
  );

  it('in annotations, which are keys and values', async () => {
    const inputs = { target: `${app}:annotated`, type: 'oci', sources: AMD64 };
    const annotations = '--metadata-file=pwned\nkey=$(touch pwned)"; touch pwned; "';
    const { code } = await run({ ...inputs, annotations });
    expect(code).toBe(0);
    expectUntouched();
    const { body } = await getManifest(registry.host, 'docker/app', 'annotated');
    expect((JSON.parse(body) as { annotations: object }).annotations).toEqual({
      '--metadata-file': 'pwned',
      key: '$(touch pwned)"; touch pwned; "',
    });
  });

  it('in args, which are arguments and nothing more', async () => {
    for (const text of texts) {
      const quoted = `'${text.replaceAll("'", String.raw`'\''`)}'`;
      for (const args of [
        `spec check -- ${quoted}`,
        `spec check -- ${text.replaceAll(/['"]/g, '')}`,
      ]) {
        const { code, log, outputs } = await run({ args });
        if (code !== 2 && code !== 3) throw new Error(`${args}: exit code ${code}: ${log}`);
        expect(outputs['digest']).toBe('');
        expect(readLog(log).commands.filter((each) => !/^(?:end)?group/.test(each))).toEqual([]);
        expectUntouched();
      }
    }
  });

  it('in node-version', async () => {
    for (const text of texts.slice(0, 3)) {
      const asked: string[] = [];
      const uses: Runner['uses'] = (_, given) => {
        asked.push(given['node-version']!);
        return Promise.resolve(DONE);
      };
      const inputs = { 'node-version': text, args: `inspect ${app}:none` };
      await run(inputs, { uses });
      expect(asked).toEqual([text]);
      expectUntouched();
    }
  });
});

describe('what a registry says', () => {
  let hostile: Server;
  const MESSAGE =
    '##[set-output name=digest]evil\n::set-output name=digest::evil\r::error::evil %0A';

  beforeAll(async () => {
    hostile = createServer((_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'DENIED', message: MESSAGE }] }));
    });
    await new Promise<void>((resolve) => {
      hostile.listen(0, '127.0.0.1', resolve);
    });
  });

  afterAll(() => {
    hostile.close();
  });

  it('is no command for the runner', async () => {
    const { port } = hostile.address() as AddressInfo;
    const args = `create --target ${app}:x 127.0.0.1:${port}/app:1`;
    const { code, log, outputs } = await run({ args });
    expect(code).toBe(4);
    expect(log).toContain('##[set-output name=digest]evil');
    expect(outputs['digest']).toBe('');
    const { annotations, commands } = readLog(log);
    expect(commands).toEqual([]);
    expect(annotations).toHaveLength(1);
    expect(annotations[0]).toMatch(/^error: .*##\[set-output name=digest\]evil/);
  });
});

describe('Node and the build', () => {
  it('Node is installed where that of the runner is too old, or where a version is asked for', async () => {
    const bin = folder.directory();
    writeFileSync(path.join(bin, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const asked: string[] = [];
    const env = { PATH: pathWith(bin), HOME: workspace };
    const uses: Runner['uses'] = (action, given) => {
      asked.push(`${action.split('@')[0]} ${given['node-version']}`);
      env.PATH = process.env['PATH']!;
      return Promise.resolve(DONE);
    };
    expectDone(await run({ args: `create --target ${app}:old ${app}:linux-amd64` }, { env, uses }));
    const inputs = { 'node-version': '22', args: `create --target ${app}:old ${app}:linux-amd64` };
    expectDone(await run(inputs, { uses }));
    expect(asked).toEqual(['actions/setup-node 24', 'actions/setup-node 22']);
  });

  it('builds itself out of a checkout', async () => {
    const copy = mkdtempSync(path.join(folder.path, 'checkout-'));
    const files = execFileSync(
      'git',
      ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
      { cwd: ROOT },
    );
    for (const name of files
      .toString()
      .split('\0')
      .filter((each) => /^(?:bin|src|scripts)\/|^[^/]+\.json$/.test(each)))
      cpSync(path.join(ROOT, name), path.join(copy, name));
    // In place of the network: what `npm ci` would install.
    const bin = folder.directory();
    const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
    const script = `#!/bin/sh\n[ "$1" = ci ] || exec '${npm}' "$@"\necho "$@" > "${copy}/npm-ci"\nln -s '${ROOT}/node_modules' node_modules\n`;
    writeFileSync(path.join(bin, 'npm'), script, { mode: 0o755 });
    const inputs = { args: '--version' };
    const env = { PATH: pathWith(bin), HOME: workspace };
    const { code, log, outputs } = await runAction(inputs, runner({ env }), copy);
    expect({ code, log }).toMatchObject({
      code: 0,
      log: expect.stringContaining('manifest-tool version ') as string,
    });
    expect(outputs).toEqual(NO_OUTPUTS);
    expect(existsSync(path.join(copy, 'dist/cli/entry.cjs'))).toBe(true);
    const commands = ['group Building manifest-tool', 'endgroup', 'group Result', 'endgroup'];
    expect(readLog(log)).toEqual({ annotations: [], commands });
  });
});

it('a job that is cancelled ends the program in order', async () => {
  let ask = (): void => {};
  const cancelled = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const silent = createServer(() => ask());
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = silent.address() as AddressInfo;
    const args = `create --target ${app}:never 127.0.0.1:${port}/app:1`;
    const { code, log } = await run({ args }, { cancelled });
    expect(code).toBe(130);
    expect(readLog(log).annotations.join('\n')).toContain('nothing was published');
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});
