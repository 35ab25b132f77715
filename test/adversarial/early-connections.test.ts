import { spawn, type ChildProcess } from 'node:child_process';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli, expectCode, type CliResult } from '../support/cli.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import { startNetwork, type Network } from './support/network.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

/**
 * The first connections are begun while the code that will use them is still being loaded. Whatever becomes of them, a command does
 * what it would do without it, and none is opened to a host that is to be reached in another way.
 */

const folder = new Folder();
const registry = new FakeRegistry();
let authority: Authority;
let plain: ScriptedServer;
let tls: ScriptedServer;
let door: Door;

/** Stands before a server, counts who comes, and shuts the door behind the first ones. */
interface Door {
  readonly port: number;
  readonly opened: Socket[];
  /** The server that it leads to. */
  target: number;
  /** How many are sent away as soon as they have come. */
  refused: number;
  stop(): Promise<void>;
}

async function startDoor(): Promise<Door> {
  const server = net.createServer((socket) => {
    door.opened.push(socket);
    socket.on('error', () => undefined);
    if (door.opened.length <= door.refused) {
      socket.destroy();
      return;
    }
    const far = net.connect(door.target, '127.0.0.1');
    far.on('error', () => socket.destroy());
    far.on('close', () => socket.destroy());
    socket.on('close', () => far.destroy());
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    opened: [],
    target: 0,
    refused: 0,
    stop: () =>
      new Promise((resolve) => {
        for (const socket of door.opened) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
  registry.addPlatforms('x');
  plain = await startScripted((request) => registry.answer(request));
  tls = await startScripted((request) => registry.answer(request), authority.server);
});

beforeEach(async () => {
  door = await startDoor();
  plain.requests.length = 0;
  tls.requests.length = 0;
});

afterEach(() => door.stop());
afterAll(() => Promise.all([plain.stop(), tls.stop()]));

function inspect(
  host: string,
  options: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  return runCli(['inspect', ...options, '--retry', '0', `${host}/x:linux-amd64`], { env });
}

describe.each([
  ['plain HTTP', () => plain, ['--plain-http']],
  ['plain HTTP, which is not asked for', () => plain, []],
  ['TLS', () => tls, ['--insecure']],
])('a registry of %s', (_, server, options) => {
  it.each(['127.0.0.1', 'localhost'])('is spoken to over it, as %s', async (hostname) => {
    door.target = server().port;
    const result = await inspect(`${hostname}:${door.port}`, options);
    expectCode(result, 0);
    expect(result.stdout).toContain('Arch: amd64');
    expect(server().requests).toHaveLength(2);
    // One of it and the fifteen that are opened beside it: it is one of the sixteen.
    expect(door.opened.length).toBeLessThanOrEqual(16);
  });

  it('is spoken to over another one where the first is closed before it is used', async () => {
    door.target = server().port;
    door.refused = 1;
    const result = await runCli(['inspect', ...options, `127.0.0.1:${door.port}/x:linux-amd64`]);
    expectCode(result, 0);
    expect(server().requests).toHaveLength(2);
  });
});

it('a port at which nobody listens is told, after one attempt', async () => {
  await door.stop();
  const { code, stderr } = await inspect(`127.0.0.1:${door.port}`);
  expect(code).toBe(5);
  expect(stderr).toMatch(/cannot be reached: connection refused/);
});

describe('a proxy', () => {
  let network: Network;

  beforeAll(async () => {
    network = await startNetwork({});
  });

  afterAll(() => network.stop());

  it.each([
    ['https', []],
    ['http', ['--plain-http']],
  ])('is the only one that is connected to, for %s', async (_, options) => {
    // This machine by an address that no rule of proxies takes for it.
    const address = `0.0.0.0:${door.port}`;
    door.target = plain.port;
    await inspect(address, options, network.env);
    expect(network.calls.length).toBeGreaterThan(0);
    expect(door.opened).toHaveLength(0);
    await inspect(address, options);
    expect(door.opened.length).toBeGreaterThan(0);
  });
});

describe('a host that takes no connection', () => {
  let server: ChildProcess;
  let port: number;
  const fillers: Socket[] = [];

  beforeAll(async () => {
    server = spawn(process.execPath, [
      '-e',
      `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`,
    ]);
    port = await new Promise((resolve) => {
      server.stdout!.once('data', (text) => resolve(Number(text)));
    });
    // Nobody accepts any more, and there is room for two.
    server.kill('SIGSTOP');
    for (let i = 0; i < 4; i += 1) fillers.push(net.connect(port, '127.0.0.1'));
    for (const filler of fillers) filler.on('error', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  });

  afterAll(() => {
    for (const filler of fillers) filler.destroy();
    server.kill('SIGKILL');
  });

  it('is given up after the time for it', async () => {
    const { code, stderr } = await inspect(`127.0.0.1:${port}`, ['--timeout', '1s']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/time/i);
  });
});
