import { readdirSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { FakeRegistry, makeList } from './support/fake-registry.js';
import { Folder, pathWith } from './support/files.js';
import { makeListLayout, type ListLayout } from './support/list-layout.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

/**
 * A command that fails ends by itself: nothing that it has begun (a connection, a request, a wait before a retry, a credential helper)
 * keeps its process. These are real processes in which process.exit() does nothing.
 */

/** A command that is still running after this many milliseconds does not end by itself; each takes a second at most. */
const DEADLINE_MS = 15_000;
const EXIT_CALLED = 'process.exit was called';

const folder = new Folder();
const hook = folder.write(
  'no-exit.cjs',
  `process.exit = () => { process.stderr.write('${EXIT_CALLED}'); };`,
);

let lists: ListLayout;
let damaged: ListLayout;
let answering: ScriptedServer;
let challenging: ScriptedServer;
/** Answers after a moment that it has nothing. */
let slow: ScriptedServer;
let silent: Silent;

/** A server that accepts connections and never answers. */
interface Silent {
  readonly port: number;
  stop(): Promise<void>;
}

async function startSilent(): Promise<Silent> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

beforeAll(async () => {
  lists = await makeListLayout();
  damaged = await makeListLayout();
  const blobs = path.join(damaged.layout.root, 'blobs/sha256');
  for (const name of readdirSync(blobs)) writeFileSync(path.join(blobs, name), 'damaged');
  const registry = new FakeRegistry();
  const image = registry.addImage('app', 'image');
  const platform = { os: 'linux', architecture: 'amd64' };
  registry.addManifest('app', 'a', makeList([{ ...image, platform }]));
  answering = await startScripted((request) => registry.answer(request));
  challenging = await startScripted(() => ({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="x"' },
  }));
  slow = await startScripted(async () => {
    await sleep(500);
    return { status: 404 };
  });
  silent = await startSilent();
});

afterAll(() => Promise.all([answering, challenging, slow, silent].map((server) => server.stop())));

interface Ended {
  /** Null if it had to be killed. */
  readonly code: number | null;
  readonly stderr: string;
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { child, done } = spawnCli(args, { env: { NODE_OPTIONS: `--require ${hook}`, ...env } });
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const { code, stderr } = await done;
  clearTimeout(timer);
  return { code, stderr };
}

/** Fails with what the command printed if it did not end, or ended with another code. */
function expectEnd({ code, stderr }: Ended, expected: number): void {
  const end = code === null ? 'did not end' : `ended with ${code}`;
  if (code !== expected) throw new Error(`${end}, not with ${expected}: ${stderr}`);
  expect(stderr).not.toContain(EXIT_CALLED);
}

const SILENCE = ['--timeout', '300ms', '--retry', '0'];

let specs = 0;

/** The commands that publish what they read. */
const PUBLISHING: Readonly<Record<string, (source: string, target: string) => string[]>> = {
  create: (source, target) => ['create', '--target', target, source],
  'push from-args': (source, target) => {
    const names = ['--template', source, '--target', target];
    return ['push', 'from-args', '--platforms', 'linux/amd64', ...names];
  },
  'push from-spec': (source, target) => {
    const platform = '{ os: linux, architecture: amd64 }';
    const manifests = `manifests: [{ image: "${source}", platform: ${platform} }]`;
    return [
      'push',
      'from-spec',
      folder.write(`${++specs}.yaml`, `image: ${target}\n${manifests}\n`),
    ];
  },
  copy: (source, target) => ['copy', source, target],
  add: (source, target) => ['add', target, source],
};

const TARGETS: Readonly<Record<string, () => readonly [host: string, ...options: string[]]>> = {
  'never answers': () => [`127.0.0.1:${silent.port}`],
  'never answers in TLS': () => [`127.0.0.1:${silent.port}`, '--insecure'],
  'refuses connections': () => ['127.0.0.1:9'],
  answers: () => [answering.host],
};

const SOURCES: readonly [name: string, code: number, source: () => string][] = [
  ['a layout that does not exist', 3, () => 'oci-layout:///no/such:x'],
  ['a tag that does not exist', 3, () => lists.layout.reference('none')],
  ['a directory that is not a layout', 1, () => `oci-layout://${path.dirname(hook)}:x`],
  ['a damaged manifest', 1, () => damaged.layout.reference('amd64')],
];

describe.each(Object.entries(PUBLISHING))('%s ends', (_, words) => {
  describe.each(Object.entries(TARGETS))('when the target %s', (__, target) => {
    it.concurrent.each(SOURCES)('and the source is %s', async (___, code, source) => {
      const [host, ...options] = target();
      expectEnd(await run([...words(source(), `${host}/app:a`), ...options]), code);
    });
  });

  it.concurrent.each([
    [['--dry-run']],
    [['--timeout', '1m']],
    [['--retry', '0']],
    [['--wait', '1ms']],
  ])('with %s', async (options) => {
    const failing = words('oci-layout:///no/such:x', `127.0.0.1:${silent.port}/app:a`);
    expectEnd(await run([...failing, ...options]), 3);
  });

  it.concurrent('when a server never answers', async () => {
    const target = `127.0.0.1:${silent.port}/app:a`;
    expectEnd(await run([...words(lists.layout.reference('amd64'), target), ...SILENCE]), 5);
    expectEnd(await run([...words(`${answering.host}/app:image`, target), ...SILENCE]), 5);
    const source = `127.0.0.1:${silent.port}/app:image`;
    expectEnd(await run([...words(source, `${answering.host}/app:a`), ...SILENCE]), 5);
  });

  it.concurrent('when a credential helper of the target never answers', async () => {
    const bin = folder.directory();
    folder.helper(bin, 'slow', 'exec sleep 60');
    const config = folder.dockerConfig({ credHelpers: { [challenging.host]: 'slow' } });
    const env = { PATH: pathWith(bin), DOCKER_CONFIG: config };
    const failing = words(`${slow.host}/app:a`, `${challenging.host}/app:a`);
    expectEnd(await run([...failing, '--retry', '0'], env), 3);
  });
});

const SELECTING = Object.entries(PUBLISHING).filter(([name]) => name !== 'copy');

it.concurrent.each(SELECTING)(
  '%s ends when nothing is left after --ignore-missing',
  async (_, words) => {
    const missing = words(lists.layout.reference('none'), `${answering.host}/app:a`);
    expectEnd(await run([...missing, '--ignore-missing']), 3);
  },
);

const BUILDING = SELECTING.filter(([name]) => name !== 'add');

it.concurrent.each(BUILDING)(
  '%s ends when --strict makes an error of a warning',
  async (_, words) => {
    const odd = words(lists.layout.reference('amd64'), `127.0.0.1:${silent.port}/app:a`);
    expectEnd(await run([...odd, '--strict', '--type', 'docker']), 2);
  },
);

it('add ends when --strict makes an error of a warning', async () => {
  const sources = [lists.layout.reference('amd64'), lists.layout.reference('none')];
  const add = ['add', `${answering.host}/app:a`, ...sources, '--ignore-missing', '--strict'];
  expectEnd(await run(add), 2);
});

describe('a command that reads ends', () => {
  it.concurrent.each([
    [['inspect']],
    [['query']],
    [['verify']],
    [['spec', 'from']],
    [['remove', '--platform', 'linux/amd64']],
    [['annotate', '--annotation', 'a=b']],
  ])('%s', async (command) => {
    expectEnd(await run([...command, `127.0.0.1:${silent.port}/app:a`, ...SILENCE]), 5);
    const layout = lists.layout.reference('none');
    expectEnd(await run([...command, layout]), 3);
  });

  it('check-registry', async () => {
    expectEnd(await run(['check-registry', `127.0.0.1:${silent.port}/app`, ...SILENCE]), 5);
  });
});
