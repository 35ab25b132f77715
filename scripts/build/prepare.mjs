/**
 * Builds dist/ if it does not exist. npm runs this when it installs the package from a git
 * repository (https://docs.npmjs.com/cli/using-npm/scripts, prepare).
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../project.mjs';
import { buildAll } from './build.mjs';

if (!existsSync(path.join(ROOT, 'dist', 'cli', 'entry.cjs'))) await buildAll();
