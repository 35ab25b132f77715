/**
 * Generates docs/reference/commands and man from the definitions of the commands (src/cli/args) and
 * the texts in scripts/manual.
 *
 *     node scripts/docs/manual.mjs           writes them
 *     node scripts/docs/manual.mjs --check   exits 1 if a committed file differs
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { ROOT } from '../project.mjs';

const FOLDERS = ['docs/reference/commands', 'man'];
const MADE = path.join(ROOT, '.cache', 'manual');

/** The files of the manual, from its TypeScript sources: path in the repository, and text. @returns {Promise<Map<string, string>>} */
async function makeFiles() {
  const build = await rolldown({
    cwd: ROOT,
    input: path.join(ROOT, 'scripts/manual/manual.ts'),
    platform: 'node',
    // Only the definitions: the help's layout is not needed.
    treeshake: { moduleSideEffects: false },
  });
  try {
    const { output } = await build.write({ dir: MADE, format: 'esm' });
    const { manual } = await import(pathToFileURL(path.join(MADE, output[0].fileName)).href);
    return manual();
  } finally {
    await build.close();
  }
}

/** @param {string} name */
function readText(name) {
  const file = path.join(ROOT, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** @param {string} folder */
function listFiles(folder) {
  const directory = path.join(ROOT, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => `${folder}/${name}`);
}

const files = await makeFiles();
const extra = FOLDERS.flatMap(listFiles).filter((name) => !files.has(name));
const changed = [...files].filter(([name, text]) => readText(name) !== text);
if (process.argv.includes('--check')) {
  for (const name of [...changed.map(([each]) => each), ...extra]) {
    console.error(`${name} is stale: run make manual`);
    process.exitCode = 1;
  }
} else {
  for (const folder of FOLDERS) mkdirSync(path.join(ROOT, folder), { recursive: true });
  for (const name of extra) rmSync(path.join(ROOT, name));
  for (const [name, text] of changed) writeFileSync(path.join(ROOT, name), text);
}
