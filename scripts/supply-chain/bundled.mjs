/** The packages with code in dist/cli, read from the bundle itself. */
import path from 'node:path';
import { bundle, moduleIds } from '../build/build.mjs';
import { ROOT } from '../project.mjs';

/** The folder of the package that a module belongs to. */
const PACKAGE_FOLDER = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;

/** Their folders, as package-lock.json names them: `node_modules/a`. @returns {Promise<Set<string>>} */
export async function bundledPlaces() {
  const ids = moduleIds(await bundle({ write: false }));
  const folders = ids.flatMap((id) => PACKAGE_FOLDER.exec(id)?.[1] ?? []);
  return new Set(folders.map((folder) => path.relative(ROOT, folder).replaceAll(path.sep, '/')));
}
