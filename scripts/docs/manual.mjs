/**
 * Makes docs/commands and man from the definitions of the commands (src/cli/args/commands.ts, src/cli/args/options.ts) and the texts in scripts/manual.
 *
 *     node scripts/docs/manual.mjs           writes them
 *     node scripts/docs/manual.mjs --check   exits 1 where a committed file is not what would be written
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from '../project.mjs';

const FOLDERS = ['docs/commands', 'man'];

/** The files of the manual, made by its TypeScript sources: path in the repository, and text. */
async function makeFiles() {
  const build = await rolldown({
    cwd: ROOT,
    input: path.join(ROOT, 'scripts/manual/manual.ts'),
    platform: 'node',
    // What a command does is never loaded.
    external: /^\.\/commands\//,
  });
  try {
    const { output } = await build.generate({ format: 'esm' });
    const code = Buffer.from(output[0].code).toString('base64');
    const { manual } = await import(`data:text/javascript;base64,${code}`);
    return manual();
  } finally {
    await build.close();
  }
}

function readText(name) {
  try {
    return readFileSync(path.join(ROOT, name), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function listFiles(folder) {
  try {
    return readdirSync(path.join(ROOT, folder)).map((name) => `${folder}/${name}`);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

const files = await makeFiles();
const extra = FOLDERS.flatMap(listFiles).filter((name) => !files.has(name));
const changed = [...files.keys()].filter((name) => readText(name) !== files.get(name));
if (process.argv.includes('--check')) {
  for (const name of [...changed, ...extra]) {
    console.error(`${name} is stale: run make manual`);
    process.exitCode = 1;
  }
} else {
  for (const folder of FOLDERS) mkdirSync(path.join(ROOT, folder), { recursive: true });
  for (const name of extra) rmSync(path.join(ROOT, name));
  for (const name of changed) writeFileSync(path.join(ROOT, name), files.get(name));
}
