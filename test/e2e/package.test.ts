import { createRequire } from 'node:module';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, nodeOf, pack, projectWith, run, type Packed } from '../support/package.js';

/** The package as a user gets it: packed, installed into an empty folder, and run on every Node that it is for. */

const NODES = ['20', '22', '24', 'latest'];
const MIB = 1024 * 1024;
const require = createRequire(import.meta.url);

/** Publishes an index as {@link MAIN_JOB} does, with the library. */
const PROGRAM = `
import { ManifestToolError, createClient, parseReference, sourcesFromTemplate } from 'manifest-tool';

const [target = ''] = process.argv.slice(2);
const client = createClient();
try {
  const { root } = await client.push({
    target,
    type: 'oci',
    sources: sourcesFromTemplate('oci-layout://fixtures/layout:OS-ARCH', ['linux/amd64', 'linux/s390x']),
  });
  console.log(root.digest);
  parseReference('a b');
} catch (error) {
  if (!(error instanceof ManifestToolError)) throw error;
  console.log(error.code);
} finally {
  await client.close();
}
`;
const TEMPLATE = 'oci-layout://fixtures/layout:OS-ARCH';
const MAIN_JOB = ['push', '--type', 'oci', 'from-args', '--platforms', 'linux/amd64,linux/s390x'];

let packed: Packed;
let project: string;

beforeAll(async () => {
  packed = await pack();
  project = await projectWith(packed.tarball);
  await cp('fixtures/layout', path.join(project, 'fixtures/layout'), { recursive: true });
  await writeFile(path.join(project, 'program.ts'), PROGRAM);
  await compile(project, ['program.ts']);
});

afterAll(async () => {
  await Promise.all([packed.folder, project].map((each) => rm(each, { recursive: true })));
});

describe('the package', () => {
  test('has less than 5 MiB, and what it needs', () => {
    expect(packed.unpackedSize).toBeLessThan(5 * MIB);
    expect(packed.files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json']),
    );
    const folders =
      /^(?:(?:bin|dist\/cli|man|specs)\/[^/]+|dist\/lib\/.+\.(?:js|js\.map|cjs|d\.c?ts))$/;
    expect(packed.files.filter((file) => file.includes('/') && !folders.test(file))).toEqual([]);
  });

  test('declares what the library imports, and lists it in the documents', async () => {
    const modules = packed.files.filter((file) => /^dist\/lib\/.*\.js$/.test(file));
    const installed = path.join(project, 'node_modules/manifest-tool');
    const texts = await Promise.all(
      modules.map((file) => readFile(path.join(installed, file), 'utf8')),
    );
    const imported = texts.flatMap((text) =>
      [...text.matchAll(/(?:from|import\() ?'([a-z@][^':]*)'/g)].map(
        ([, name]) => name!.split('/')[0]!,
      ),
    );
    const { dependencies } = JSON.parse(
      await readFile(path.join(installed, 'package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> };
    expect([...new Set(imported)].toSorted()).toEqual(Object.keys(dependencies).toSorted());
    const guide = await readFile('docs/guides/library.md', 'utf8');
    const table = [...guide.matchAll(/^\| \[([a-z-]+)\]\(.*?\) \| `(.+?)` \|/gm)];
    expect(Object.fromEntries(table.map(([, name, range]) => [name, range]))).toEqual(dependencies);
  });

  test('has a command line that needs no other package, and no code twice', async () => {
    const chunks = path.join(project, 'node_modules/manifest-tool/dist/cli');
    const names = await readdir(chunks);
    const texts = await Promise.all(names.map((name) => readFile(path.join(chunks, name), 'utf8')));
    // Texts that stand in one place of their source: of undici, of yaml, and of this program.
    const marks = [
      'UND_ERR_HEADERS_OVERFLOW',
      'All mapping items must start at the same column',
      'is not a valid host',
    ];
    const counts = marks.map((mark) => texts.filter((text) => text.includes(mark)).length);
    expect(counts).toEqual([1, 1, 1]);
    const alone = await mkdtemp(path.join(tmpdir(), 'mt-alone-'));
    await cp(path.join(project, 'node_modules/manifest-tool'), alone, { recursive: true });
    const layout = ['inspect', `oci-layout://${path.resolve('fixtures/layout')}:linux-amd64`];
    const { stdout } = await run(process.execPath, ['bin/manifest-tool.cjs', ...layout], {
      cwd: alone,
    });
    expect(stdout).toContain('amd64');
    await rm(alone, { recursive: true });
  });

  test('has a library that can be read and debugged', async () => {
    const file = path.join(project, 'node_modules/manifest-tool/dist/lib/oci/reference.js');
    const text = await readFile(file, 'utf8');
    expect(text).toContain('export function parseReference(text) {');
    const map = JSON.parse(await readFile(`${file}.map`, 'utf8')) as { sourcesContent: string[] };
    expect(map.sourcesContent[0]).toBe(await readFile('src/oci/reference.ts', 'utf8'));
  });

  test('has entry points that publint takes', async () => {
    const { buffer } = new Uint8Array(await readFile(packed.tarball));
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  test('has types that are right, as arethetypeswrong finds', async () => {
    const args = [
      binOf(require.resolve('@arethetypeswrong/cli/package.json'), 'attw'),
      packed.tarball,
    ];
    const format = ['--profile', 'node16', '--format', 'json'];
    const { stdout } = await run(process.execPath, [...args, ...format]);
    const { analysis, problems } = JSON.parse(stdout) as {
      analysis: { types: { kind: string } };
      problems: Record<string, readonly { resolutionKind?: string }[]>;
    };
    expect(analysis.types.kind).toBe('included');
    const found = Object.values(problems)
      .flat()
      .filter(({ resolutionKind }) => resolutionKind !== 'node10');
    expect(found).toEqual([]);
  });

  const USE = `createClient, type Inspection } from 'manifest-tool';
export const inspected: Promise<Inspection> = createClient().inspect('a');
`;
  test.each<[string, string, Record<string, unknown>]>([
    ['nodenext', 'use.ts', { module: 'nodenext' }],
    ['bundler', 'use.ts', { module: 'esnext', moduleResolution: 'bundler' }],
    ['node16, from CommonJS', 'use.cts', { module: 'node16' }],
    ['nodenext, from CommonJS', 'use.cts', { module: 'nodenext' }],
  ])('has types for %s', async (name, file, options) => {
    const folder = path.join(project, `types-${name.replaceAll(/[^a-z0-9]/g, '-')}`);
    await mkdir(folder);
    await writeFile(path.join(folder, file), `import { ${USE}`);
    await compile(folder, [file], options);
  });
});

describe.each(NODES)('on Node %s', (version) => {
  let node: string;

  beforeAll(async () => {
    node = await nodeOf(version);
  }, 300_000);

  /** Runs a file of the project with this Node, and nothing in its environment. */
  const start = async (file: string, ...args: string[]) =>
    (await run(node, [file, ...args], { cwd: project, env: { HOME: project } })).stdout;
  const bin = 'node_modules/manifest-tool/bin/manifest-tool.cjs';

  test('the command line runs', async () => {
    const own = await readFile('package.json', 'utf8');
    const { version: expected } = JSON.parse(own) as { version: string };
    const line = await start(bin, '--version');
    expect(line.replace(/ \(commit [0-9a-f]{12}(-dirty)?\)\n$/, '\n')).toBe(
      `manifest-tool version ${expected}\n`,
    );
  });

  test('the library runs in a worker thread, and by require', async () => {
    await writeFile(
      path.join(project, 'worker.js'),
      `import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { createClient } from 'manifest-tool';
if (isMainThread) new Worker(new URL(import.meta.url)).on('message', (kind) => console.log(kind));
else {
  await using client = createClient();
  parentPort.postMessage(await client.inspect('oci-layout://fixtures/layout:linux-amd64'));
}
`.replace('await using client', 'const client'),
    );
    await writeFile(
      path.join(project, 'required.cjs'),
      `const { createClient, ManifestToolError } = require('manifest-tool');
import('manifest-tool').then(async (imported) => {
  const client = createClient();
  const { kind } = await client.inspect('oci-layout://fixtures/layout:linux-amd64');
  console.log(kind, imported.ManifestToolError === ManifestToolError);
  await client.close();
});
`,
    );
    expect(await start('worker.js')).toContain("kind: 'image'");
    expect(await start('required.cjs')).toBe('image true\n');
  });

  test('the command line and the library publish the same index', async () => {
    const [first, second] = [`oci-layout://cli-${version}:1`, `oci-layout://library-${version}:1`];
    const target = ['--template', TEMPLATE, '--target', first];
    const printed = await start(bin, ...MAIN_JOB, ...target);
    const digest = /^Digest: (sha256:[0-9a-f]{64}) [0-9]+\n$/.exec(printed)?.[1];
    expect(digest).toBeDefined();
    expect(await start('program.js', second)).toBe(`${digest}\nUSAGE\n`);
    const proof = await start(bin, 'verify', '--platforms', 'linux/amd64,linux/s390x', second);
    expect(proof).toContain(digest!);
  });
});

/** The file of a command of a package. */
function binOf(manifest: string, command: string): string {
  const { bin } = require(manifest) as { bin: Record<string, string> };
  return path.join(path.dirname(manifest), bin[command]!);
}
