/** @param {import('./index.mjs').Task} task */
function push({ sources, target }) {
  return [
    ['manifest', 'create', '--insecure', target, ...sources],
    ['manifest', 'push', '--insecure', '--purge', target],
  ];
}

/** The client alone: it needs no engine for this. @type {import('./index.mjs').Tool} */
export const docker = {
  name: 'docker manifest',
  command: ['docker'],
  version: ['--version'],
  // podman has a command of that name as well.
  versionPattern: /^Docker version ([^\s,]+)/,
  jobs: {
    push,
    'push-other': push,
    inspect: ({ sources }) => [['manifest', 'inspect', '--verbose', '--insecure', ...sources]],
  },
};
