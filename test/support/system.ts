import { spawnSync } from 'node:child_process';

/** Windows has no named pipes as files, no shell scripts as programs, and no O_NOFOLLOW. */
export const IS_WINDOWS = process.platform === 'win32';

/** Directory with an entry for each file that this process has open; not on Windows. */
export const DESCRIPTORS = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd';

/** GNU tar, which macOS has under another name if at all. */
export const GNU_TAR = process.platform === 'darwin' ? 'gtar' : 'tar';

/** Whether tests with skopeo run: always on Linux, where scripts/test/setup.sh installs it. */
export const HAS_SKOPEO =
  process.platform === 'linux' || spawnSync('skopeo', ['--version']).status === 0;
