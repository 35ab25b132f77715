import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** The file of a command in PATH; undefined if there is none. @param {string} command */
export function find(command) {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean)) {
    const file = path.join(folder, command);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
