/** @param {import('./index.mjs').Task} task */
function push({ sources, target }) {
  const manifests = sources.flatMap((source) => ['--manifest', source]);
  return [['index', 'append', '--insecure', ...manifests, '--tag', target]];
}

/** @param {import('./index.mjs').Task} task */
function copy({ sources, target }) {
  return [['copy', '--insecure', ...sources, target]];
}

/** @type {import('./index.mjs').Tool} */
export const crane = {
  name: 'crane',
  command: ['crane'],
  version: ['version'],
  versionPattern: /^v?(\d\S*|\(devel\))/,
  jobs: { push, 'push-other': push, copy, 'copy-small': copy },
};
