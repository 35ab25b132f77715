/**
 * Builds one single executable (docs/decisions/single-executables.md), and determines how to run it
 * on this machine.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { oneFile } from './one-file.mjs';
import { fetchRuntime, HOST, isPinned, nodeVersion, run } from './runtime.mjs';

/**
 * First major version of Node that writes the executable itself; older ones write a blob that
 * postject inserts.
 */
const BUILDS_ITSELF = 26;
const POSTJECT = fileURLToPath(new URL('cli.js', import.meta.resolve('postject')));
/**
 * Marker in Node's executable that postject changes, to say that a blob is in it (Node's manual,
 * "Single executable applications").
 */
const SENTINEL_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/**
 * Prefix of the GNU tools for a target.
 * @type {Readonly<Record<string, string>>}
 */
const TRIPLES = { 'linux-x64': 'x86_64-linux-gnu', 'linux-arm64': 'aarch64-linux-gnu' };
/**
 * How linux-x64 runs executables for other targets, with Debian's qemu-user-static and
 * libstdc++6-arm64-cross.
 * @type {Readonly<Record<string, { readonly command: string, readonly libraries: string }>>}
 */
const EMULATORS = {
  'linux-arm64': {
    command: 'qemu-aarch64-static',
    libraries: `/usr/${TRIPLES['linux-arm64']}`,
  },
};

/** @param {string} version @param {string} target */
export function executableName(version, target) {
  return `manifest-tool-${version}-${target}${target.startsWith('win-') ? '.exe' : ''}`;
}

/** Whether an executable for a target can be built on this machine, which needs a Node of the same version that runs here. @param {string} target */
export function canMake(target) {
  return isPinned(target) && isPinned(HOST, nodeVersion(target));
}

/**
 * Writes the executable for a target from dist/cli. It has a code cache only if the target's Node
 * runs here, because only the same Node can create it.
 * @param {{ target: string, output: string, chunks: string }} options paths of the executable and of dist/cli
 * @returns {{ codeCache: boolean, stripped: boolean }}
 */
export function makeExecutable({ target, output, chunks }) {
  const main = `${output}.cjs`;
  const blob = `${output}.blob`;
  const config = `${output}.json`;
  const runtime = `${output}.node`;
  try {
    writeFileSync(main, oneFile(chunks));
    copyFileSync(fetchRuntime(target), runtime);
    chmodSync(runtime, 0o755);
    const stripped = strip(target, runtime);
    if (target.startsWith('win-')) dropSignature(runtime);
    const runner = runnerFor(target);
    const codeCache = runner !== undefined;
    const builder =
      runner !== undefined
        ? [...runner, fetchRuntime(target)]
        : [fetchRuntime(HOST, nodeVersion(target))];
    const settings = {
      main,
      disableExperimentalSEAWarning: true,
      useCodeCache: codeCache,
      // NODE_OPTIONS is for other programs.
      execArgvExtension: 'none',
    };
    if (Number.parseInt(nodeVersion(target), 10) >= BUILDS_ITSELF) {
      writeFileSync(config, JSON.stringify({ ...settings, output, executable: runtime }));
      runNode(builder, ['--build-sea', config]);
    } else {
      writeFileSync(config, JSON.stringify({ ...settings, output: blob }));
      runNode(builder, ['--experimental-sea-config', config]);
      renameSync(runtime, output);
      const fuse = ['--sentinel-fuse', SENTINEL_FUSE];
      runNode([process.execPath], [POSTJECT, output, 'NODE_SEA_BLOB', blob, ...fuse]);
    }
    chmodSync(output, 0o755);
    // Apple silicon runs only signed programs; an ad-hoc signature is enough.
    if (target.startsWith('darwin-') && process.platform === 'darwin')
      run('codesign', ['--force', '--sign', '-', output]);
    return { codeCache, stripped };
  } finally {
    for (const file of [main, blob, config, runtime]) rmSync(file, { force: true });
  }
}

/** @param {readonly string[]} node the words that run it @param {readonly string[]} args */
function runNode([command = '', ...before], args) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  run(command, [...before, ...args], { env });
}

/**
 * Command prefix that runs an executable for a target on this machine; undefined if it cannot run
 * here.
 * @param {string} target
 * @returns {readonly string[] | undefined}
 */
export function runnerFor(target) {
  if (target === HOST) return [];
  const emulator = EMULATORS[target];
  if (emulator === undefined || HOST !== 'linux-x64') return undefined;
  const { command, libraries } = emulator;
  return existsSync(libraries) && has(command) ? [command, '-L', libraries] : undefined;
}

/**
 * Removes the symbols, a seventh of the file, if the tool for that is installed.
 * @param {string} target
 * @param {string} file
 * @returns whether they were removed
 */
function strip(target, file) {
  const triple = TRIPLES[target];
  if (triple === undefined) return false;
  const tool = [`${triple}-strip`, ...(target === HOST ? ['strip'] : [])].find(has);
  if (tool === undefined) return false;
  run(tool, [file]);
  return true;
}

/** @param {string} command */
function has(command) {
  return spawnSync(command, ['--version']).error === undefined;
}

/**
 * Removes Node's signature from a Windows executable, because it is invalid for the changed file.
 * Entry 4 of the data directories locates it, at the end of the file (PE format, "The Attribute
 * Certificate Table").
 * @param {string} file
 */
function dropSignature(file) {
  const bytes = readFileSync(file);
  const optionalHeader = bytes.readUInt32LE(0x3c) + 24;
  const PE32_PLUS = 0x20b;
  if (bytes.readUInt16LE(optionalHeader) !== PE32_PLUS)
    throw new Error(`${path.basename(file)} is not a 64-bit Windows executable`);
  const entry = optionalHeader + 112 + 4 * 8;
  const start = bytes.readUInt32LE(entry);
  if (start === 0) return;
  bytes.fill(0, entry, entry + 8);
  writeFileSync(file, bytes.subarray(0, start));
}
