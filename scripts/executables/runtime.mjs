/** The Node that each single executable is made of: fetched once, with npm, and checked against the pinned sum. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../.cache/runtimes', import.meta.url));
const PINNED = JSON.parse(readFileSync(new URL('targets.json', import.meta.url), 'utf8'));

/** As `linux-x64` or `win-x64`: all for which npm serves a Node that is up to date. */
export const TARGETS = Object.keys(PINNED.targets);

/** The one of this machine. */
export const HOST = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** The version of Node in the executable for a target. */
export function nodeVersion(target) {
  return PINNED.targets[target].node;
}

/** Whether that version, or another one, of a target's Node is pinned. */
export function isPinned(target, version = PINNED.targets[target]?.node) {
  return `${PINNED.targets[target]?.package}@${version}` in PINNED.integrity;
}

/**
 * The path of the executable of Node for a target, beside the LICENSE that it comes with (not on Windows).
 * @throws {Error} npm does not serve it, or serves something else than was pinned.
 */
export function fetchRuntime(target, version = nodeVersion(target)) {
  if (!isPinned(target, version)) throw new Error(`no Node ${version} for ${target} is pinned`);
  const { package: name } = PINNED.targets[target];
  const folder = path.join(CACHE, `${name}-${version}`);
  if (!existsSync(folder)) unpack(name, version, folder);
  return path.join(folder, 'package', 'bin', target.startsWith('win-') ? 'node.exe' : 'node');
}

function unpack(name, version, folder) {
  const integrity = PINNED.integrity[`${name}@${version}`];
  // A folder that is there is whole.
  const work = `${folder}.${process.pid}`;
  try {
    mkdirSync(work, { recursive: true });
    // On Windows npm is a script of the shell.
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

/** @throws {Error} With what the program said, where it failed. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    ...options,
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with status ${status}: ${stderr}${stdout}`);
  return stdout;
}
