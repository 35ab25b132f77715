/**
 * Measures the executables of `make binary`: their sizes, and in interleaved rounds the start-up of
 * the one for this machine, of the Node in it, and of the npm package on that Node.
 *
 *     node scripts/bench/executables.mjs [--write]   --write puts the tables into the README
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { withSection } from './section.mjs';
import { medians } from './statistics.mjs';
import { executableName } from '../executables/executable.mjs';
import { messageOf, PACKAGE, ROOT } from '../project.mjs';
import { fetchRuntime, HOST, run, TARGETS } from '../executables/runtime.mjs';

const ROUNDS = 40;
/** @param {string} target */
const fileOf = (target) =>
  path.join(ROOT, 'dist', 'binary', executableName(PACKAGE.version, target));

// Node 20 and 22 parse the whole file at every start.
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

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function startup() {
  const node = fetchRuntime(HOST);
  const bin = path.join(ROOT, 'bin', 'manifest-tool.cjs');
  /** @type {readonly (readonly [name: string, command: readonly [string, ...string[]]])[]} */
  const commands = [
    ['`node -e 0`', [node, '-e', '0']],
    ['npm package `--version`', [node, bin, '--version']],
    ['executable `--version`', [fileOf(HOST), '--version']],
    ['npm package `inspect --help`', [node, bin, 'inspect', '--help']],
    ['executable `inspect --help`', [fileOf(HOST), 'inspect', '--help']],
  ];
  const cases = commands.map(([name, command]) => {
    /** @type {{ seconds: number }[]} */
    const runs = [];
    return { name, command, runs };
  });
  // The first round fills the file system cache.
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const { command, runs } of cases) {
      const start = performance.now();
      const [program, ...args] = command;
      run(program, args, { env });
      if (round > 0) runs.push({ seconds: (performance.now() - start) / 1000 });
    }
  const results = cases.map(({ name, runs }) => ({ name, seconds: medians(runs).seconds ?? 0 }));
  const base = results[0]?.seconds ?? 0;
  const rows = results.map(
    ({ name, seconds }) =>
      `| ${name} | ${(seconds * 1000).toFixed(0)} ms | ${(seconds / base).toFixed(2)} |`,
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
    const page = path.join(ROOT, 'docs/internals/executables.md');
    writeFileSync(page, withSection(readFileSync(page, 'utf8'), 'executables', tables));
  }
} catch (error) {
  console.error(`measuring the executables failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
