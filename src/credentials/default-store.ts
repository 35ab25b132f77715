import { findExecutable } from './executable.js';

/**
 * The store of this platform that docker uses where nothing is configured: its helper must be
 * installed, and for `pass` the program itself decides, as in docker (docker/cli,
 * credentials/default_store_*.go). Undefined where there is none.
 */
export async function detectStore(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const suffix = await storeOf(env, platform);
  if (suffix === undefined) return undefined;
  const helper = await findExecutable(`docker-credential-${suffix}`, env, platform);
  return helper === undefined ? undefined : suffix;
}

async function storeOf(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  if (platform === 'darwin') return 'osxkeychain';
  if (platform === 'win32') return 'wincred';
  if (platform !== 'linux') return undefined;
  return (await findExecutable('pass', env, platform)) === undefined ? 'secretservice' : 'pass';
}
