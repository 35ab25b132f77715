/**
 * Writes the tables of round trips in docs/internals/performance.md and the README, from docs/round-trips.json. With `--check` nothing is
 * written, and a table that differs is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { detailedTables, shortTable } from '../bench/round-trips.mjs';
import { withSection } from '../bench/section.mjs';
import { ROOT } from '../project.mjs';

/** @param {string} file */
const inRoot = (file) => path.join(ROOT, file);

const roundTrips = JSON.parse(readFileSync(inRoot('docs/round-trips.json'), 'utf8'));
const isCheck = process.argv.includes('--check');
const documents = [
  { file: 'docs/internals/performance.md', content: detailedTables(roundTrips) },
  { file: 'README.md', content: shortTable(roundTrips) },
];
for (const { file, content } of documents) {
  const committed = readFileSync(inRoot(file), 'utf8');
  const made = withSection(committed, 'round-trips', content);
  if (made === committed) continue;
  if (isCheck) {
    console.error(`${file} differs from docs/round-trips.json: run make docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(inRoot(file), made);
    console.log(`${file} written`);
  }
}
