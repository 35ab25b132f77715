/** The commit that the program is built from. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/**
 * First 12 digits of the commit that is checked out in a folder, followed by `-dirty` if a tracked
 * file differs. Undefined outside a checkout (a package, a container image), without git, and in a
 * subfolder of another project's checkout.
 * @param {string} folder
 */
export function commitOf(folder) {
  if (git(folder, ['rev-parse', '--show-toplevel']) !== realpathSync(folder)) return undefined;
  return git(folder, ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*']);
}

/** What git prints; undefined if it fails. @param {string} folder @param {readonly string[]} args */
function git(folder, args) {
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
