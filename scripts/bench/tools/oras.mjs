/** @param {import('./index.mjs').Task} task */
function copy({ sources, target }) {
  return [['copy', '--from-plain-http', '--to-plain-http', ...sources, target]];
}

/** It makes lists of what is in the repository already, named by tags. @type {import('./index.mjs').Tool} */
export const oras = {
  name: 'oras',
  command: ['oras'],
  version: ['version'],
  versionPattern: /Version:\s*v?(\d\S*)/,
  jobs: {
    push: ({ sources, target }) => {
      const tags = sources.map((source) => source.slice(source.lastIndexOf(':') + 1));
      return [['manifest', 'index', 'create', '--plain-http', target, ...tags]];
    },
    copy,
    'copy-small': copy,
  },
};
