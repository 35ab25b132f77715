import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/index.js';
import { compile, pack, projectWith, run, type Packed } from '../support/package.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';

/** The programs of the guide to the library, compiled against the package and run as a reader would. */

const FOLDER = 'examples/library';
/** Those that end by themselves, in an order in which each finds what it needs. */
const PROGRAMS = [
  'publish',
  'platforms',
  'promote',
  'admission',
  'progress',
  'cancel',
  'credentials',
  'errors',
];

let packed: Packed;
let folder: string;
let registry: Registry;
let guarded: Registry;
const digests: string[] = [];

beforeAll(async () => {
  [registry, guarded] = await Promise.all([startRegistry(), startRegistry({ htpasswd: true })]);
  await using client = createClient();
  const copy = async (name: string, target: string): Promise<string> => {
    const source = `oci-layout://fixtures/layout:${name}`;
    return (await client.copy({ source, target: `${registry.host}/acme/${target}` })).root.digest;
  };
  digests.push(await copy('linux-amd64', 'app:amd64'), await copy('linux-arm64v8', 'app:arm64'));
  await copy('linux-amd64', 'amd64:1.0');
  packed = await pack();
  folder = await projectWith(packed.tarball);
  await cp('fixtures/layout', path.join(folder, 'fixtures/layout'), { recursive: true });
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts'));
  await Promise.all(
    files.map(async (file) =>
      writeFile(path.join(folder, file), here(await readFile(path.join(FOLDER, file), 'utf8'))),
    ),
  );
  const readme = await readFile('README.md', 'utf8');
  const [, example] = /^```ts\n([\s\S]*?)^```/m.exec(readme)!;
  await writeFile(path.join(folder, 'readme.ts'), here(example!));
  await compile(folder, [...files, 'readme.ts']);
});

afterAll(async () => {
  await Promise.all([registry.stop(), guarded.stop()]);
  await Promise.all([packed.folder, folder].map((each) => rm(each, { recursive: true })));
});

/** The registries of the guide are those of this test. */
function here(text: string): string {
  return text
    .replaceAll('localhost:5000', registry.host)
    .replaceAll('localhost:5001', guarded.host);
}

/** The program of the guide with a name, run in the project. */
const start = (name: string, ...args: string[]) =>
  run(process.execPath, [`${name}.js`, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, APP_PASSWORD: USER.password },
  });

describe('the program', () => {
  test.each(PROGRAMS)('%s prints what the guide says', async (name) => {
    const { stdout, stderr } = await start(name, ...(name === 'publish' ? digests : []));
    expect(stderr).toBe('');
    expect(stdout).toBe(here(await readFile(path.join(FOLDER, `${name}.txt`), 'utf8')));
  });

  test('server answers, and ends by SIGTERM', async () => {
    const env = { PATH: process.env['PATH'], PORT: '0' };
    const child = spawn(process.execPath, ['server.js'], { cwd: folder, env });
    const exit = once(child, 'exit');
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const port = /port: (\d+)/.exec(line)![1]!;
    const ask = async (image: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/?image=${encodeURIComponent(image)}`);
      return { status: response.status, body: await response.json() };
    };
    const found = await ask(`${registry.host}/acme/app:1.0`);
    expect(found).toMatchObject({ status: 200, body: { kind: 'index' } });
    const missing = await ask(`${registry.host}/acme/app:none`);
    expect(missing).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await ask('')).toMatchObject({ status: 400, body: { code: 'USAGE' } });
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });

  test('serverless finds a digest', async () => {
    await writeFile(
      path.join(folder, 'invoke.js'),
      `import { handler } from './serverless.js';
const context = { getRemainingTimeInMillis: () => 5000 };
const event = { image: '${registry.host}/acme/app:1.0', platform: 'linux/arm64' };
console.log((await handler(event, context)).digest);
process.exit();
`,
    );
    expect((await start('invoke')).stdout).toBe(`${digests[1]}\n`);
  });

  test('of README prints a digest', async () => {
    expect((await start('readme')).stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });
});

test('every program is run here', async () => {
  const names = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts'));
  expect(names.map((file) => path.basename(file, '.ts')).toSorted()).toEqual(
    [...PROGRAMS, 'server', 'serverless'].toSorted(),
  );
});
