/**
 * Fuzzes each parser of test/fuzz/parsers.ts with FUZZ_RUNS inputs (default: 100,000) and prints a
 * table. Each parser runs in a vitest of its own, one per core at a time. FUZZ_SEED repeats a run.
 * Exits 1 if a parser failed.
 *
 *     node scripts/test/fuzz.mjs [PARSER...]
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../project.mjs';

const VITEST = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
const FILE = 'test/fuzz/fuzz.test.ts';
/** After this time a parser counts as hanging. */
const TIME_LIMIT_MS = 9 * 60_000;

const runs = process.env['FUZZ_RUNS'] ?? '100000';
const seed = process.env['FUZZ_SEED'] ?? String(Math.floor(Math.random() * 2 ** 31));
if (![runs, seed].every((text) => /^[0-9]+$/.test(text))) {
  console.error('FUZZ_RUNS and FUZZ_SEED are whole numbers');
  process.exit(2);
}

/** @typedef {{ name: string, inputs: number, seconds: number, failure: string | undefined }} Result of one parser */

/** @returns {string[]} */
function parserNames() {
  const list = spawnSync(process.execPath, [VITEST, 'list', FILE, '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (list.status !== 0) throw new Error(`vitest list failed: ${list.stderr}`);
  /** @type {{ name: string }[]} */
  const tests = JSON.parse(list.stdout);
  return tests.map(({ name }) => name);
}

/** Runs the test of one parser. @param {string} name @param {string} directory for its report @returns {Promise<Result>} */
async function tryParser(name, directory) {
  const report = path.join(directory, `${name.replaceAll(/\W/g, '-')}.json`);
  const pattern = `^${name.replaceAll(/[^\w ]/g, '\\$&')}$`;
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [VITEST, 'run', FILE, '--testNamePattern', pattern, '--reporter=dot'],
    {
      cwd: ROOT,
      env: { ...process.env, FUZZ_RUNS: runs, FUZZ_SEED: seed, FUZZ_REPORT: report },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that vitest's workers end with it.
      detached: true,
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => (output += chunk));
  }
  const end = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  const timer = setTimeout(end, TIME_LIMIT_MS);
  process.once('exit', end);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  process.removeListener('exit', end);
  const { inputs, failure } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const seconds = (performance.now() - start) / 1000;
  const hung = code === null ? `it did not end within ${TIME_LIMIT_MS / 60_000} minutes` : output;
  return {
    name,
    inputs: inputs ?? 0,
    seconds,
    failure: failure ?? (code === 0 ? undefined : hung),
  };
}

/** @param {string} name @param {string} inputs @param {string} seconds @param {string} failures */
function row(name, inputs, seconds, failures) {
  console.log(
    `${name.padEnd(16)} ${inputs.padStart(9)} ${seconds.padStart(8)} ${failures.padStart(9)}`,
  );
}

const directory = mkdtempSync(path.join(tmpdir(), 'manifest-tool-fuzz-'));
const names = process.argv.length > 2 ? process.argv.slice(2) : parserNames();
const waiting = [...names];
/** @type {Result[]} */
const failed = [];
const start = performance.now();
let total = 0;
console.log(`seed ${seed}`);
row('parser', 'inputs', 'seconds', 'failures');
async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const result = await tryParser(name, directory);
    total += result.inputs;
    if (result.failure !== undefined) failed.push(result);
    row(name, String(result.inputs), result.seconds.toFixed(1), result.failure ? '1' : '0');
  }
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
try {
  await Promise.all(Array.from({ length: availableParallelism() }, work));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
row('all', String(total), ((performance.now() - start) / 1000).toFixed(1), String(failed.length));
for (const { name, failure } of failed) console.log(`\n${name}: ${failure}`);
const [first] = failed;
if (first !== undefined) {
  console.log(
    `\nagain: FUZZ_SEED=${seed} FUZZ_RUNS=${runs} node scripts/test/fuzz.mjs '${first.name}'`,
  );
  process.exitCode = 1;
}
