/**
 * Measures what the program costs before it does anything: `--version` and `inspect --help` beside `node -e 0`, in
 * interleaved rounds so that a busy machine slows all of them. Medians; `node scripts/bench-startup.mjs [ROUNDS]`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../bin/manifest-tool.cjs', import.meta.url));
const rounds = Number(process.argv[2] ?? 20);

const CASES = [
  { name: 'node -e 0', args: ['-e', '0'], times: [] },
  { name: '--version', args: [BIN, '--version'], times: [] },
  { name: 'inspect --help', args: [BIN, 'inspect', '--help'], times: [] },
];

// Where it is set, Node 20 parses that whole file at every start: 40 ms that are not the program's.
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

function measure({ name, args }) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  const elapsed = performance.now() - start;
  if (status !== 0) throw new Error(`${name} ended with status ${status}: ${stderr}`);
  return elapsed;
}

function median(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('usage: node scripts/bench-startup.mjs [ROUNDS]');
  process.exit(2);
}
for (const one of CASES) measure(one); // reads the files into the system's cache
for (let round = 0; round < rounds; round += 1)
  for (const one of CASES) one.times.push(measure(one));

const floor = median(CASES[0].times);
console.log(`node ${process.version}, ${rounds} rounds`);
console.log(`${'command'.padEnd(16)}${'median ms'.padStart(10)}${'x node'.padStart(9)}`);
for (const { name, times } of CASES) {
  const ms = median(times);
  console.log(
    `${name.padEnd(16)}${ms.toFixed(1).padStart(10)}${(ms / floor).toFixed(2).padStart(9)}`,
  );
}
