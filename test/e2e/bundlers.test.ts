import { cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pack, projectWith, run, type Packed } from '../support/package.js';
import { startRegistry, type Registry } from '../support/registry.js';

/** The library in the bundles that users make, each run on its own without node_modules. */

const BUNDLERS = ['esbuild', 'rollup', 'vite', 'webpack'];
const FORMATS = ['esm', 'cjs'];

/** Reads a layout, writes to a registry, reads YAML and matches tags: every dependency is used. */
const PROGRAM = `
import { createClient, parseSpecs, ManifestToolError } from 'manifest-tool';
async function main() {
  const [host] = process.argv.slice(2);
  const client = createClient({ retries: 0 });
  const text = 'image: ' + host + '/bundled:1\\nmanifests:\\n  - image: oci-layout://fixtures/layout:linux-amd64\\n';
  for (const spec of parseSpecs(text)) await client.push({ ...spec, type: 'oci' });
  await client.copy({ source: host + '/bundled:1', target: 'oci-archive://bundled.tar:1' });
  console.log((await client.query('oci-archive://bundled.tar:1')).kind);
  console.log(await client.listTags(host + '/bundled', { match: '[0-9]' }));
  await client.query(host + '/none').catch((error) => console.log(error instanceof ManifestToolError, error.name, error.code));
  await client.close();
}
main();
`;
const ONE_FUNCTION =
  "import { parseReference } from 'manifest-tool';\nconsole.log(parseReference('a/b').repository);\n";

let packed: Packed;
let project: string;
let registry: Registry;

beforeAll(async () => {
  [packed, registry] = await Promise.all([pack(), startRegistry()]);
  project = await projectWith(packed.tarball);
  await writeFile(path.join(project, 'program.js'), PROGRAM);
  await writeFile(path.join(project, 'one.js'), ONE_FUNCTION);
});

afterAll(async () => {
  await registry.stop();
  await Promise.all([packed.folder, project].map((each) => rm(each, { recursive: true })));
});

/** Bundles a program, and runs the result in a folder that has nothing else. */
async function bundled(bundler: string, format: string, program: string) {
  const folder = path.join(project, 'alone', `${program}-${bundler}-${format}`);
  await mkdir(folder, { recursive: true });
  await cp('fixtures/layout', path.join(folder, 'fixtures/layout'), { recursive: true });
  const output = path.join(folder, format === 'esm' ? 'out.mjs' : 'out.cjs');
  const args = ['test/support/bundle.mjs', bundler, format, path.join(project, `${program}.js`)];
  await run(process.execPath, [...args, output]);
  await rm(path.join(folder, 'node_modules'), { recursive: true, force: true });
  const { stdout } = await run(process.execPath, [output, registry.host], {
    cwd: folder,
    env: { HOME: folder },
  });
  return { stdout, size: (await stat(output)).size };
}

const CASES = BUNDLERS.flatMap((bundler) => FORMATS.map((format) => [bundler, format] as const));

test.each(CASES)(
  '%s bundles the library to %s',
  async (bundler, format) => {
    const { stdout } = await bundled(bundler, format, 'program');
    expect(stdout).toBe("index\n[ '1' ]\ntrue ManifestToolError NOT_FOUND\n");
  },
  300_000,
);

test.each(BUNDLERS)(
  '%s leaves out what a program does not use',
  async (bundler) => {
    const { stdout, size } = await bundled(bundler, 'esm', 'one');
    expect(stdout).toBe('a/b\n');
    // rollup does not minify.
    expect(size).toBeLessThan(bundler === 'rollup' ? 40_000 : 20_000);
  },
  300_000,
);
