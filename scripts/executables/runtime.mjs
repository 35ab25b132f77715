/**
 * The Node in each single executable: downloaded once with npm and verified against its pinned
 * SHA-512.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../.cache/runtimes', import.meta.url));
/**
 * @type {{ readonly targets: Readonly<Record<string, { readonly package: string, readonly node: string }>>,
 *   readonly integrity: Readonly<Record<string, string>> }}
 */
const PINNED = JSON.parse(readFileSync(new URL('targets.json', import.meta.url), 'utf8'));

/** All targets, for example `linux-x64`: the platforms for which npm serves a current Node. */
export const TARGETS = Object.keys(PINNED.targets);

/** The target of this machine. */
export const HOST = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** @param {string} target @throws {Error} there is no such target */
function pinOf(target) {
  const pin = PINNED.targets[target];
  if (pin === undefined) throw new Error(`no Node for ${target} is pinned`);
  return pin;
}

/** The version of Node in the executable for a target. @param {string} target */
export function nodeVersion(target) {
  return pinOf(target).node;
}

/** Whether a version of a target's Node is pinned. @param {string} target @param {string} [version] */
export function isPinned(target, version = PINNED.targets[target]?.node) {
  return `${PINNED.targets[target]?.package}@${version}` in PINNED.integrity;
}

/**
 * Path of Node's own executable for a target; its LICENSE is two folders up (not on Windows).
 * @param {string} target
 * @param {string} [version]
 * @throws {Error} npm does not serve it, or serves something other than what is pinned
 */
export function fetchRuntime(target, version = nodeVersion(target)) {
  if (!isPinned(target, version)) throw new Error(`no Node ${version} for ${target} is pinned`);
  const { package: name } = pinOf(target);
  const folder = path.join(CACHE, `${name}-${version}`);
  if (!existsSync(folder)) unpack(name, version, folder);
  return path.join(folder, 'package', 'bin', target.startsWith('win-') ? 'node.exe' : 'node');
}

/** @param {string} name of the package @param {string} version @param {string} folder */
function unpack(name, version, folder) {
  const integrity = PINNED.integrity[`${name}@${version}`];
  // Renamed at the end, so that a folder that exists is complete.
  const work = `${folder}.${process.pid}`;
  try {
    mkdirSync(work, { recursive: true });
    // On Windows npm is a shell script.
    const shell = process.platform === 'win32';
    run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, shell });
    const archive = path.join(work, `${name}-${version}.tgz`);
    const sum = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (sum !== integrity)
      throw new Error(`${name}@${version} is ${sum}, and not the pinned ${integrity}`);
    run('tar', ['-xzf', path.basename(archive)], { cwd: work });
    rmSync(archive);
    rmSync(path.join(work, 'package', 'include'), { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Runs a program, and returns what it prints.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string}
 * @throws {Error} with the program's output, if it fails
 */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with status ${status}: ${stderr}${stdout}`);
  return stdout;
}
