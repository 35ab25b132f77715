/** @param {import('./index.mjs').Task} task */
function push({ platforms, template, target }) {
  const list = platforms.join(',');
  const from = ['from-args', '--platforms', list, '--template', template, '--target', target];
  return [['--plain-http', 'push', ...from]];
}

/** The Go program. @type {import('./index.mjs').Tool} */
export const manifestTool = {
  name: 'manifest-tool v2',
  command: ['manifest-tool'],
  version: ['--version'],
  // This program, where it is installed under that name, says its number only.
  versionPattern: /manifest-tool version v?(\d\S*) \(commit/,
  jobs: {
    push,
    'push-other': push,
    inspect: ({ sources }) => [['--plain-http', 'inspect', ...sources]],
  },
};
