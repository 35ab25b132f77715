import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from './path.mjs';

const READY_MS = 20_000;

/** What the registry of distribution is called, by distributions of Linux and by itself. */
const NAMES = ['docker-registry', 'registry'];

/**
 * Starts the real registry, empty, on a free port of 127.0.0.1.
 * @returns {Promise<{ host: string, stop: () => Promise<void> }>}
 * @throws {Error} where there is none in PATH, or it does not start
 */
export async function startRegistry() {
  const command = NAMES.map(find).find((each) => each !== undefined);
  if (command === undefined) {
    throw new Error(
      `the benchmark needs a registry (${NAMES.join(' or ')}) in PATH; on Debian: apt-get install docker-registry`,
    );
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-bench-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const configFile = path.join(folder, 'config.yml');
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(configuration(folder, host)));
  const logFile = path.join(folder, 'log');
  const child = spawn('sh', [
    '-c',
    'exec "$0" serve "$1" >"$2" 2>&1',
    command,
    configFile,
    logFile,
  ]);
  const ended = new Promise((resolve) => {
    child.once('close', resolve);
  });
  const end = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.once('exit', end);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    process.off('exit', end);
    end();
  };
  const deadline = performance.now() + READY_MS;
  while (!(await answers(host))) {
    if (child.exitCode === null && performance.now() < deadline) {
      await sleep(20);
      continue;
    }
    const log = readFileSync(logFile, 'utf8').slice(-500);
    await stop();
    throw new Error(`${command} did not start: ${log}`);
  }
  return { host, stop };
}

/** @param {string} folder @param {string} host */
function configuration(folder, host) {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: path.join(folder, 'data') },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, secret: 'bench' },
  };
}

/** @param {string} host */
async function answers(host) {
  try {
    return (await fetch(`http://${host}/v2/`)).status === 200;
  } catch {
    return false;
  }
}

/** A port of 127.0.0.1 on which nothing listens now. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
