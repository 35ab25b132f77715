import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli, spawnCli, type SpawnedCli } from '../support/cli.js';
import { basic } from '../support/http.js';
import { FakeRegistry } from './support/fake-registry.js';
import { auths, Folder, pathWith } from './support/files.js';
import { json, startScripted, type ScriptedServer } from './support/scripted.js';

/** Longer than the 1.5 s that an interrupted command may take: other tests may use the cores. */
const LIMIT_MS = 4000;
const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

const folder = new Folder();
const registry = new FakeRegistry();
let server: ScriptedServer;
let image: string;

beforeAll(async () => {
  registry.addPlatforms('x');
  server = await startScripted(({ path: url }) => json(500, { url }));
  image = `${server.host}/x:linux-amd64`;
});

beforeEach(() => {
  server.requests.length = 0;
  server.script = (request) =>
    request.headers.authorization === basic('alice', 'secret-word')
      ? registry.answer(request)
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
});

afterAll(() => server.stop());

const configText = (): string => JSON.stringify(auths(server.host, 'alice', 'secret-word'));

function pipe(name = 'pipe'): string {
  const file = path.join(folder.directory(), name);
  execFileSync('mkfifo', [file]);
  return file;
}

/** Sends a signal; resolves to how the command ended, and the milliseconds until then. */
async function ended(
  { child, done }: SpawnedCli,
  signal: NodeJS.Signals,
): Promise<{ code: number | null; stderr: string; milliseconds: number }> {
  const start = performance.now();
  child.kill(signal);
  // In case the command ignores the signal.
  const timer = setTimeout(() => child.kill('SIGKILL'), 3 * LIMIT_MS);
  const { code, stderr } = await done;
  clearTimeout(timer);
  return { code, stderr, milliseconds: performance.now() - start };
}

/** Whether a process has a file open. */
function hasOpen(pid: number, file: string): boolean {
  const folderOfProcess = `/proc/${pid}/fd`;
  return readdirSync(folderOfProcess).some((name) => {
    try {
      return readlinkSync(`${folderOfProcess}/${name}`) === file;
    } catch {
      // It was closed in the meantime.
      return false;
    }
  });
}

describe('a pipe in place of a file of credentials', () => {
  it('may be a process substitution: it is read once', async () => {
    const file = folder.write(path.join(folder.directory(), 'auth.json'), configText());
    const script = '"$1" "$2" inspect "$3" --authfile <(cat "$4")';
    const words = ['bash', process.execPath, BIN, image, file];
    const { stdout } = await promisify(execFile)('bash', ['-c', script, ...words]);
    expect(stdout).toContain('linux');
  });

  it.each([
    ['--authfile', (file: string) => ['--authfile', file]],
    ['--docker-cfg', (file: string) => ['--docker-cfg', file]],
  ])('%s waits for what writes to it', async (_, options) => {
    const file = pipe();
    execFile('sh', ['-c', 'sleep 0.3; cat > "$1"', 'sh', file]).stdin!.end(configText());
    expectCode(await runCli(['inspect', image, ...options(file)]), 0);
  });

  it.each([
    ['--authfile', 'SIGINT'],
    ['--docker-cfg', 'SIGTERM'],
    ['DOCKER_CONFIG', 'SIGINT'],
    ['DOCKER_CONFIG', 'SIGTERM'],
    ['REGISTRY_AUTH_FILE', 'SIGTERM'],
  ] as const)('%s that nobody writes to: %s ends the command', async (place, signal) => {
    const file = pipe('config.json');
    const value = place === 'DOCKER_CONFIG' ? path.dirname(file) : file;
    const isOption = place.startsWith('--');
    const spawned = spawnCli(['inspect', image, ...(isOption ? [place, value] : [])], {
      env: isOption ? {} : { [place]: value },
    });
    await expect.poll(() => hasOpen(spawned.child.pid!, file), { timeout: 15_000 }).toBe(true);
    const { code, stderr, milliseconds } = await ended(spawned, signal);
    expect(stderr).toMatch(/^manifest-tool: .*it was interrupted/);
    expect(code).toBe(130);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
  });
});

describe('a config', () => {
  it('is read once, although it is needed twice', async () => {
    const directory = folder.dockerConfig({});
    const file = path.join(directory, 'config.json');
    writeFileSync(file, configText());
    // The file was read before the first request; a second read would fail.
    server.script = (request) => {
      writeFileSync(file, 'changed');
      return request.headers.authorization === basic('alice', 'secret-word')
        ? registry.answer(request)
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    };
    expectCode(await runCli(['inspect', image], { env: { DOCKER_CONFIG: directory } }), 0);
  });
});

describe('a credential helper', () => {
  /** The environment with a helper that waits for a child of its own, and the PIDs of both. */
  function waitingHelper(): { env: Record<string, string>; pids: () => number[] } {
    const bin = folder.directory();
    folder.helper(bin, 'parent', 'sleep 60 & echo $! $$ > "$0.pids"; wait');
    const config = folder.dockerConfig({ credHelpers: { [server.host]: 'parent' } });
    return {
      env: { PATH: pathWith(bin), DOCKER_CONFIG: config },
      pids: () => {
        try {
          const text = readFileSync(path.join(bin, 'docker-credential-parent.pids'), 'utf8');
          return text.trim().split(' ').map(Number);
        } catch {
          return [];
        }
      },
    };
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with its children at %s', async (signal) => {
    const { env, pids } = waitingHelper();
    const spawned = spawnCli(['inspect', image], { env });
    await expect.poll(pids, { timeout: 10_000 }).toHaveLength(2);
    const { code, milliseconds } = await ended(spawned, signal);
    expect(code).toBe(130);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    await expect.poll(() => pids().filter(isAlive)).toEqual([]);
  });

  it('ends with a command that has failed elsewhere', async () => {
    const { env, pids } = waitingHelper();
    const other = await startScripted(async () => {
      await expect.poll(pids, { timeout: 10_000 }).toHaveLength(2);
      return { status: 403 };
    });
    const args = ['copy', `${other.host}/y:1`, `${server.host}/z:1`];
    const spawned = spawnCli(args, { env });
    const timer = setTimeout(() => spawned.child.kill('SIGKILL'), 20_000);
    const { code, stderr } = await spawned.done;
    clearTimeout(timer);
    await other.stop();
    expect(stderr).toContain(`${other.host}/y`);
    expect(code).toBe(4);
    await expect.poll(() => pids().filter(isAlive)).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended; its parent has not waited for it yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
