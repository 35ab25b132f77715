/**
 * Compares this program with other tools, against the distribution registry behind a delay; see
 * USAGE in scripts/bench/options.mjs. Prints a table per job and writes a plot.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { JOBS, MAIN_JOBS } from './jobs.mjs';
import { measureJob } from './measure.mjs';
import { parseOptions, USAGE, UsageError } from './options.mjs';
import { findTools } from './peers.mjs';
import { plot } from './plot.mjs';
import { withSection } from './section.mjs';
import { measureStartup } from './startup.mjs';
import { markdownTable, summaryTable, textTable } from './table.mjs';
import { TOOLS } from './tools/index.mjs';
import { ours } from './tools/ours.mjs';

const DETAILS = fileURLToPath(new URL('../../docs/internals/benchmarks.md', import.meta.url));

// Registries and proxies end with this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));

/** @param {string} file @param {readonly string[]} parts */
function write(file, parts) {
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), 'bench', parts.join('\n\n')));
}

/** @param {string} text */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** @param {import('./options.mjs').Options} options */
async function measureAll(options) {
  // This program is always included: the others are compared with it.
  const wanted = TOOLS.filter((tool) => tool === ours || options.tools.includes(tool.name));
  const { present, missing } = findTools(wanted);
  const tools = present.map(({ tool }) => tool);
  const versions = new Map(present.map(({ tool, version }) => [tool.name, version]));
  const tables = [];
  for (const job of JOBS.filter(({ name }) => options.jobs.includes(name)))
    tables.push(await measureJob(job, tools, options, progress));
  if (options.jobs.includes('startup')) tables.push(await measureStartup(options, progress));
  progress('');
  return { tables, versions, missing };
}

/** The command that repeats the measurements, and the machine they were made on. @param {readonly string[]} argv @param {number} load of the machine before */
function captionOf(argv, load) {
  const args = argv
    .filter((arg) => arg !== '--write' && arg !== '--json')
    .map((arg) => (arg.includes(' ') ? `"${arg}"` : arg))
    .join(' ');
  const command = args === '' ? 'make bench' : `make bench BENCH_ARGS='${args}'`;
  const date = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.version}, ${os.availableParallelism()} cores, ${os.type()}`;
  return { command, machine: `Medians of ${date}; ${machine}, load ${load.toFixed(1)} before.` };
}

const argv = process.argv.slice(2);
try {
  const options = parseOptions(argv);
  if (options === undefined) console.log(USAGE);
  else {
    const start = performance.now();
    const [load = 0] = os.loadavg();
    const results = await measureAll(options);
    const { tables, versions, missing } = results;
    const { command, machine } = captionOf(argv, load);
    const absent = `Not on this machine, and so not measured: ${missing.join(', ')}.`;
    const notes = missing.length === 0 ? [machine] : [machine, absent];
    const main = tables.filter(({ job }) => MAIN_JOBS.includes(job));
    const shown = main.length === 0 ? tables : main;
    writeFileSync(path.resolve(options.svg), plot(shown, versions, [command, ...notes]));
    if (options.write) {
      const caption = `\`${command}\`. ${notes.join(' ')}`;
      const details = tables.map((table) => markdownTable(table, versions));
      write(DETAILS, [summaryTable(shown, versions), caption, ...details]);
    }
    if (options.json) {
      const named = { command, machine, missing, versions: Object.fromEntries(versions), tables };
      console.log(JSON.stringify(named, undefined, 2));
    } else {
      for (const table of tables) console.log(`${textTable(table, versions)}\n`);
      console.log([...notes, `Plot: ${options.svg}`].join('\n'));
      console.log(`All of it took ${Math.round((performance.now() - start) / 1000)} s.`);
    }
  }
} catch (error) {
  progress('');
  const isUsage = error instanceof UsageError;
  const why = error instanceof Error ? error.message : String(error);
  console.error(isUsage ? `bench: ${why}\n${USAGE}` : `bench: ${why}`);
  process.exitCode = isUsage ? 2 : 1;
}
