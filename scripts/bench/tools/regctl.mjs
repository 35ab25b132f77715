/** @param {import('./index.mjs').Task} task */
function plain({ hosts }) {
  return hosts.flatMap((host) => ['--host', `reg=${host},tls=disabled`]);
}

/** @param {import('./index.mjs').Task} task */
function push(task) {
  const references = task.sources.flatMap((source) => ['--ref', source]);
  return [[...plain(task), 'index', 'create', task.target, ...references]];
}

/** @param {import('./index.mjs').Task} task */
function copy(task) {
  return [[...plain(task), 'image', 'copy', ...task.sources, task.target]];
}

/** @type {import('./index.mjs').Tool} */
export const regctl = {
  name: 'regctl',
  command: ['regctl'],
  version: ['version'],
  versionPattern: /VCSTag:\s*v?(\d\S*)/,
  jobs: { push, 'push-other': push, copy, 'copy-small': copy },
};
