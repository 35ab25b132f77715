import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { FakeRegistry, makeImage, makeList } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import { addToRegistry, shapeOf, writeLayout, type Shape } from './support/index-shapes.js';
import { startScripted, type ScriptedServer } from './support/scripted.js';

/** Each command ends within a few seconds. This is when it is taken to hang, on a machine that is busy with other things. */
const LIMIT_MS = 60_000;
/** The same from a signal to the end, which takes 1.5 s at most. */
const SIGNAL_LIMIT_MS = 15_000;

vi.setConfig({ testTimeout: 2 * LIMIT_MS });

const SHAPES: Readonly<Record<string, Shape>> = {
  'ten entries, six levels, one index a level': shapeOf({ entries: 10, levels: 6 }),
  'ten entries, six levels, ten indexes a level': shapeOf({ entries: 10, levels: 6, perLevel: 10 }),
  '1,000 entries, two levels': shapeOf({ entries: 1000, levels: 2 }),
  '1,000 entries, two levels, no platforms': shapeOf({
    entries: 1000,
    levels: 2,
    hasPlatform: false,
  }),
  '1,000 entries, six levels': shapeOf({ entries: 1000, levels: 6 }),
};

/** Where a command reads, and where it may write: an index is there under the tag `list`. */
interface Place {
  readonly root: string;
  readonly list: string;
  readonly out: string;
}

interface Command {
  readonly args: (place: Place) => readonly string[];
  readonly stdin?: (place: Place) => string;
}

const TOO_MANY = /more than 20000 manifests are referred to/;

/** All that walks an index, and what it has to say in the end: a result, or the limit. */
const COMMANDS: Readonly<Record<string, Command>> = {
  inspect: { args: ({ root }) => ['inspect', root] },
  'inspect --raw': { args: ({ root }) => ['inspect', '--raw', root] },
  'inspect --format raw': { args: ({ root }) => ['inspect', '--format', 'raw', root] },
  'inspect --format json': { args: ({ root }) => ['inspect', '--format', 'json', root] },
  'inspect --format table': { args: ({ root }) => ['inspect', '--format', 'table', root] },
  'inspect --format docker': { args: ({ root }) => ['inspect', '--format', 'docker', root] },
  'inspect --format docker-verbose': {
    args: ({ root }) => ['inspect', '--format', 'docker-verbose', root],
  },
  'inspect --platform': { args: ({ root }) => ['inspect', '--platform', 'linux/amd64', root] },
  'inspect --referrers': {
    args: ({ root }) => ['inspect', '--format', 'json', '--referrers', root],
  },
  query: { args: ({ root }) => ['query', root] },
  verify: { args: ({ root }) => ['verify', root] },
  'verify --deep': { args: ({ root }) => ['verify', '--deep', root] },
  create: { args: ({ root, out }) => ['create', '--target', out, root] },
  copy: { args: ({ root, out }) => ['copy', root, out] },
  'copy --referrers': { args: ({ root, out }) => ['copy', '--referrers', root, out] },
  add: { args: ({ root, list }) => ['add', list, root] },
  'push from-spec': {
    args: () => ['push', 'from-spec', '-'],
    stdin: ({ root, out }) => JSON.stringify({ image: out, manifests: [{ image: root }] }),
  },
  'push from-args': {
    args: ({ root, out }) => [
      'push',
      'from-args',
      '--platforms',
      'linux/amd64',
      '--template',
      root,
      '--target',
      out,
    ],
  },
  'spec from': { args: ({ root }) => ['spec', 'from', root] },
};

/** Commands that read every level, and how they end beyond the limit, which they name. */
const WALKING: Readonly<Record<string, number>> = {
  'inspect --format json': 0,
  'inspect --format table': 0,
  'inspect --referrers': 0,
  query: 0,
  verify: 6,
  'verify --deep': 6,
  create: 1,
  copy: 1,
  'copy --referrers': 1,
  add: 1,
  'push from-spec': 1,
};

interface End {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, or fails with `hung` where it does not come. */
async function end(name: string, place: Place, signalAfter?: Promise<unknown>): Promise<End> {
  const { args, stdin } = COMMANDS[name]!;
  const { child, done } = spawnCli(args(place), stdin === undefined ? {} : { stdin: stdin(place) });
  let hasHung = false;
  const kill = (): void => {
    hasHung = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(kill, LIMIT_MS);
  const interrupt = async (): Promise<void> => {
    await signalAfter;
    clearTimeout(timer);
    timer = setTimeout(kill, SIGNAL_LIMIT_MS);
    child.kill('SIGTERM');
  };
  if (signalAfter !== undefined) void interrupt();
  const ended = await done;
  clearTimeout(timer);
  if (hasHung) throw new Error(`${name} did not end: ${ended.stderr.slice(0, 1000)}`);
  return ended;
}

/** A result, or one line that says what is wrong and one with a hint. */
function expectEnd(name: string, { code, stderr }: End): void {
  const expected = WALKING[name];
  const allowed = expected === undefined ? [0, 1, 2, 3] : [expected];
  if (!allowed.includes(code ?? -1))
    throw new Error(`${name} ended with ${code}: ${stderr.slice(0, 1000)}`);
  if (expected !== undefined) expect(stderr).toMatch(TOO_MANY);
  if (code === 0) return;
  expect(stderr).toMatch(/^manifest-tool: .* failed: .*$/m);
  expect(stderr).toMatch(/^hint: ./m);
  expect(stderr).not.toContain('    at ');
}

const folder = new Folder();
const LIST = makeList([{ ...makeImage(), platform: { os: 'linux', architecture: 's390x' } }]);

describe('in a layout', () => {
  const runs = Object.entries(SHAPES).flatMap(([shape]) =>
    Object.keys(COMMANDS).map((command) => [command, shape] as const),
  );
  const places = new Map<string, Place>();

  beforeAll(() => {
    for (const [name, shape] of Object.entries(SHAPES)) {
      const root = writeLayout(folder.directory(), shape);
      const list = writeLayout(folder.directory(), {
        root: LIST,
        manifests: [LIST, makeImage()],
        blobs: [makeImage().config, makeImage().layer],
      });
      places.set(name, { root, list, out: `oci-layout://${path.join(folder.directory(), 'o')}:o` });
    }
  });

  it.each(runs)('%s of %s ends', async (command, shape) => {
    expectEnd(command, await end(command, places.get(shape)!));
  });
});

describe('in a layout, which takes processor time alone', () => {
  /** Processor time of a process in milliseconds (proc(5), utime and stime; a tick is 10 ms). */
  const cpuTime = (pid: number | undefined): number => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    } catch {
      return Infinity;
    }
  };

  it.each(
    (['SIGINT', 'SIGTERM'] as const).flatMap((signal) =>
      ['verify', 'copy', 'inspect --format json'].map((command) => [signal, command] as const),
    ),
  )('%s ends %s', async (signal, command) => {
    const root = writeLayout(folder.directory(), SHAPES['1,000 entries, six levels']!);
    const place = { root, list: root, out: `oci-layout://${path.join(folder.directory(), 'o')}:o` };
    const endAfter = async (cpuMs: number): ReturnType<typeof spawnCli>['done'] => {
      const { child, done } = spawnCli(COMMANDS[command]!.args(place));
      await expect
        .poll(() => cpuTime(child.pid), { timeout: LIMIT_MS, interval: 5 })
        .toBeGreaterThan(cpuMs);
      const kill = setTimeout(() => child.kill('SIGKILL'), SIGNAL_LIMIT_MS);
      child.kill(signal);
      const ended = await done;
      clearTimeout(kill);
      return ended;
    };
    let ended = await endAfter(400);
    // On a busy machine the start takes as long; the system then ends it, as nothing handles signals.
    if (ended.signal === signal) ended = await endAfter(1000);
    const { code, signal: endedBy } = ended;
    expect(endedBy).toBeNull();
    // It may have ended by itself just before.
    expect([130, WALKING[command]]).toContain(code);
  });
});

describe('in a registry', () => {
  let server: ScriptedServer;
  let registry: FakeRegistry;
  let place: Place;

  beforeAll(async () => {
    server = await startScripted((request) => registry.answer(request));
  });

  beforeEach(() => {
    server.script = (request) => registry.answer(request);
    server.requests.length = 0;
    registry = new FakeRegistry();
    registry.addImage('target', 'image', {});
    registry.addManifest('target', 'list', LIST);
    const { host } = server;
    place = { root: `${host}/shape:root`, list: `${host}/target:list`, out: `${host}/target:out` };
  });

  afterAll(() => server.stop());

  const reads = (): string[] =>
    server.requests.flatMap(({ method, path: url }) =>
      method === 'GET' && /\/shape\/(manifests|blobs)\//.test(url) ? [url] : [],
    );

  const runs = ['ten entries, six levels, ten indexes a level', '1,000 entries, two levels'];
  it.each(
    runs.flatMap((shape) => Object.keys(COMMANDS).map((command) => [command, shape] as const)),
  )('%s of %s ends, and reads nothing twice', async (command, shape) => {
    addToRegistry(registry, 'shape', SHAPES[shape]!);
    expectEnd(command, await end(command, place));
    expect(reads()).toEqual([...new Set(reads())]);
    expect(reads().length).toBeGreaterThan(0);
  });

  it.each(Object.keys(WALKING))(
    '%s is ended by a signal while an index is read',
    async (command) => {
      const shape = shapeOf({ entries: 10, levels: 4 });
      addToRegistry(registry, 'shape', shape);
      const isInner = (url: string): boolean => url.includes('/shape/manifests/sha256:');
      let reached: () => void;
      const isReached = new Promise<void>((resolve) => {
        reached = resolve;
      });
      server.script = (request) => {
        if (!isInner(request.path)) return registry.answer(request);
        reached();
        return 'hang';
      };
      const { code } = await end(command, place, isReached);
      expect(code).toBe(130);
    },
  );
});

describe('what is within the limits', () => {
  const place = (shape: Shape): Place => ({
    root: writeLayout(folder.directory(), shape),
    list: '',
    out: `oci-layout://${path.join(folder.directory(), 'o')}:o`,
  });

  it('is copied and verified four levels deep, and refused five levels deep', async () => {
    const four = place(shapeOf({ entries: 1, levels: 5 }));
    const five = place(shapeOf({ entries: 1, levels: 6 }));
    for (const command of ['verify', 'copy', 'create', 'query', 'inspect --format json'])
      expect(await end(command, four)).toMatchObject({ code: 0 });
    const says = /nested more than 4 levels deep/;
    expect(await end('copy', five)).toMatchObject({ code: 1, stderr: says });
    expect(await end('create', five)).toMatchObject({ code: 1, stderr: says });
    expect(await end('verify', five)).toMatchObject({ code: 6, stderr: says });
    expect(await end('query', five)).toMatchObject({ code: 0, stderr: says });
    expect(await end('inspect --format json', five)).toMatchObject({ code: 0 });
  });
});
