/** @param {import('./index.mjs').Task} task */
function push({ platforms, template, target, isPlain }) {
  const list = platforms.join(',');
  const from = ['from-args', '--platforms', list, '--template', template, '--target', target];
  return [[...plain(isPlain), 'push', ...from]];
}

/** @param {import('./index.mjs').Task} task */
function inspect({ sources, isPlain }) {
  return [[...plain(isPlain), 'inspect', ...sources]];
}

/** @param {boolean} isPlain */
function plain(isPlain) {
  return isPlain ? ['--plain-http'] : [];
}

/** The Go program. @type {import('./index.mjs').Tool} */
export const manifestTool = {
  name: 'manifest-tool v2',
  command: ['manifest-tool'],
  version: ['--version'],
  // Excludes this program, which prints only its version number.
  versionPattern: /manifest-tool version v?(\d\S*) \(commit/,
  jobs: {
    push,
    'push-other': push,
    inspect,
    'inspect-one': inspect,
  },
};
