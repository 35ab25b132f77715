import { fileURLToPath } from 'node:url';

export const BIN = fileURLToPath(new URL('../../../bin/manifest-tool.cjs', import.meta.url));

/** @param {import('./index.mjs').Task} task */
function push({ platforms, template, target }) {
  const list = platforms.join(',');
  return [['push', 'from-args', '--platforms', list, '--template', template, '--target', target]];
}

/** @param {import('./index.mjs').Task} task */
function copy({ sources, target }) {
  return [['copy', ...sources, target]];
}

/** This program, from dist/. @type {import('./index.mjs').Tool} */
export const ours = {
  name: 'this program',
  command: [process.execPath, BIN],
  version: ['--version'],
  versionPattern: /(\d\S+)/,
  jobs: {
    push,
    'push-other': push,
    inspect: ({ sources }) => [['inspect', ...sources]],
    'inspect-one': ({ sources }) => [['inspect', ...sources]],
    copy,
    'copy-small': copy,
    promote: ({ sources, target }) => [['copy', '--all-tags', ...sources, target]],
  },
};
