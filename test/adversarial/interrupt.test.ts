import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { FakeRegistry, pushArguments } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import {
  json,
  startScripted,
  type Answer,
  type ScriptedServer,
  type Seen,
} from './support/scripted.js';

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Pushes to a registry of which `special` replaces some answers, and interrupts the push when `isReached` says so. No time limit of the
 * push ends before the test's own: only the signal can end it.
 */
async function interrupted(
  special: (request: Seen, server: ScriptedServer) => Answer | undefined,
  isReached: (server: ScriptedServer) => boolean,
  signal: NodeJS.Signals = 'SIGINT',
  options: readonly string[] = [],
): Promise<Outcome> {
  const registry = new FakeRegistry();
  registry.addPlatforms('source');
  const server = await startScripted(
    (request) => special(request, server) ?? registry.answer(request),
  );
  try {
    const args = pushArguments(`${server.host}/source`, `${server.host}/target`).slice(0, -2);
    const { child, done } = spawnCli([...args, '--timeout', '1h', ...options]);
    const reached = async (): Promise<void> => {
      await expect.poll(() => isReached(server), { timeout: 60_000 }).toBe(true);
    };
    await Promise.race([
      reached(),
      done.then(({ stderr }) => Promise.reject(new Error(`it ended by itself: ${stderr}`))),
    ]);
    // So that answers that were sent have arrived.
    await sleep(100);
    child.kill(signal);
    const { code, stdout, stderr } = await done;
    return { code, stdout, stderr };
  } finally {
    await server.stop();
  }
}

const MOMENTS: [string, (request: Seen) => boolean][] = [
  ['a manifest is read', ({ method, path }) => method === 'GET' && path.includes('/manifests/')],
  ['a configuration is read', ({ method, path }) => method === 'GET' && path.includes('/blobs/')],
  ['a blob is mounted', ({ method }) => method === 'POST'],
  ['a child is written', ({ method, path }) => method === 'PUT' && path.includes('sha256:')],
];

describe('an interrupt before any tag: nothing was published', () => {
  it.each(
    MOMENTS.flatMap(([name, is]) => [
      ['SIGINT', name, is] as const,
      ['SIGTERM', name, is] as const,
    ]),
  )('%s while %s', async (signal, _, is) => {
    const { code, stdout, stderr } = await interrupted(
      (request) => (is(request) ? 'hang' : undefined),
      ({ requests }) => requests.some(is),
      signal,
    );
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^manifest-tool: .*interrupted.*nothing was published$/m);
  });

  it('while it waits because it was asked to', async () => {
    const { code, stderr } = await interrupted(
      ({ method }) =>
        method === 'PUT' ? { status: 429, headers: { 'retry-after': '60' } } : undefined,
      ({ requests }) => requests.some(({ method }) => method === 'PUT'),
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(/^retrying /m);
    expect(stderr).toMatch(/nothing was published$/m);
  });

  it('while a token server does not answer', async () => {
    const { code, stderr } = await interrupted(
      (request, { url }) =>
        request.path === '/t'
          ? 'hang'
          : { status: 401, headers: { 'www-authenticate': `Bearer realm="${url}/t"` } },
      ({ requests }) => requests.some(({ path }) => path === '/t'),
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(/nothing was published$/m);
  });

  it('while a connection is made', async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    // A TLS handshake that is not answered.
    const args = [...pushArguments(`${host}/x`, `${host}/y`), '--insecure', '--timeout', '1h'];
    const { child, done } = spawnCli(args);
    await expect.poll(() => sockets.length, { timeout: 60_000 }).toBeGreaterThan(0);
    child.kill('SIGINT');
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(stderr).toMatch(/nothing was published$/m);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

describe('an interrupt while tags move', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s: says which have moved, and which may not have',
    async (signal) => {
      const hangs = ({ method, path }: Seen): boolean =>
        method === 'PUT' && /\/(?:b|d)$/.test(path);
      const { code, stdout, stderr } = await interrupted(
        (request) => (hangs(request) ? 'hang' : undefined),
        ({ requests }) =>
          requests.filter(({ method, path }) => method === 'PUT' && !path.includes('sha256:'))
            .length === 5,
        signal,
        ['--tags', 'a,b,c,d'],
      );
      expect(code).toBe(130);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^published \S+\/target:out$/m);
      const line = /^manifest-tool: .*interrupted.*$/m.exec(stderr)?.[0] ?? '';
      const [, published = '', others = ''] =
        /published: ([^;]+); not confirmed: (.+)$/.exec(line) ?? [];
      expect(published.split(', ').toSorted()).toEqual(['a', 'c', 'out']);
      expect(others.split(', ').toSorted()).toEqual(['b', 'd']);
    },
  );

  it('with one tag: says that it is not confirmed', async () => {
    const isTag = ({ method, path }: Seen): boolean => method === 'PUT' && path.endsWith('/out');
    const { code, stderr } = await interrupted(
      (request) => (isTag(request) ? 'hang' : undefined),
      ({ requests }) => requests.some(isTag),
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /nothing is known to be published; not confirmed: out\nhint: run it again: tags that are up to date are not/,
    );
  });
});

/** Makes every use of a path in /hung wait for ever, as a network file system does whose server is gone; tells the parent process. */
const HUNG_FILE_SYSTEM = `
const fs = require('node:fs');
for (const [object, wait] of [[fs.promises, () => new Promise(() => {})], [fs, () => {}]]) {
  for (const [name, original] of Object.entries(object)) {
    if (typeof original !== 'function' || name.endsWith('Sync')) continue;
    object[name] = (file, ...rest) => {
      if (!String(file).startsWith('/hung/')) return original.call(object, file, ...rest);
      process.send('waits');
      setInterval(() => {}, 1000);
      return wait();
    };
  }
}
`;

describe('a command that does not end by itself', () => {
  const folder = new Folder();
  const preload = folder.write('hung.cjs', HUNG_FILE_SYSTEM);

  async function interruptedBy(...signals: readonly NodeJS.Signals[]): Promise<string> {
    const args = ['--require', preload, BIN, 'inspect', 'oci-layout:///hung/layout:1'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const stderr = text(child.stderr!);
    const ended = once(child, 'close');
    await once(child, 'message');
    for (const signal of signals) child.kill(signal);
    expect(await ended).toEqual([130, null]);
    return stderr;
  }

  it('is ended after a while', async () => {
    expect(await interruptedBy('SIGINT')).toMatch(
      /^manifest-tool: .*interrupted.*\nhint: check the target before you run it again/m,
    );
  });

  it('is ended at once by a second signal', async () => {
    expect(await interruptedBy('SIGINT', 'SIGTERM')).toBe('');
  });
});

describe('an interrupt of an inspect', () => {
  it('ends with 130', async () => {
    const server = await startScripted(() => 'hang');
    const { child, done } = spawnCli(['inspect', '--timeout', '1h', `${server.host}/x`]);
    await expect.poll(() => server.requests.length, { timeout: 60_000 }).toBe(1);
    child.kill('SIGTERM');
    const { code, stderr, stdout } = await done;
    await server.stop();
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^manifest-tool: reading \S+ failed: it was interrupted\nhint: run it again to complete it\n$/,
    );
  });

  it('a token that comes late is not waited for', async () => {
    const late: ((value: unknown) => void)[] = [];
    const server = await startScripted(async (request) => {
      if (request.path !== '/t')
        return { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/t"` } };
      await new Promise((resolve) => late.push(resolve));
      return json(200, { token: 'late-token' });
    });
    const { child, done } = spawnCli(['inspect', '--timeout', '1h', `${server.host}/x`]);
    await expect.poll(() => server.requests.length, { timeout: 60_000 }).toBe(2);
    child.kill('SIGINT');
    const { code } = await done;
    expect(code).toBe(130);
    for (const answer of late) answer(undefined);
    await server.stop();
  });
});
