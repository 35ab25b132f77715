/**
 * Runs the whole fault matrix (test/adversarial/faults/matrix.ts): every fault at every request of a push, once and always. Prints the runs that
 * did not end as they have to, and a table; ends with 1 unless all did.
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
const { kinds, faults, results } = JSON.parse(readFileSync(RESULTS, 'utf8'));

function shareOf(some) {
  return `${some.filter(({ problems }) => problems.length === 0).length}/${some.length}`;
}

function cell(some) {
  const part = (always) => shareOf(some.filter((result) => result.always === always)).padStart(7);
  return some.length === 0 ? '' : part(false) + part(true);
}

function percentOf(some) {
  const good = some.filter(({ problems }) => problems.length === 0).length;
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
console.log('Published where it came once, and clean where it came always:\n');
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
for (const [name, ...cells] of rows)
  console.log(name.padEnd(13) + cells.map((text) => text.padStart(16)).join(''));

const once = results.filter(({ always }) => !always);
const always = results.filter((result) => result.always);
console.log(`\npublished: ${percentOf(once)}; clean: ${percentOf(always)}`);
process.exit(results.every(({ problems }) => problems.length === 0) ? 0 : 1);
