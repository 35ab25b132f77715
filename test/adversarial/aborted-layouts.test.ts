import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { LAYER, LayoutFolder, type Entry } from '../support/layout.js';

/** An abort at any moment ends a job on layouts, and nothing else. These run what `npm run build` has built. */

const PROGRAM = fileURLToPath(new URL('../support/abort-layout-jobs.mjs', import.meta.url));
const LIBRARY = path.resolve('dist/lib/index.js');
/** Of each command. */
const INTERRUPTS = 10;
const ARCHITECTURES = ['amd64', 'arm64', '386', 's390x', 'ppc64le', 'riscv64'];

/** What is printed at the end, after lines of progress. */
const LAST_LINES = /^manifest-tool: [^\n]*interrupted[^\n]*\nhint: [^\n]+\n$/m;

let layout: LayoutFolder;
let large: LayoutFolder;

/** A layout with an index of several images, each with layers of these sizes in bytes. */
async function layoutOf(sizes: readonly number[]): Promise<LayoutFolder> {
  const made = await LayoutFolder.make();
  const entries: Entry[] = [];
  for (const architecture of ARCHITECTURES) {
    const platform = { os: 'linux', architecture };
    const layers = await Promise.all(sizes.map((size) => made.blob(LAYER, randomBytes(size))));
    entries.push({ ...(await made.image(platform, layers)), platform });
  }
  await made.tag(await made.index(entries), 'index');
  return made;
}

beforeAll(async () => {
  // One layer that takes several reads.
  [layout, large] = await Promise.all([
    layoutOf([1000, 400_000, 70_000]),
    layoutOf([4_000_000, 1_000_000]),
  ]);
});

afterAll(() => Promise.all([layout.remove(), large.remove()]));

interface Report {
  /** How the job ended when it was not aborted. */
  readonly endings: readonly string[];
  /** How often it ended how when it was. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly unhandled: readonly string[];
  readonly warnings: readonly string[];
  readonly left: readonly string[];
}

describe('a program that aborts', () => {
  it.each([
    ['verify', 200],
    // Each blob is flushed to the device.
    ['copy-to-layout', 60],
    ['copy-to-registry', 200],
  ])('%s, %i times: the one error is INTERRUPTED, and no file stays open', async (job, rounds) => {
    const args = ['--expose-gc', PROGRAM, LIBRARY, layout.root, job, String(rounds)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { endings, outcomes, ...others } = JSON.parse(stdout) as Report;
    expect(endings).toEqual(['done']);
    expect(others).toEqual({ unhandled: [], warnings: [], left: [] });
    // The last moments may lie behind the end of a round that is quicker than the measured ones.
    const { INTERRUPTED = 0, done = 0 } = outcomes;
    expect(INTERRUPTED + done).toBe(rounds);
    expect(INTERRUPTED).toBeGreaterThan(rounds / 4);
  });
});

describe('an interrupt of the command line', () => {
  it.each<readonly [name: string, args: (target: string) => string[]]>([
    ['verify --deep', () => ['verify', '--deep', large.reference('index')]],
    ['copy', (target) => ['copy', large.reference('index'), `oci-layout://${target}:1`]],
  ])('of %s ends it with 130 and one line at whatever moment', async (_, args) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'interrupted-'));
    const before = performance.now();
    expect(await spawnCli(args(path.join(folder, 'whole'))).done).toMatchObject({ code: 0 });
    const whole = performance.now() - before;
    const codes: (number | null)[] = [];
    const isEnough = (): boolean => codes.filter((code) => code === 130).length === INTERRUPTS;
    // On a busy machine most rounds may be quicker or slower than the measured one.
    for (let round = 0; !isEnough() && round < 10 * INTERRUPTS; round += 1) {
      const { child, done } = spawnCli(args(path.join(folder, String(round))));
      // Not in the first third: before the program has started, a signal ends the process itself.
      await sleep(whole * (1 / 3 + ((2 / 3) * (round % INTERRUPTS)) / INTERRUPTS));
      child.kill(round % 2 === 0 ? 'SIGINT' : 'SIGTERM');
      const { code, stderr } = await done;
      codes.push(code);
      if (code === 130) expect(stderr).toMatch(LAST_LINES);
      else {
        // It was quicker than the measured one; or the signal came before or after the program's own
        // handling of it, when it ends any process.
        expect([0, null]).toContain(code);
        expect(stderr).not.toMatch(/manifest-tool:|Error/);
      }
    }
    await rm(folder, { recursive: true });
    expect(isEnough()).toBe(true);
  });
});
