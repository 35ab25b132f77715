/** Which commit the program is built from. */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/**
 * The first 12 digits of the commit that is checked out in a folder, with `-dirty` behind them where a file that git
 * knows differs from it. Nothing outside of a checkout (a package, an image), where there is no git, or where the
 * folder merely stands in a checkout of something else.
 */
export function commitOf(folder) {
  if (git(folder, ['rev-parse', '--show-toplevel']) !== realpathSync(folder)) return undefined;
  return git(folder, ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*']);
}

function git(folder, args) {
  const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
