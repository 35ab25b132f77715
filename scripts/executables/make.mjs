/**
 * Builds the single executables (`make binary`) in dist/binary from dist/cli and the Node that npm
 * serves for each target, with their licences and SHA-256 sums. Those that can run on this machine
 * are tested.
 *
 *     node scripts/executables/make.mjs [--out FOLDER] [TARGET,...]   all that can be built here, or the given ones
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { canMake, executableName, makeExecutable, runnerFor } from './executable.mjs';
import { fetchRuntime, HOST, run, TARGETS } from './runtime.mjs';
import { messageOf, PACKAGE, ROOT } from '../project.mjs';

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: path.join(ROOT, 'dist', 'binary') } },
  allowPositionals: true,
});
const OUT = path.resolve(values.out);
/** Targets that can be built on this machine: all on Linux x64. */
const HERE = TARGETS.filter(canMake);
const CHUNKS = path.join(ROOT, 'dist', 'cli');
const { version } = PACKAGE;

/**
 * Fails unless an executable gives the same result as the npm package.
 * @param {readonly string[]} command the words that run it
 */
function smokeTest(command) {
  const wanted = mainJob([process.execPath, path.join(ROOT, 'bin', 'manifest-tool.cjs')]);
  const got = mainJob(command);
  if (got !== wanted)
    throw new Error(
      `${command.join(' ')} does not do what the npm package does:\n${got}\n${wanted}`,
    );
}

/** Output of a program for the main job. @param {readonly string[]} words its command */
function mainJob([command = '', ...args]) {
  const folder = `.cache/smoke-${process.pid}`;
  const source = 'oci-layout://fixtures/layout:OS-ARCHVARIANT';
  const target = `oci-layout://${folder}:1.0`;
  const platforms = 'linux/amd64,linux/arm64/v8';
  const lines = [
    '--version',
    `push --type oci from-args --platforms ${platforms} --template ${source} --target ${target}`,
    `inspect --raw ${target}`,
  ];
  try {
    return lines.map((line) => run(command, [...args, ...line.split(' ')], { cwd: ROOT })).join('');
  } finally {
    rmSync(path.join(ROOT, folder), { recursive: true, force: true });
  }
}

function writeLicenses() {
  // The packages for Windows have no license file; it is the same for all targets.
  const runtime = fetchRuntime(HOST.startsWith('win-') ? 'linux-x64' : HOST);
  const node = path.join(path.dirname(runtime), '..', 'LICENSE');
  const parts = [
    { title: 'manifest-tool', file: path.join(ROOT, 'LICENSE') },
    { title: 'Packages in manifest-tool', file: path.join(ROOT, 'THIRD-PARTY-LICENSES') },
    { title: 'Node.js, and what it contains', file: node },
  ].map(({ title, file }) => `==== ${title} ====\n\n${readFileSync(file, 'utf8').trim()}\n`);
  writeFileSync(path.join(OUT, `manifest-tool-${version}-LICENSES.txt`), parts.join('\n'));
}

/** Writes SHA256SUMS, as `sha256sum --check` reads it. */
function writeSums() {
  const sums = readdirSync(OUT)
    .toSorted()
    .map((name) => {
      const sum = createHash('sha256').update(readFileSync(path.join(OUT, name)));
      return `${sum.digest('hex')}  ${name}\n`;
    });
  writeFileSync(path.join(OUT, 'SHA256SUMS'), sums.join(''));
}

/** @param {readonly string[]} targets */
function makeAll(targets) {
  for (const target of targets)
    if (!canMake(target))
      throw new Error(`no executable for ${target} can be made here, only for ${HERE.join(', ')}`);
  if (!existsSync(path.join(CHUNKS, 'entry.cjs'))) throw new Error('not built yet: run make build');
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  for (const target of targets) {
    const output = path.join(OUT, executableName(version, target));
    const { codeCache, stripped } = makeExecutable({ target, output, chunks: CHUNKS });
    const runner = runnerFor(target);
    if (runner !== undefined) smokeTest([...runner, output]);
    const size = `${(statSync(output).size / 1e6).toFixed(0)} MB`;
    const unsigned = target.startsWith('darwin-') && process.platform !== 'darwin';
    const facts = [
      codeCache ? 'with code cache' : 'without code cache: it does not run here',
      ...(stripped || !target.startsWith('linux-') ? [] : ['not stripped: no tool for it here']),
      ...(unsigned ? ['not signed: sign it on macOS with codesign --sign -'] : []),
      runner === undefined ? 'not run' : runner.length === 0 ? 'run' : `run with ${runner[0]}`,
    ];
    console.log(
      `${executableName(version, target).padEnd(40)} ${size.padStart(7)}  ${facts.join(', ')}`,
    );
  }
  writeLicenses();
  writeSums();
}

try {
  const named = positionals
    .join(',')
    .split(/[\s,]+/)
    .filter(Boolean);
  makeAll(named.length > 0 ? named : HERE);
} catch (error) {
  console.error(`make binary failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
