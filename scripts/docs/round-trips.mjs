/**
 * Writes the tables of round trips in docs/internals/performance.md, from docs/round-trips.json.
 * With `--check` it writes nothing and fails if a table differs.
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
const PAGE = 'docs/internals/performance.md';
const committed = readFileSync(inRoot(PAGE), 'utf8');
const made = withSection(
  committed,
  'round-trips',
  `${shortTable(roundTrips)}\n\n${detailedTables(roundTrips)}`,
);
if (made !== committed && isCheck) {
  console.error(`${PAGE} differs from docs/round-trips.json: run make docs`);
  process.exitCode = 1;
} else if (made !== committed) {
  writeFileSync(inRoot(PAGE), made);
  console.log(`${PAGE} written`);
}
