import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** Rejects with what it printed, where a command does not end with 0. */
export const run = promisify(execFile);

const TSC = path.resolve('node_modules/typescript/bin/tsc');

/** The package as `npm pack` makes it of what `npm run build` has built, in a folder of its own. */
export interface Packed {
  readonly folder: string;
  readonly tarball: string;
  /** In bytes. */
  readonly unpackedSize: number;
  readonly files: readonly string[];
}

export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt-packed-'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const report: unknown = JSON.parse((await run('npm', args)).stdout);
  // A list in some versions of npm, and an object by names in others.
  const [entry] = Object.values(report as object) as [
    { filename: string; unpackedSize: number; files: { path: string }[] },
  ];
  const { filename, unpackedSize, files } = entry;
  const tarball = path.join(folder, path.basename(filename));
  return { folder, tarball, unpackedSize, files: files.map((file) => file.path) };
}

/** A new project that has the package installed, with its dependencies as they are here. */
export async function projectWith(tarball: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt-project-'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const installed = path.join(folder, 'node_modules/manifest-tool');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  const manifest = await readFile(path.join(installed, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  // Not by npm: it would need the network to find out which versions there are.
  for (const name of Object.keys(dependencies))
    await symlink(path.resolve('node_modules', name), path.join(folder, 'node_modules', name));
  return folder;
}

/**
 * Compiles TypeScript files of a project, as strictly as it goes, against the types of the package.
 * @param options of the compiler, instead of those for `nodenext`
 */
export async function compile(
  folder: string,
  files: readonly string[],
  options: Readonly<Record<string, unknown>> = { module: 'nodenext' },
): Promise<void> {
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib: ['es2022', 'esnext.disposable'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: true,
      skipLibCheck: false,
      typeRoots: [path.resolve('node_modules/@types')],
      types: ['node'],
      ...options,
    },
    files,
  };
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  await run(process.execPath, [TSC, '-p', folder]).catch((error: { stdout: string }) => {
    throw new Error(error.stdout, { cause: error });
  });
}

/** Node of a version (`22`, `latest`), from npm where it is not the one that runs; kept in .cache. */
export async function nodeOf(version: string): Promise<string> {
  if (process.versions.node.startsWith(`${version}.`)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const root = path.resolve('.cache/runtimes', version);
  const file = path.join(root, 'node_modules', name, 'bin/node');
  if (existsSync(file)) return file;
  await mkdir(path.dirname(root), { recursive: true });
  const folder = await mkdtemp(`${root}-`);
  try {
    const spec = `${name}@${version}`;
    const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', '--prefer-offline', ...options, spec]);
    await rename(folder, root);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return file;
}
