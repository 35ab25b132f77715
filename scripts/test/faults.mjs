/**
 * Runs the complete fault matrix (test/adversarial/faults/matrix.ts): every fault at every request
 * of a push, once and always. Prints a table and the runs with a wrong outcome, and exits 1 if
 * there are any.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { ROOT } from '../project.mjs';

const RESULTS = `${ROOT}/.cache/faults.json`;

rmSync(RESULTS, { force: true });
const start = performance.now();
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/adversarial/faults/full.test.ts',
    '--reporter=dot',
  ],
  {
    cwd: ROOT,
    env: { ...process.env, MANIFEST_TOOL_FAULTS: 'full' },
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
if (status !== 0) {
  console.error(
    'the fault matrix could not be run: npx vitest run test/adversarial/faults/full.test.ts',
  );
  process.exit(1);
}
/**
 * @typedef {object} Result of one push
 * @property {{ readonly key: string, readonly kind: string, readonly place: string }} request the one that the fault came at
 * @property {string} fault
 * @property {boolean} always whether the fault came at each repetition of the request as well
 * @property {readonly string[]} problems
 */

/** @type {{ readonly kinds: readonly string[], readonly faults: readonly string[], readonly results: readonly Result[] }} */
const { kinds, faults, results } = JSON.parse(readFileSync(RESULTS, 'utf8'));

/** @param {readonly Result[]} some */
function countGood(some) {
  return some.filter(({ problems }) => problems.length === 0).length;
}

/** A cell of the table: how many of the pushes with a fault once, and always, ended well. @param {readonly Result[]} some */
function cell(some) {
  /** @param {boolean} always */
  const part = (always) => {
    const those = some.filter((result) => result.always === always);
    return `${countGood(those)}/${those.length}`.padStart(7);
  };
  return some.length === 0 ? '' : part(false) + part(true);
}

/** @param {readonly Result[]} some */
function percentOf(some) {
  const good = countGood(some);
  return `${((100 * good) / some.length).toFixed(1).replace('.0', '')} % (${good} of ${some.length})`;
}

for (const { request, fault, always, problems } of results) {
  if (problems.length === 0) continue;
  console.log(`${fault} ${always ? 'always' : 'once'} at ${request.key}, ${request.place}:`);
  for (const problem of problems) console.log(`  ${problem.trimEnd().replaceAll('\n', '\n    ')}`);
}

const seconds = Math.round((performance.now() - start) / 1000);
console.log(
  `A push of 3 images under 2 tags, a fault at one request of it: ${results.length} runs in ${seconds} s.`,
);
console.log('Published if it came once, and clean if it came always:\n');
const rows = [
  ['', ...kinds],
  ['', ...kinds.map(() => 'once always'.padStart(14))],
  ...faults.map((fault) => [
    fault,
    ...kinds.map((kind) =>
      cell(results.filter((result) => result.fault === fault && result.request.kind === kind)),
    ),
  ]),
];
for (const [name = '', ...cells] of rows)
  console.log(name.padEnd(13) + cells.map((text) => text.padStart(16)).join(''));

const once = results.filter(({ always }) => !always);
const always = results.filter((result) => result.always);
console.log(`\npublished: ${percentOf(once)}; clean: ${percentOf(always)}`);
process.exit(results.every(({ problems }) => problems.length === 0) ? 0 : 1);
