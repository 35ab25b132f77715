/**
 * Measures the executables of `make binary`: their sizes, and the start-up of the one for this machine beside the Node
 * that is in it and beside the npm package on that Node, in interleaved rounds. `node scripts/bench/executables.mjs [--write]`;
 * `--write` puts the tables into the README.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { withSection } from './section.mjs';
import { medians } from './statistics.mjs';
import { executableName } from '../executables/executable.mjs';
import { ROOT } from '../project.mjs';
import { fetchRuntime, HOST, run, TARGETS } from '../executables/runtime.mjs';

const ROUNDS = 40;
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const fileOf = (target) => path.join(ROOT, 'dist', 'binary', executableName(version, target));

// Where it is set, some lines of Node parse that whole file at every start.
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

function sizes() {
  const rows = TARGETS.map((target) => {
    const file = fileOf(target);
    if (!existsSync(file)) throw new Error(`${file} is missing: run make binary`);
    const packed = gzipSync(readFileSync(file), { level: 9 }).length;
    return `| ${target} | ${megabytes(statSync(file).size)} | ${megabytes(packed)} |`;
  });
  return ['| executable | size | compressed |', '| --- | --- | --- |', ...rows].join('\n');
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function startup() {
  const node = fetchRuntime(HOST);
  const bin = path.join(ROOT, 'bin', 'manifest-tool.cjs');
  const cases = [
    ['`node -e 0`', [node, '-e', '0']],
    ['npm package `--version`', [node, bin, '--version']],
    ['executable `--version`', [fileOf(HOST), '--version']],
    ['npm package `inspect --help`', [node, bin, 'inspect', '--help']],
    ['executable `inspect --help`', [fileOf(HOST), 'inspect', '--help']],
  ].map(([name, words]) => ({ name, words, runs: [] }));
  // The first round reads the files into the system's cache.
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const { words, runs } of cases) {
      const start = performance.now();
      run(words[0], words.slice(1), { env });
      if (round > 0) runs.push({ seconds: (performance.now() - start) / 1000 });
    }
  const [base, ...rest] = cases.map(({ name, runs }) => [name, medians(runs).seconds]);
  const rows = [base, ...rest].map(
    ([name, seconds]) =>
      `| ${name} | ${(seconds * 1000).toFixed(0)} ms | ${(seconds / base[1]).toFixed(2)} |`,
  );
  return [
    `| ${HOST}, Node of the executable | median | × node |`,
    '| --- | --- | --- |',
    ...rows,
  ].join('\n');
}

try {
  const tables = `${sizes()}\n\n${startup()}`;
  console.log(tables);
  if (process.argv.includes('--write')) {
    const readme = path.join(ROOT, 'README.md');
    writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), 'executables', tables));
  }
} catch (error) {
  console.error(`bench-binary failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
