import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { supervise, temporaryFolder } from './supervise.js';

export interface Engine {
  /** An image of a registry that listens on port 5000. */
  readonly image: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);

const LOCAL_IMAGE = { repository: 'local/registry', tag: '2.8.2' };
const PUBLIC_IMAGE = 'registry:3';

/** testcontainers reads these when it is loaded: import it after {@link startEngine}. */
const SETTINGS = ['DOCKER_HOST', 'TESTCONTAINERS_HOST_OVERRIDE', 'TESTCONTAINERS_RYUK_DISABLED'];

/**
 * Makes a Docker engine ready for testcontainers: one of its own with a registry image made of the installed program, so
 * that neither a running engine nor the internet is needed; or the user's, where there is one to use.
 */
export async function startEngine(): Promise<Engine> {
  if (usesEngineOfUser()) return { image: PUBLIC_IMAGE, stop: () => Promise.resolve() };
  const missing = await missingParts();
  if (missing.length > 0)
    throw new Error(
      `no Docker engine for the tests: ${missing.join(', ')}. Run scripts/test-setup.sh as root, ` +
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
  const before = SETTINGS.map((name) => [name, process.env[name]] as const);
  try {
    await engine.ready(() => isAnswering(socket), 30_000);
    await importRegistry(socket, path.join(folder, 'rootfs'));
  } catch (error) {
    await engine.stop();
    throw error;
  }
  process.env['DOCKER_HOST'] = `unix://${socket}`;
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  return {
    image: `${LOCAL_IMAGE.repository}:${LOCAL_IMAGE.tag}`,
    async stop() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await engine.stop();
    },
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

/** Makes an image of the installed docker-registry and the libraries that it is linked with. */
async function importRegistry(socket: string, rootfs: string): Promise<void> {
  const program = (await run('sh', ['-c', 'command -v docker-registry'])).stdout.trim();
  const linked = await run('ldd', [program]).catch(() => ({ stdout: '' }));
  const libraries = [...linked.stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file!);
  const files = [
    [program, '/bin/registry'],
    ...libraries.map((library) => [library, library]),
  ] as const;
  await Promise.all(
    ['/etc/docker/registry', '/var/lib/registry', '/tmp'].map((folder) =>
      mkdir(path.join(rootfs, folder), { recursive: true }),
    ),
  );
  await Promise.all(
    files.map(async ([from, to]) => {
      const target = path.join(rootfs, to);
      await mkdir(path.dirname(target), { recursive: true });
      await copyFile(from, target);
    }),
  );
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: '/var/lib/registry' }, delete: { enabled: true } },
    http: { addr: ':5000' },
  };
  await writeFile(
    path.join(rootfs, 'etc/docker/registry/config.yml'),
    JSON.stringify(configuration),
  );

  const query = new URLSearchParams({
    fromSrc: '-',
    repo: LOCAL_IMAGE.repository,
    tag: LOCAL_IMAGE.tag,
  });
  for (const change of [
    'ENTRYPOINT ["/bin/registry"]',
    'CMD ["serve","/etc/docker/registry/config.yml"]',
    'EXPOSE 5000',
  ])
    query.append('changes', change);
  const tar = spawn('tar', ['-C', rootfs, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { status, body } = await engineRequest(
    socket,
    'POST',
    `/images/create?${query.toString()}`,
    tar.stdout,
  );
  if (status !== 200 || body.includes('"error"'))
    throw new Error(`the engine took no image of the registry: ${status} ${body}`);
}

/** One request to the engine's API (https://docs.docker.com/reference/api/engine/). */
function engineRequest(
  socketPath: string,
  method: string,
  url: string,
  body?: NodeJS.ReadableStream,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/x-tar' };
    const request = http.request(
      { socketPath, method, path: url, headers, agent: false },
      (response) => {
        text(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, body: answer }),
          reject,
        );
      },
    );
    request.on('error', reject);
    if (body === undefined) request.end();
    else body.pipe(request);
  });
}
