/**
 * The version stands in package.json; this writes it into src/version.ts, where the program reads it without reading a
 * file. `npm version X.Y.Z` runs it; `--check` writes nothing, and a version that differs is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../project.mjs';

const FILE = path.join(ROOT, 'src', 'version.ts');

const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const wanted = `/** The version of this program, from package.json: \`npm version\` changes both. */
export const VERSION = '${version}';
`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted);
} else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error('src/version.ts is not that of package.json: run node scripts/build/version.mjs');
  process.exitCode = 1;
}
