import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
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

/** A new project that has the package installed, and nothing else; it needs no network. */
export async function projectWith(tarball: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt-project-'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
  return folder;
}

/** Compiles TypeScript files of a project, as strictly as it goes, against the types of the package. */
export async function compile(folder: string, files: readonly string[]): Promise<void> {
  const config = {
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: true,
      skipLibCheck: false,
      typeRoots: [path.resolve('node_modules/@types')],
      types: ['node'],
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
