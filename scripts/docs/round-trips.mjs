/**
 * Makes the tables of round trips in docs/performance.md and the README again, from docs/round-trips.json. With `--check` it writes nothing,
 * and ends with 1 where a table is not what it would be.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { detailedTables, shortTable } from '../bench/round-trips.mjs';
import { withSection } from '../bench/section.mjs';

/** @param {string} file */
const inRoot = (file) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

const roundTrips = JSON.parse(readFileSync(inRoot('docs/round-trips.json'), 'utf8'));
const isCheck = process.argv.includes('--check');
const documents = [
  { file: 'docs/performance.md', content: detailedTables(roundTrips) },
  { file: 'README.md', content: shortTable(roundTrips) },
];
for (const { file, content } of documents) {
  const held = readFileSync(inRoot(file), 'utf8');
  const made = withSection(held, 'round-trips', content);
  if (made === held) continue;
  if (isCheck) {
    console.error(`${file} does not say what docs/round-trips.json says: make docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(inRoot(file), made);
    console.log(`${file} written`);
  }
}
