import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { find } from '../path.mjs';

const PLUGIN = path.join('.docker', 'cli-plugins', 'docker-buildx');

/** @param {import('./index.mjs').Task} task */
function push({ sources, target }) {
  return [['imagetools', 'create', '--tag', target, ...sources]];
}

/** Docker's plugin, also as a program of its own in PATH. It uses plain HTTP for local hosts by default. @type {import('./index.mjs').Tool} */
export const buildx = {
  name: 'docker buildx',
  command: find('docker-buildx') === undefined ? ['docker', 'buildx'] : ['docker-buildx'],
  version: ['version'],
  versionPattern: /^github\.com\/docker\/buildx v?(\S+)/,
  // A user's own plugin is in HOME.
  prepare(home) {
    const plugin = path.join(homedir(), PLUGIN);
    if (!existsSync(plugin)) return;
    mkdirSync(path.join(home, path.dirname(PLUGIN)), { recursive: true });
    symlinkSync(plugin, path.join(home, PLUGIN));
  },
  jobs: {
    push,
    'push-other': push,
    inspect: ({ sources }) => [['imagetools', 'inspect', '--format', '{{json .}}', ...sources]],
  },
};
