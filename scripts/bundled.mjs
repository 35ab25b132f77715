/** Which packages have code in dist/cli, found out from the bundle itself. */
import path from 'node:path';
import { bundle, moduleIds } from './build.mjs';
import { ROOT } from './lock-file.mjs';

/** The folder of the package that a module belongs to; nothing for a module of this project. */
const PACKAGE_FOLDER = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;

/** Their places, as package-lock.json has them: `node_modules/a`. */
export async function bundledPlaces() {
  const ids = moduleIds(await bundle({ write: false }));
  const folders = ids.map((id) => PACKAGE_FOLDER.exec(id)?.[1]).filter(Boolean);
  return new Set(folders.map((folder) => path.relative(ROOT, folder).replaceAll(path.sep, '/')));
}
