/** @param {import('./index.mjs').Task} task */
function copy({ sources, target, isPlain }) {
  const plain = isPlain ? ['--from-plain-http', '--to-plain-http'] : [];
  return [['copy', ...plain, ...sources, target]];
}

/** oras creates an index of images that the repository already contains, by tag. @type {import('./index.mjs').Tool} */
export const oras = {
  name: 'oras',
  command: ['oras'],
  version: ['version'],
  versionPattern: /Version:\s*v?(\d\S*)/,
  jobs: {
    push: ({ sources, target, isPlain }) => {
      const tags = sources.map((source) => source.slice(source.lastIndexOf(':') + 1));
      const plain = isPlain ? ['--plain-http'] : [];
      return [['manifest', 'index', 'create', ...plain, target, ...tags]];
    },
    copy,
    'copy-small': copy,
  },
};
