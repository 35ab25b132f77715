/** @param {import('./index.mjs').Task} task */
function push({ sources, target, isPlain }) {
  const manifests = sources.flatMap((source) => ['--manifest', source]);
  return [['index', 'append', ...plain(isPlain), ...manifests, '--tag', target]];
}

/** @param {import('./index.mjs').Task} task */
function copy({ sources, target, isPlain }) {
  return [['copy', ...plain(isPlain), ...sources, target]];
}

/** @param {import('./index.mjs').Task} task */
function config({ sources, isPlain }) {
  return [['config', ...plain(isPlain), ...sources]];
}

/** @param {boolean} isPlain */
function plain(isPlain) {
  return isPlain ? ['--insecure'] : [];
}

/** @type {import('./index.mjs').Tool} */
export const crane = {
  name: 'crane',
  command: ['crane'],
  version: ['version'],
  // Debian's build prints no version number.
  versionPattern: /^v?(\d\S*|\(devel\))|^could not determine build information/,
  jobs: {
    push,
    'push-other': push,
    copy,
    'copy-small': copy,
    'inspect-one': config,
    promote: ({ sources, target, isPlain }) => [
      ['copy', '--all-tags', ...plain(isPlain), ...sources, target],
    ],
  },
};
