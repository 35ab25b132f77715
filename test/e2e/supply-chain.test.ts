import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/version.js';

const run = promisify(execFile);

describe('the SBOM', () => {
  interface Component {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly version: string;
    readonly type: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses: readonly object[];
    readonly properties: readonly { readonly value: string }[];
  }
  interface Sbom {
    readonly bomFormat: string;
    readonly specVersion: string;
    readonly metadata: { readonly component: Component };
    readonly components: readonly Component[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: string[] }[];
  }
  const file = `dist/manifest-tool-${VERSION}.cdx.json`;
  let text: string;
  let sbom: Sbom;

  beforeAll(async () => {
    await run(process.execPath, ['scripts/supply-chain/sbom.mjs']);
    text = await readFile(file, 'utf8');
    sbom = JSON.parse(text) as Sbom;
  });

  const placed = (where: string): string[] =>
    sbom.components
      .filter(({ properties }) => properties.some(({ value }) => value === where))
      .map(({ name, version }) => `${name} ${version}`)
      .toSorted();

  it('is CycloneDX, of this version, the same each time', async () => {
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(sbom.metadata.component).toMatchObject({ name: 'manifest-tool', version: VERSION });
    await run(process.execPath, ['scripts/supply-chain/sbom.mjs']);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('lists all that is in the package, and Node', async () => {
    const licenses = await readFile('THIRD-PARTY-LICENSES', 'utf8');
    const titles = [...licenses.matchAll(/^-{80}\n(.+) \(.+\)\n-{80}$/gm)].map(([, each]) => each!);
    expect(titles.length).toBeGreaterThan(20);
    expect(placed('npm package')).toEqual(titles.toSorted());
    expect(placed('executables')).toEqual(
      expect.arrayContaining([expect.stringMatching(/^node /)]),
    );
  });

  it('gives each package its sum and its licence, and names no other', () => {
    const refs = sbom.components.map((each) => each['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    const packages = sbom.components.filter(({ type }) => type === 'library');
    const bare = packages.filter(
      ({ hashes, licenses }) =>
        licenses.length !== 1 || !/^[0-9a-f]{128}$/.test(hashes?.[0]?.content ?? ''),
    );
    expect(bare).toEqual([]);
    const known = new Set([sbom.metadata.component['bom-ref'], ...refs]);
    const named = sbom.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    expect(named.filter((each) => !known.has(each))).toEqual([]);
  });

  it('knows what needs what', () => {
    const refOf = (name: string): string | undefined =>
      sbom.components.find((each) => each.name === name)?.['bom-ref'];
    const ora = sbom.dependencies.find(({ ref }) => ref === refOf('ora'));
    expect(ora?.dependsOn).toContain(refOf('cli-spinners'));
  });
});

describe('knip, as make check runs it', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mt-knip-'));
    const list = ['ls-files', '--cached', '--others', '--exclude-standard'];
    const { stdout } = await run('git', list);
    const files = stdout.trim().split('\n');
    for (const file of files.filter((each) => !each.startsWith('fixtures/') && existsSync(each)))
      await cp(file, path.join(folder, file));
    await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const knip = (): Promise<string> =>
    run(process.execPath, [path.resolve('node_modules/knip/bin/knip.js')], { cwd: folder }).then(
      () => 'nothing',
      (error: { code: number; stdout: string }) => `${error.code}\n${error.stdout}`,
    );

  it('finds nothing, and then a dependency, an export and a file that nothing uses', async () => {
    expect(await knip()).toBe('nothing');
    const own = path.join(folder, 'package.json');
    const content = JSON.parse(await readFile(own, 'utf8')) as { dependencies: object };
    content.dependencies = { ...content.dependencies, 'left-pad': '1.3.0' };
    await writeFile(own, JSON.stringify(content));
    const text = path.join(folder, 'src/text.ts');
    await writeFile(text, `${await readFile(text, 'utf8')}\nexport const planted = 1;\n`);
    await writeFile(path.join(folder, 'src/nobody.ts'), 'export const alone = 1;\n');
    const found = await knip();
    expect(found).toMatch(/^1\n/);
    for (const each of ['left-pad', 'planted', 'src/nobody.ts']) expect(found).toContain(each);
  });
});
