import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from './path.mjs';

const READY_MS = 20_000;

/** Names of the distribution registry's program: in Linux packages, and its own. */
const NAMES = ['docker-registry', 'registry'];

/**
 * Starts the distribution registry on a free port of 127.0.0.1, empty or with the data of another
 * one.
 * @param {{ secure?: import('./secure.mjs').Secure, data?: string }} [options] `secure` makes it use TLS and require tokens
 * @returns {Promise<{ host: string, data: string, stop: () => Promise<void> }>}
 * @throws {Error} if there is none in PATH, or it does not start
 */
export async function startRegistry({ secure, data } = {}) {
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
  const root = data ?? path.join(folder, 'data');
  writeFileSync(configFile, JSON.stringify(configuration(root, host, secure)));
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
  while (!(await answers(host, secure !== undefined))) {
    if (child.exitCode === null && performance.now() < deadline) {
      await sleep(20);
      continue;
    }
    const log = readFileSync(logFile, 'utf8').slice(-500);
    await stop();
    throw new Error(`${command} did not start: ${log}`);
  }
  return { host, data: root, stop };
}

/** @param {string} root @param {string} host @param {import('./secure.mjs').Secure} [secure] */
function configuration(root, host, secure) {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: root },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: host,
      secret: 'bench',
      ...(secure === undefined
        ? {}
        : {
            tls: { certificate: secure.certFile, key: secure.keyFile },
            http2: { disabled: !secure.isHttp2 },
          }),
    },
    ...(secure === undefined ? {} : { auth: secure.auth }),
  };
}

/** A TLS registry answers plain HTTP with status 400. @param {string} host @param {boolean} isTls */
async function answers(host, isTls) {
  try {
    return (await fetch(`http://${host}/v2/`)).status === (isTls ? 400 : 200);
  } catch {
    return false;
  }
}

/** A free port of 127.0.0.1. @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}
