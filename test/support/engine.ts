import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { engineRequest, importImage, type LocalImage } from './import-image.js';
import { supervise, temporaryFolder } from './supervise.js';

export interface Engine {
  /** An image of a registry that listens on port 5000. */
  readonly image: string;
  /** Whether it is the user's own, which can pull images. */
  readonly isOfUser: boolean;
  /** Makes an image of programs of this machine, and returns its name. */
  make(image: LocalImage): Promise<string>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

const LOCAL_REGISTRY: LocalImage = {
  repository: 'local/registry',
  tag: '2.8.2',
  programs: { '/bin/registry': 'docker-registry' },
  folders: ['/etc/docker/registry', '/var/lib/registry', '/tmp'],
  files: {
    // JSON is YAML.
    '/etc/docker/registry/config.yml': JSON.stringify({
      version: '0.1',
      storage: { filesystem: { rootdirectory: '/var/lib/registry' }, delete: { enabled: true } },
      http: { addr: ':5000' },
    }),
  },
  changes: [
    'ENTRYPOINT ["/bin/registry"]',
    'CMD ["serve","/etc/docker/registry/config.yml"]',
    'EXPOSE 5000',
  ],
};
const PUBLIC_IMAGE = 'registry:3';

/** testcontainers reads these when it is loaded: import it after {@link startEngine}. */
const SETTINGS = ['DOCKER_HOST', 'TESTCONTAINERS_HOST_OVERRIDE', 'TESTCONTAINERS_RYUK_DISABLED'];

/**
 * Makes a Docker engine ready for testcontainers: one of its own with a registry image made of the installed program, so
 * that neither a running engine nor the internet is needed; or the user's, where there is one to use.
 */
export async function startEngine(): Promise<Engine> {
  if (usesEngineOfUser()) return engineOfUser();
  const missing = await missingParts();
  if (missing.length > 0)
    throw new Error(
      `no Docker engine for the tests: ${missing.join(', ')}. Run scripts/test/setup.sh as root, ` +
        'or start Docker and set MANIFEST_TOOL_TEST_DOCKER=external',
    );
  const folder = await temporaryFolder();
  const socket = path.join(folder, 'docker.sock');
  const files = { 'data-root': 'data', 'exec-root': 'exec', pidfile: 'dockerd.pid' };
  const engine = supervise(folder, 'dockerd', [
    ...Object.entries(files).map(([option, name]) => `--${option}=${path.join(folder, name)}`),
    `--host=unix://${socket}`,
    '--ip=127.0.0.1',
    '--iptables=false',
    '--ip-forward=false',
    '--ip-masq=false',
  ]);
  let made = 0;
  const make = async (image: LocalImage): Promise<string> => {
    made += 1;
    await importImage(socket, path.join(folder, `rootfs${made}`), image);
    return `${image.repository}:${image.tag}`;
  };
  let image: string;
  const before = SETTINGS.map((name) => [name, process.env[name]] as const);
  try {
    await engine.ready(() => isAnswering(socket), 30_000);
    image = await make(LOCAL_REGISTRY);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  process.env['DOCKER_HOST'] = `unix://${socket}`;
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return {
    image,
    isOfUser: false,
    make,
    async stop() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await engine.stop();
    },
  };
}

function engineOfUser(): Engine {
  return {
    image: PUBLIC_IMAGE,
    isOfUser: true,
    make: () => Promise.reject(new Error('the engine of the user pulls its images')),
    stop: () => Promise.resolve(),
  };
}

function usesEngineOfUser(): boolean {
  if (process.env['MANIFEST_TOOL_TEST_DOCKER'] === 'external') return true;
  if (process.env['CI'] === 'true') return false;
  const isAble = process.platform === 'linux' && process.getuid?.() === 0;
  return process.env['DOCKER_HOST'] !== undefined || !isAble;
}

async function missingParts(): Promise<string[]> {
  const programs = ['dockerd', 'iptables', 'docker-registry'];
  const found = await Promise.all(
    programs.map((name) => run('sh', ['-c', `command -v ${name}`]).catch(() => undefined)),
  );
  const missing = programs
    .filter((_, index) => found[index] === undefined)
    .map((name) => `${name} is not installed`);
  return process.getuid?.() === 0 ? missing : [...missing, 'only root can start dockerd'];
}

async function isAnswering(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  try {
    const { status } = await engineRequest(socket, 'GET', '/_ping');
    return status === 200;
  } catch {
    return false;
  }
}
