import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** buildah and podman create a manifest list in local storage and push it from there. @param {string} name @returns {import('./index.mjs').Tool} */
function containers(name) {
  /** @param {import('./index.mjs').Task} task */
  const push = ({ home, sources, target }) => {
    const storage = ['--root', `${home}/root`, '--runroot', `${home}/run`];
    const manifest = [...storage, '--storage-driver', 'vfs', 'manifest'];
    const plain = '--tls-verify=false';
    return [
      [...manifest, 'create', 'list'],
      ...sources.map((source) => [...manifest, 'add', plain, 'list', `docker://${source}`]),
      [...manifest, 'push', '--all', plain, 'list', `docker://${target}`],
    ];
  };
  return {
    name,
    command: [name],
    version: ['--version'],
    versionPattern: /version (\S+)/,
    prepare(home) {
      const folder = path.join(home, '.config', 'containers');
      mkdirSync(folder, { recursive: true });
      const policy = { default: [{ type: 'insecureAcceptAnything' }] };
      writeFileSync(path.join(folder, 'policy.json'), JSON.stringify(policy));
    },
    jobs: { push, 'push-other': push },
  };
}

export const buildah = containers('buildah');
export const podman = containers('podman');
