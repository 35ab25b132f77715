/**
 * Writes the version of package.json into src/version.ts, so that the program knows it without
 * reading a file. `npm version X.Y.Z` runs this; with `--check` it writes nothing and fails if the
 * version differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE, ROOT } from '../project.mjs';

const FILE = path.join(ROOT, 'src', 'version.ts');

const wanted = `/** The version of this program, from package.json: \`npm version\` changes both. */
export const VERSION = '${PACKAGE.version}';
`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted);
} else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error('src/version.ts differs from package.json: run node scripts/build/version.mjs');
  process.exitCode = 1;
}
