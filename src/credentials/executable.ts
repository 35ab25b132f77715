import { constants } from 'node:fs';
import path from 'node:path';
import { files } from './files.js';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The absolute path of a program on PATH; undefined where it is not installed. Only absolute
 * entries of PATH count, and on Windows only `.exe`: a program that lies in the working directory
 * is never run (CVE-2019-15752, libuv#3888).
 */
export async function findExecutable(
  name: string,
  env: Env,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const fileName = platform === 'win32' ? `${name}.exe` : name;
  for (const directory of searchPath(env, platform).split(path.delimiter)) {
    if (!path.isAbsolute(directory)) continue;
    const file = path.join(directory, fileName);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

/** Windows writes `Path`, and takes it in any case. */
function searchPath(env: Env, platform: NodeJS.Platform): string {
  if (platform !== 'win32') return env['PATH'] ?? '';
  const key = Object.keys(env).find((each) => each.toUpperCase() === 'PATH');
  return (key === undefined ? undefined : env[key]) ?? '';
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await files.access(file, constants.X_OK);
    return (await files.stat(file)).isFile();
  } catch {
    return false;
  }
}
