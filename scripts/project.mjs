/** The project's folder and package.json, and whether a script was started or imported. */
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the repository. */
export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * The parsed package.json.
 * @type {{ readonly name: string, readonly version: string, readonly license: string }}
 */
export const PACKAGE = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/**
 * Whether a module is the script that node was started with.
 * @param {string} url `import.meta.url` of the module
 */
export function isMain(url) {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(url);
}

/** The message of an error. @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
