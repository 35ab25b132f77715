import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  casesOf,
  FAULT_NAMES,
  findBaseline,
  KINDS,
  nameOf,
  oneOfEachKind,
  PLACES,
  REQUEST_COUNT,
  runCases,
  type Baseline,
  type FaultName,
  type FaultResult,
} from '../adversarial/faults/matrix.js';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRecordingProxy, type Intercept } from '../support/proxy.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let baseline: Baseline;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host);
  baseline = await findBaseline(registry.host);
});

afterAll(async () => {
  // So many files that the registry would not be gone in time.
  await rm(registry.dataFolder, { recursive: true, force: true });
  await registry.stop();
}, 120_000);

describe('a push without faults', () => {
  it.each(PLACES)('has no more requests than it needs, with images in the %s', (place) => {
    const requests = baseline.requests.filter((one) => one.place === place);
    expect(requests.map(({ key }) => key)).toHaveLength(REQUEST_COUNT[place]);
    expect(requests.filter(({ nth }) => nth > 1)).toStrictEqual([]);
  });

  it('has requests of all kinds', () => {
    const kinds = new Set(baseline.requests.map(({ kind }) => kind));
    expect([...kinds].sort()).toStrictEqual([...KINDS].sort());
  });
});

describe('a fault at one request of a push', () => {
  let results: FaultResult[];

  // They wait most of their time, so they run together; the tests look at what came of them. Those at all requests: `make faults`.
  beforeAll(async () => {
    results = await runCases(registry.host, baseline, casesOf(oneOfEachKind(baseline.requests)));
  }, 120_000);

  function problems(fault: FaultName, always: boolean): string[] {
    return results
      .filter((result) => result.fault === fault && result.always === always)
      .flatMap((result) => result.problems.map((problem) => `${nameOf(result)}: ${problem}`));
  }

  it.each(FAULT_NAMES)('%s, once: all is published', (fault) => {
    expect(problems(fault, false)).toStrictEqual([]);
  });

  it.each(FAULT_NAMES)('%s, always: fails cleanly, or what was written is seen', (fault) => {
    expect(problems(fault, true)).toStrictEqual([]);
  });
});

describe('a registry that is gone as soon as it has written the tags', () => {
  it('is not said to have written none of them', async () => {
    let isGone = false;
    const proxy = await startRecordingProxy(registry.host, ({ method, url }) => {
      if (method === 'PUT' && !isGone && /\/manifests\/gone-(one|two)$/.test(url)) {
        isGone = url.endsWith('two');
        return 'reset-after';
      }
      return isGone ? 'reset-before' : undefined;
    });
    const args = ['push', 'from-args', '--platforms', 'linux/amd64,linux/s390x'];
    args.push('--template', `${proxy.host}/docker/app:OS-ARCH`, '--tags', 'gone-two');
    args.push('--target', `${proxy.host}/docker/app:gone-one`);
    const result = await runCli([...args, '--retry', '2', '--retry-delay', '5ms']);
    await proxy.stop();

    expectCode(result, 5);
    const held = await getManifest(registry.host, 'docker/app', 'gone-two');
    expect(held.status).toBe(200);
    expect(result.stderr).not.toContain('not published: ');
    expect(result.stderr).toContain('not confirmed: gone-one, gone-two');
  });
});

describe('a wait that the registry asks for', () => {
  it('is kept by all requests of a push, and shown', async () => {
    const slowDown = { status: 429, headers: { 'retry-after': '2' } };
    let isFirst = true;
    const proxy = await startRecordingProxy(registry.host, ({ method }) => {
      if (method !== 'POST' || !isFirst) return undefined;
      isFirst = false;
      return slowDown;
    });
    const args = ['push', 'from-args', '--platforms', 'linux/amd64,linux/s390x,linux/386'];
    args.push('--template', `${proxy.host}/perplat/OS-ARCH/app:1.0`);
    const result = await runCli([...args, '--target', `${proxy.host}/out/slow:1`]);
    await proxy.stop();

    expectCode(result, 0);
    expect(result.stderr).toMatch(/^retrying \S+ in 2(\.\d)? s: status 429 \(attempt 2 of 5\)$/m);
    const { end } = proxy.requests.find(({ status }) => status === 429)!;
    const since = proxy.requests.map(({ time }) => time - end!);
    // What had been sent when the answer was read may still come.
    expect(since.filter((time) => time > 500 && time < 1990)).toStrictEqual([]);
    expect(since.filter((time) => time >= 1990)).not.toStrictEqual([]);
  });
});

describe('the tries of one request', () => {
  const run = async (intercept: Intercept, ...options: string[]) => {
    const proxy = await startRecordingProxy(registry.host, intercept);
    try {
      const image = `${proxy.host}/docker/app:linux-amd64`;
      const result = await runCli(['inspect', image, ...options]);
      return { ...result, times: proxy.requests.map(({ time }) => time) };
    } finally {
      await proxy.stop();
    }
  };

  it.each([
    ['0', 'no time'],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 'a moment that is over'],
    ['soon', 'nothing that can be understood'],
  ])('are apart where Retry-After: %s asks for %s', async (retryAfter) => {
    const fault = { status: 429, headers: { 'retry-after': retryAfter } };
    const options = ['--retry', '2', '--retry-delay', '200ms'];
    const { code, times } = await run(() => fault, ...options);
    expect(code).toBe(5);
    const [first, second, third] = times as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(200);
    expect(third - second).toBeGreaterThanOrEqual(400);
    expect(times).toHaveLength(3);
  });

  it('end at once where the registry asks for more than anybody waits', async () => {
    const fault = { status: 429, headers: { 'retry-after': '86400' } };
    const { code, stderr, times } = await run(() => fault);
    expect(code).toBe(5);
    expect(stderr).toMatch(/asks to wait until [0-9-]{10} [0-9:]{5} UTC \(24 h\)/);
    expect(times).toHaveLength(1);
  });

  it.each([400, 403, 404, 409, 412, 413])('are one where the status is %i', async (status) => {
    const { times } = await run(() => ({ status }));
    expect(times).toHaveLength(1);
  });
});
