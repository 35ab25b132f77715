/** @param {import('./index.mjs').Task} task */
function push({ sources, target, isPlain }) {
  return [
    ['manifest', 'create', ...plain(isPlain), target, ...sources],
    ['manifest', 'push', ...plain(isPlain), '--purge', target],
  ];
}

/** @param {boolean} isPlain */
function plain(isPlain) {
  return isPlain ? ['--insecure'] : [];
}

/** Docker's client; it needs no engine for these jobs. @type {import('./index.mjs').Tool} */
export const docker = {
  name: 'docker manifest',
  command: ['docker'],
  version: ['--version'],
  // podman may provide a command of the same name.
  versionPattern: /^Docker version ([^\s,]+)/,
  jobs: {
    push,
    'push-other': push,
    inspect: ({ sources, isPlain }) => [
      ['manifest', 'inspect', '--verbose', ...plain(isPlain), ...sources],
    ],
  },
};
