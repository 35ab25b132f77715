import { createRequire } from 'node:module';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, nodeOf, pack, projectWith, run, type Packed } from '../support/package.js';

/** The package as a user gets it: packed, installed into an empty folder, and run on every Node that it is for. */

const NODES = ['20', '22', '24', 'latest'];
const MIB = 1024 * 1024;
const require = createRequire(import.meta.url);

/** Publishes a list as {@link MAIN_JOB} does, with the library. */
const PROGRAM = `
import { ManifestToolError, createClient, parsePlatform, parseReference, pushIndex, sourcesFromTemplate } from 'manifest-tool';

const [target = ''] = process.argv.slice(2);
const stores = createClient();
try {
  const platforms = ['linux/amd64', 'linux/s390x'].map((text) => parsePlatform(text));
  const { root } = await pushIndex(stores, {
    target: parseReference(target),
    type: 'oci',
    sources: sourcesFromTemplate('oci-layout://fixtures/layout:OS-ARCH', platforms),
  });
  console.log(root.digest);
  parseReference('a b');
} catch (error) {
  if (!(error instanceof ManifestToolError)) throw error;
  console.log(error.code);
} finally {
  await stores.close();
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
  test('has less than 1.25 MiB, and what it needs', () => {
    expect(packed.unpackedSize).toBeLessThan(1.25 * MIB);
    expect(packed.files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json']),
    );
    expect(packed.files.filter((file) => file.startsWith('dist/lib/'))).toHaveLength(2);
    const folders = /^(?:bin|dist\/(?:cli|lib)|man|specs)\/[^/]+$/;
    expect(packed.files.filter((file) => file.includes('/') && !folders.test(file))).toEqual([]);
  });

  test('brings no other package, and no code twice', async () => {
    const installed = await readdir(path.join(project, 'node_modules'));
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['manifest-tool']);
    const chunks = path.join(project, 'node_modules/manifest-tool/dist/cli');
    const names = await readdir(chunks);
    const texts = await Promise.all(names.map((name) => readFile(path.join(chunks, name), 'utf8')));
    // Texts that stand in one place of their source: of undici, of yaml, and of this program.
    const marks = ['UND_ERR_HEADERS_OVERFLOW', 'BLOCK_AS_IMPLICIT_KEY', 'is not a valid host'];
    const counts = marks.map((mark) => texts.filter((text) => text.includes(mark)).length);
    expect(counts).toEqual([1, 1, 1]);
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
    const format = ['--profile', 'esm-only', '--format', 'json'];
    const { stdout } = await run(process.execPath, [...args, ...format]);
    const { analysis, problems } = JSON.parse(stdout) as {
      analysis: { types: { kind: string } };
      problems: Record<string, readonly { resolutionKind?: string }[]>;
    };
    expect(analysis.types.kind).toBe('included');
    const esm = Object.values(problems)
      .flat()
      .filter(({ resolutionKind }) => !/node10|node16-cjs/.test(resolutionKind ?? ''));
    expect(esm).toEqual([]);
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

  test('the command line and the library publish the same list', async () => {
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
