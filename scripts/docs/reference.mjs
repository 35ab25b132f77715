/**
 * Writes docs/reference/library.md, the reference of the library, with TypeDoc from the types of the package. TypeDoc has packages
 * of its own (scripts/docs/reference), since it needs another TypeScript.
 *
 *     node scripts/docs/reference.mjs           writes the page
 *     node scripts/docs/reference.mjs --check   exits 1 if the committed page is not what would be written
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeTypes } from '../build/api.mjs';
import { ROOT } from '../project.mjs';

const PAGE = 'docs/reference/library.md';
const FOLDER = path.join(ROOT, 'scripts', 'docs', 'reference');
const OUTPUT = path.join(ROOT, '.cache', 'reference');

const INTRO = `# Reference of the library

Every export of the package, generated from its types by \`make reference\`. The [guide](../guides/library.md) shows how to use them.`;

function render() {
  makeTypes(path.join(ROOT, '.cache', 'api', 'index.d.ts'), 'check');
  rmSync(OUTPUT, { recursive: true, force: true });
  const typedoc = path.join(FOLDER, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const args = [typedoc, '--options', path.join(FOLDER, 'typedoc.json'), '--out', OUTPUT];
  execFileSync(process.execPath, [...args, '--logLevel', 'Warn', '--treatWarningsAsErrors'], {
    cwd: FOLDER,
    stdio: 'inherit',
  });
  const text = readFileSync(path.join(OUTPUT, 'README.md'), 'utf8');
  // The first heading is that of this page.
  return `${INTRO}\n\n${text.slice(text.indexOf('\n## ') + 1)}`;
}

const made = render();
const file = path.join(ROOT, PAGE);
if (!process.argv.includes('--check')) {
  writeFileSync(file, made);
  console.log(`${PAGE} written`);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== made) {
  console.error(`${PAGE} is stale: run make reference, and commit what it changes`);
  process.exitCode = 1;
} else console.log(`reference: ${PAGE}, ok`);
