/**
 * Writes the programs of examples/library, and what they print, into docs/guides/library.md. With `--check` nothing is written,
 * and a page that differs is an error.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withSection } from '../bench/section.mjs';
import { ROOT } from '../project.mjs';

const PAGE = 'docs/guides/library.md';
const FOLDER = path.join(ROOT, 'examples', 'library');

/** @param {string} name */
function section(name) {
  const program = readFileSync(path.join(FOLDER, `${name}.ts`), 'utf8');
  const output = path.join(FOLDER, `${name}.txt`);
  const code = `\`\`\`ts\n${program}\`\`\``;
  return existsSync(output) ? `${code}\n\n\`\`\`text\n${readFileSync(output, 'utf8')}\`\`\`` : code;
}

const file = path.join(ROOT, PAGE);
const committed = readFileSync(file, 'utf8');
const names = readdirSync(FOLDER)
  .filter((each) => each.endsWith('.ts'))
  .map((each) => path.basename(each, '.ts'));
const made = names.reduce((page, name) => withSection(page, name, section(name)), committed);
if (made !== committed && process.argv.includes('--check')) {
  console.error(`${PAGE} differs from examples/library: run make docs`);
  process.exitCode = 1;
} else if (made !== committed) {
  writeFileSync(file, made);
  console.log(`${PAGE} written`);
}
