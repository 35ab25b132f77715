/** @param {import('./index.mjs').Task} task */
function copy({ sources, target }) {
  const images = [...sources, target].map((reference) => `docker://${reference}`);
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  return [['copy', '--insecure-policy', '--quiet', ...plain, ...images]];
}

/** skopeo cannot create indexes, and inspects only one image of an index. @type {import('./index.mjs').Tool} */
export const skopeo = {
  name: 'skopeo',
  command: ['skopeo'],
  version: ['--version'],
  versionPattern: /version (\S+)/,
  jobs: { copy, 'copy-small': copy },
};
