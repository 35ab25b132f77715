/** Makes one single executable, and tells how it can be run here. */
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

/** Since this version Node can write whole executables, older ones only what postject puts into them. */
const BUILDS_ITSELF = 26;
const POSTJECT = fileURLToPath(new URL('cli.js', import.meta.resolve('postject')));
/** What postject changes in Node, to say that there is something in it (Node's manual, "Single executable applications"). */
const SENTINEL_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** The prefix that GNU's tools for a target have, where there is one. */
const TRIPLES = { 'linux-x64': 'x86_64-linux-gnu', 'linux-arm64': 'aarch64-linux-gnu' };
/** Debian's qemu-user-static and libstdc++6-arm64-cross. */
const EMULATED = {
  'linux-arm64': ['qemu-aarch64-static', '-L', `/usr/${TRIPLES['linux-arm64']}`],
};

export function executableName(version, target) {
  return `manifest-tool-${version}-${target}${target.startsWith('win-') ? '.exe' : ''}`;
}

/** Whether this machine has what an executable for a target takes: a Node of the same version that runs here. */
export function canMake(target) {
  return isPinned(target) && isPinned(HOST, nodeVersion(target));
}

/**
 * Writes the executable for a target, from the built dist/cli.
 * Without a way to run the target's Node there is no code cache, which only that very Node can make.
 * @returns {{ codeCache: boolean, stripped: boolean }}
 */
export function makeExecutable({ target, output, chunks }) {
  const [main, blob, config] = ['cjs', 'blob', 'json'].map((suffix) => `${output}.${suffix}`);
  const runtime = `${output}.node`;
  try {
    writeFileSync(main, oneFile(chunks));
    copyFileSync(fetchRuntime(target), runtime);
    chmodSync(runtime, 0o755);
    const stripped = strip(target, runtime);
    if (target.startsWith('win-')) dropSignature(runtime);
    const runner = runnerFor(target);
    const codeCache = runner !== undefined;
    const builder = codeCache
      ? [...runner, fetchRuntime(target)]
      : [fetchRuntime(HOST, nodeVersion(target))];
    const settings = {
      main,
      disableExperimentalSEAWarning: true,
      useCodeCache: codeCache,
      // NODE_OPTIONS are meant for other programs.
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
    // Apple silicon runs nothing that is not signed, if only by nobody.
    if (target.startsWith('darwin-') && process.platform === 'darwin')
      run('codesign', ['--force', '--sign', '-', output]);
    return { codeCache, stripped };
  } finally {
    for (const file of [main, blob, config, runtime]) rmSync(file, { force: true });
  }
}

function runNode([command, ...before], args) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  run(command, [...before, ...args], { env });
}

/** The words before an executable of a target that make it run here: none for this machine's own; undefined where it does not run. */
export function runnerFor(target) {
  if (target === HOST) return [];
  const emulator = EMULATED[target];
  if (emulator === undefined || HOST !== 'linux-x64') return undefined;
  const [command, , libraries] = emulator;
  return existsSync(libraries) && has(command) ? emulator : undefined;
}

/** Takes the symbols off, a seventh of the file, where the tool for that is there. */
function strip(target, file) {
  const triple = TRIPLES[target];
  if (triple === undefined) return false;
  const tool = [`${triple}-strip`, ...(target === HOST ? ['strip'] : [])].find(has);
  if (tool === undefined) return false;
  run(tool, [file]);
  return true;
}

function has(command) {
  return spawnSync(command, ['--version']).error === undefined;
}

/**
 * Takes the signature off a Windows executable: it is Node's, and would not be right for what is made of it.
 * Its place is entry 4 of the data directories (PE format, "The Attribute Certificate Table"), at the end of the file.
 */
function dropSignature(file) {
  const bytes = readFileSync(file);
  const optionalHeader = bytes.readUInt32LE(0x3c) + 24;
  const PE32_PLUS = 0x20b;
  if (bytes.readUInt16LE(optionalHeader) !== PE32_PLUS)
    throw new Error(`${path.basename(file)} is no 64-bit Windows executable`);
  const entry = optionalHeader + 112 + 4 * 8;
  const start = bytes.readUInt32LE(entry);
  if (start === 0) return;
  bytes.fill(0, entry, entry + 8);
  writeFileSync(file, bytes.subarray(0, start));
}
