import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Reporter } from '../../../../src/cli/progress/reporter.js';
import type { Timer } from '../../../../src/cli/progress/timer.js';
import { ManifestToolError } from '../../../../src/errors.js';
import { digestOf } from '../../../../src/oci/digest.js';

/** A timer that stands still until it is advanced. */
class ManualTimer implements Timer {
  private time = 0;
  private readonly calls = new Set<{ at: number; period: number; callback: () => void }>();

  now = (): number => this.time;

  every = (period: number, callback: () => void): (() => void) => {
    const call = { at: this.time + period, period, callback };
    this.calls.add(call);
    return () => void this.calls.delete(call);
  };

  advance(milliseconds: number): void {
    this.time += milliseconds;
    for (const call of this.calls) {
      for (; call.at <= this.time; call.at += call.period) call.callback();
    }
  }
}

function start(style: Partial<Parameters<Reporter['setStyle']>[0]> = {}, env = {}, isTTY = false) {
  let text = '';
  const timer = new ManualTimer();
  const output = { write: (part: string | Uint8Array) => void (text += String(part)), columns: 80 };
  const io = {
    stdout: { ...output, isTTY },
    stderr: { ...output, isTTY },
    stdin: () => Readable.from([]),
    env,
    signal: new AbortController().signal,
  };
  const reporter = new Reporter(io, timer);
  reporter.setStyle({ quiet: false, progress: undefined, debug: false, ...style });
  const lines = (): string[] => text.split('\n').slice(0, -1);
  return { reporter, timer, lines };
}

const MB = 1_000_000;
const layer = { mediaType: 't', digest: digestOf(Buffer.from('l')), size: 40 * MB };
const image = {
  ...layer,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  bytes: Buffer.alloc(0),
};

/** A copy of 40 MB that takes 25 seconds. */
async function copy({ reporter, timer }: ReturnType<typeof start>): Promise<void> {
  await reporter.during(async () => {
    reporter.progress('writing 1 image to e.co/app');
    reporter.planned('e.co/app', [layer]);
    const blob = { ...layer, target: 'e.co/app', state: 'copying' as const };
    reporter.blob({ ...blob, bytes: 0 });
    for (let bytes = 8 * MB; bytes <= layer.size; bytes += 8 * MB) {
      timer.advance(5000);
      reporter.blob({ ...blob, bytes });
    }
    reporter.blob({ ...blob, bytes: layer.size, state: 'copied' });
    reporter.written('e.co/app', image);
    await Promise.resolve();
  });
}

describe('without a terminal', () => {
  const status = [
    'writing 1 image to e.co/app · 20% of 40.0 MB, 800 kB/s, 40 s left',
    'writing 1 image to e.co/app · 60% of 40.0 MB, 1.20 MB/s, 13 s left',
  ];
  const summary = 'done in 25 s: 1 image written, 40.0 MB copied';

  test('there is a line every ten seconds, and a summary', async () => {
    const run = start();
    await copy(run);
    expect(run.lines()).toEqual([...status, summary]);
    run.timer.advance(60_000);
    expect(run.lines()).toHaveLength(3);
  });

  test('--progress plain has the lines as well', async () => {
    const run = start({ progress: 'plain' });
    await copy(run);
    expect(run.lines()).toEqual(expect.arrayContaining([...status, summary]));
  });

  test('what takes less than ten seconds has neither', async () => {
    const run = start();
    await run.reporter.during(async () => {
      run.timer.advance(9000);
      run.reporter.written('e.co/app', image);
      await Promise.resolve();
    });
    expect(run.lines()).toEqual([]);
  });

  test.each([{ quiet: true }, { progress: 'none' as const }])(
    'with %j there is nothing',
    async (style) => {
      const run = start(style);
      await copy(run);
      expect(run.lines()).toEqual([]);
    },
  );

  test('a failure has no summary, and ends the lines', async () => {
    const run = start();
    const failing = run.reporter.during(async () => {
      run.timer.advance(10_000);
      run.reporter.written('e.co/app', image);
      await Promise.reject(new Error('broken'));
    });
    await expect(failing).rejects.toThrow('broken');
    run.timer.advance(60_000);
    expect(run.lines()).toEqual(['starting']);
  });
});

test('what is waited for is reported once, and when it is there', () => {
  const { reporter, lines } = start();
  for (let count = 0; count < 5; count += 1) reporter.waiting('reading a failed: not found');
  reporter.waiting('reading b failed: not found');
  reporter.waited('reading a', 12_000);
  expect(lines()).toEqual([
    'waiting: reading a failed: not found',
    'waiting: reading b failed: not found',
    'waited 12 s: reading a succeeded',
  ]);
});

describe('colors', () => {
  const failure = new ManifestToolError('FAILED', 'reading a', 'broken', { hint: 'repair it' });

  test.each([
    [{}, { FORCE_COLOR: '1' }, false],
    [{}, {}, true],
    [{ color: 'always' as const }, { NO_COLOR: '1' }, false],
  ])('mark errors, hints and warnings: %j, %j, terminal: %s', async (style, env, isTTY) => {
    const { reporter, lines } = start(style, env, isTTY);
    reporter.warning('odd');
    await reporter.failed(failure);
    expect(lines()).toEqual([
      '\u001b[1;35mmanifest-tool: warning:\u001b[0m odd',
      '\u001b[1;31mmanifest-tool:\u001b[0m reading a failed: broken',
      '\u001b[36mhint:\u001b[0m repair it',
    ]);
  });

  test.each([
    [{}, {}, false],
    [{ noColor: true }, {}, true],
    [{ color: 'never' as const }, { FORCE_COLOR: '1' }, true],
  ])('are left out: %j, %j, terminal: %s', async (style, env, isTTY) => {
    const { reporter, lines } = start(style, env, isTTY);
    await reporter.failed(failure);
    expect(lines()).toEqual(['manifest-tool: reading a failed: broken', 'hint: repair it']);
  });
});
