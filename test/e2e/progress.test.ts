import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { startRecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Registry;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'progress-'));
  registry = await startRegistry();
  await seedParityImages(registry.host, { repositories: ['oci/app'] });
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

function copy(target: string, ...options: string[]) {
  return runCli(['copy', `${registry.host}/oci/app:linux-amd64`, target, ...options]);
}

interface Event {
  readonly event: string;
  readonly [name: string]: unknown;
}

const schema = JSON.parse(readFileSync('docs/reference/progress.schema.json', 'utf8')) as object;
const isEvent = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(
  schema,
);

/** The events of a run; each is what the schema says. */
function eventsOf(stderr: string): Event[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = JSON.parse(line) as Event;
      if (!isEvent(event)) throw new Error(`${line}: ${JSON.stringify(isEvent.errors)}`);
      return event;
    });
}

describe('without a terminal', () => {
  it('nothing but the result is told', async () => {
    const result = await copy(`oci-layout://${folder}/auto:1`);
    expectCode(result, 0);
    expect(result.stderr).toBe(`published oci-layout://${folder}/auto:1\n`);
  });

  it('--progress plain tells in lines what is read, copied and written', async () => {
    const target = `oci-layout://${folder}/plain`;
    const result = await copy(`${target}:1`, '--progress', 'plain');
    expectCode(result, 0);
    const lines = result.stderr.trimEnd().split('\n');
    expect(lines[0]).toBe(`reading ${registry.host}/oci/app:linux-amd64`);
    const digest = 'sha256:[0-9a-f]{64}';
    expect(result.stderr).toMatch(new RegExp(`^read ${registry.host}/oci/app@${digest}$`, 'm'));
    expect(result.stderr).toMatch(
      new RegExp(`^copied ${digest} \\([0-9.]+ k?B\\) to ${target}$`, 'm'),
    );
    // A single image is written by its tag alone.
    expect(result.stderr).toMatch(new RegExp(`^publishing ${digest}$`, 'm'));
    expect(result.stderr).not.toMatch(/^wrote /m);
    expect(lines.at(-2)).toBe(`published ${target}:1`);
    expect(lines.at(-1)).toMatch(/^done in [\d.]+ m?s: 1 image written, [\d.]+ k?B copied$/);
    const again = await copy(`${target}:2`, '--progress=plain');
    expect(again.stderr).toMatch(new RegExp(`^${digest} \\(.*\\) is in ${target} already$`, 'm'));
  });

  it('a wait that many requests share is told once', async () => {
    let failures = 0;
    const proxy = await startRecordingProxy(registry.host, ({ method, url }) => {
      if (method !== 'GET' || !url.includes('/manifests/linux-') || failures === 5)
        return undefined;
      failures += 1;
      return { status: 503 };
    });
    try {
      const platforms = 'linux/amd64,linux/arm64/v8,linux/386,linux/s390x,linux/riscv64';
      const template = `${proxy.host}/oci/app:OS-ARCH-VARIANT`;
      const names = ['--platforms', platforms, '--template', template, '--target'];
      const from = ['push', 'from-args', ...names, `${proxy.host}/oci/app:shared`, '--dry-run'];
      const result = await runCli([...from, '--type', 'oci', '--retry-delay', '300ms']);
      expect(failures).toBe(5);
      expect(result.stderr.match(/^retrying .*: status 503 \(attempt 2 of 5\)$/gm)).toHaveLength(1);
    } finally {
      await proxy.stop();
    }
  });

  it('-q tells of nothing but the result on standard output', async () => {
    const result = await copy(`oci-layout://${folder}/quiet:1`, '-q');
    expectCode(result, 0);
    expect(result.stderr).toBe('');
    expect(result.stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/);
    const failed = await runCli(['inspect', '-q', `${registry.host}/oci/app:none`]);
    expect(failed.stderr).toMatch(/^manifest-tool: reading .* failed: not found/);
  });
});

describe('--progress json', () => {
  it('tells of everything in events, a line each', async () => {
    const target = `oci-layout://${folder}/json`;
    const result = await copy(`${target}:1`, '--progress', 'json', '--json');
    expectCode(result, 0);
    const events = eventsOf(result.stderr);
    const named = (name: string): Event[] => events.filter(({ event }) => event === name);
    const { digest } = JSON.parse(result.stdout) as { digest: string };
    expect(named('read')).toMatchObject([{ name: `${registry.host}/oci/app@${digest}`, digest }]);
    // A single image is written by its tag, and not by its digest as well.
    expect(named('written')).toEqual([]);
    expect(named('tagged')).toMatchObject([{ name: `${target}:1`, digest, from: null }]);
    const states = named('blob').map(({ state }) => state);
    const blobs = new Set(named('blob').map((event) => event['digest']));
    expect(states.filter((state) => state === 'copied')).toHaveLength(blobs.size);
    expect(states.filter((state) => state === 'started')).toHaveLength(blobs.size);
    for (const { bytes, size, state } of named('blob')) {
      expect(bytes).toBeLessThanOrEqual(size as number);
      if (state === 'copied') expect(bytes).toBe(size);
    }
    const again = await copy(`${target}:1`, '--progress', 'json');
    expect(eventsOf(again.stderr).map(({ event }) => event)).toContain('unchanged');
  });

  it('tells of waits, warnings and errors as well', async () => {
    let failures = 0;
    const proxy = await startRecordingProxy(registry.host, () => {
      failures += 1;
      return failures === 1 ? { status: 503 } : undefined;
    });
    try {
      const from = `${proxy.host}/oci/app:none`;
      const args = [
        'copy',
        from,
        `oci-layout://${folder}/never:1`,
        '--progress',
        'json',
        '--debug',
      ];
      const result = await runCli([...args, '--retry-delay', '5ms']);
      expectCode(result, 3);
      const events = eventsOf(result.stderr);
      expect(events).toContainEqual(
        expect.objectContaining({
          event: 'retry',
          host: proxy.host,
          reason: 'status 503',
          attempt: 2,
        }),
      );
      expect(events.filter(({ event }) => event === 'error')).toMatchObject([
        {
          code: 'NOT_FOUND',
          exitCode: 3,
          hint: expect.stringMatching(/^check the name and the t/),
        },
      ]);
      expect(events.map(({ event }) => event)).toContain('request');
    } finally {
      await proxy.stop();
    }
  });
});

describe('on a terminal', () => {
  it.each([
    [['--progress', 'none'], ''],
    [['--quiet'], ''],
    [['--progress', 'plain'], 'reading '],
  ])('%s draws nothing', async (options, begins) => {
    const from = `${registry.host}/oci/app:linux-amd64`;
    const target = `oci-layout://${folder}/terminal-${options.join('')}:1`;
    const result = await runCli(['copy', from, target, ...options], { tty: { columns: 80 } });
    expectCode(result, 0);
    expect(result.stderr).not.toContain('\u001b');
    expect(result.stderr.startsWith(begins)).toBe(true);
  });

  it('--no-color shows inspect without colours', async () => {
    const args = ['inspect', `${registry.host}/oci/app:linux-amd64`, '--progress', 'none'];
    expect((await runCli(args, { tty: { columns: 80 } })).stdout).toContain('\u001b[');
    const plain = await runCli([...args, '--no-color'], { tty: { columns: 80 } });
    expect(plain.stdout).not.toContain('\u001b');
  });
});

it.each([
  [['--progress', 'fancy'], /--progress must be auto, plain, json or none, not "fancy"/],
  [['--progress', 'jsno'], /did you mean json\?/],
  [['--quiet', '--progress', 'plain'], /pass --quiet or --progress, not both/],
  [['--progress'], /option --progress needs a value/],
])('%s is wrong use', async (options, says) => {
  const result = await copy(`oci-layout://${folder}/wrong:1`, ...options);
  expectCode(result, 2);
  expect(result.stderr).toMatch(says);
});
