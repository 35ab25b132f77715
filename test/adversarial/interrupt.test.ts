import { spawn } from 'node:child_process';
import net, { type AddressInfo } from 'node:net';
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

/** It ends within a second; where other tests keep both cores busy, the clock on the wall goes on. */
const LIMIT_MS = 4000;

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the signal to the end. */
  readonly milliseconds: number;
}

/** Pushes to a registry in which `special` stands in for some answers, and interrupts when `isReached` says so. */
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
    const { child, done } = spawnCli([...args, ...options]);
    const deadline = performance.now() + 15_000;
    while (!isReached(server)) {
      if (performance.now() > deadline) throw new Error(`never reached: ${(await stop()).stderr}`);
      await sleep(5);
    }
    // So that answers that were sent have arrived.
    await sleep(100);
    const start = performance.now();
    child.kill(signal);
    const { code, stdout, stderr } = await done;
    return { code, stdout, stderr, milliseconds: performance.now() - start };

    function stop(): typeof done {
      child.kill('SIGKILL');
      return done;
    }
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
    const { code, stdout, stderr, milliseconds } = await interrupted(
      (request) => (is(request) ? 'hang' : undefined),
      ({ requests }) => requests.some(is),
      signal,
    );
    expect(code).toBe(130);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^manifest-tool: .*interrupted.*nothing was published$/m);
  });

  it('while it waits because it was asked to', async () => {
    const { code, stderr, milliseconds } = await interrupted(
      ({ method }) =>
        method === 'PUT' ? { status: 429, headers: { 'retry-after': '30' } } : undefined,
      ({ requests }) => requests.some(({ method }) => method === 'PUT'),
    );
    expect(code).toBe(130);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    expect(stderr).toMatch(/^waiting /m);
    expect(stderr).toMatch(/nothing was published$/m);
  });

  it('while a token server does not answer', async () => {
    const { code, stderr, milliseconds } = await interrupted(
      (request, { url }) =>
        request.path === '/t'
          ? 'hang'
          : { status: 401, headers: { 'www-authenticate': `Bearer realm="${url}/t"` } },
      ({ requests }) => requests.some(({ path }) => path === '/t'),
    );
    expect(code).toBe(130);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    expect(stderr).toMatch(/nothing was published$/m);
  });

  it('while a connection is made', async () => {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    // A handshake of TLS that nobody answers.
    const args = [...pushArguments(`${host}/x`, `${host}/y`), '--insecure'];
    const { child, done } = spawnCli(args);
    await expect.poll(() => sockets.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const start = performance.now();
    child.kill('SIGINT');
    const { code, stderr } = await done;
    expect(code).toBe(130);
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
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
      const { code, stdout, stderr, milliseconds } = await interrupted(
        (request) => (hangs(request) ? 'hang' : undefined),
        ({ requests }) =>
          requests.filter(({ method, path }) => method === 'PUT' && !path.includes('sha256:'))
            .length === 5,
        signal,
        ['--tags', 'a,b,c,d'],
      );
      expect(code).toBe(130);
      expect(milliseconds).toBeLessThan(LIMIT_MS);
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

describe('a command that does not end by itself', () => {
  const folder = new Folder();
  const stubborn = folder.write('stubborn.cjs', 'process.stdin.destroy = () => process.stdin;');

  /** It waits for a standard input that does not come, and that cannot be closed. */
  function start(): {
    child: ReturnType<typeof spawn>;
    ended: Promise<number | null>;
    text: () => string;
  } {
    const child = spawn(
      process.execPath,
      ['--require', stubborn, BIN, 'inspect', '-u', 'a', '--password-stdin', '127.0.0.1:1/x'],
      {
        env: { PATH: process.env['PATH'], HOME: '/nowhere' },
      },
    );
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (code) => resolve(code));
    });
    return { child, ended, text: () => text };
  }

  it('ends within a second', async () => {
    const { child, ended, text } = start();
    await sleep(2000);
    const before = performance.now();
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(performance.now() - before).toBeLessThan(LIMIT_MS);
    expect(text()).toMatch(
      /^manifest-tool: .*interrupted.*\nhint: look at what is there before you run it again/m,
    );
  });

  it('ends at once by a second signal', async () => {
    const { child, ended } = start();
    await sleep(2000);
    child.kill('SIGINT');
    await sleep(100);
    const before = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(performance.now() - before).toBeLessThan(LIMIT_MS);
  });
});

describe('an interrupt of an inspect', () => {
  it('ends with 130', async () => {
    const server = await startScripted(() => 'hang');
    const { child, done } = spawnCli(['inspect', `${server.host}/x`]);
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(1);
    child.kill('SIGTERM');
    const { code, stderr, stdout } = await done;
    await server.stop();
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /^manifest-tool: reading \S+ failed: it was interrupted\nhint: run it again to have it done\n$/,
    );
  });

  it('a token that comes late is not waited for', async () => {
    const server = await startScripted(async (request) => {
      if (request.path !== '/t')
        return { status: 401, headers: { 'www-authenticate': `Bearer realm="${server.url}/t"` } };
      await sleep(3000, undefined, { ref: false });
      return json(200, { token: 'late-token' });
    });
    const { child, done } = spawnCli(['inspect', `${server.host}/x`]);
    await expect.poll(() => server.requests.length, { timeout: 10_000 }).toBe(2);
    const start = performance.now();
    child.kill('SIGINT');
    const { code } = await done;
    expect(code).toBe(130);
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
    await server.stop();
  });
});
