import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { untilQuiet } from '../support/quiet.js';
import { FakeRegistry } from '../adversarial/support/fake-registry.js';
import { startScripted, type ScriptedServer } from '../adversarial/support/scripted.js';

/**
 * How the time of a publish grows. Not by a clock: a server holds what it is asked until nothing more comes, and answers all of it at once,
 * so that the number of such rounds is what a user waits for, in round trips.
 */

const CONCURRENCY = 8;
/** What has to wait for each other in any case: manifest, configuration and mounts, put by digest, put by tag, and a look at the tag. */
const CHAIN = 5;

let registry: FakeRegistry;
let server: ScriptedServer;
let held: (() => void)[] = [];
let rounds = 0;
let peak = 0;

async function answerTogether(): Promise<void> {
  await untilQuiet(() => held.length);
  rounds += 1;
  peak = Math.max(peak, held.length);
  for (const answer of held.splice(0)) answer();
}

beforeAll(async () => {
  server = await startScripted(async (request) => {
    await new Promise<void>((resolve) => {
      held.push(resolve);
      if (held.length === 1) void answerTogether();
    });
    return registry.answer(request);
  });
});

beforeEach(() => {
  registry = new FakeRegistry();
  server.requests.length = 0;
  held = [];
  [rounds, peak] = [0, 0];
});

afterAll(() => server.stop());

/** Publishes a list of `count` images, of a repository each, and returns its entries. */
async function publish(count: number, ...options: string[]): Promise<unknown[]> {
  const entries = Array.from({ length: count }, (_, i) => {
    registry.addImage(`source-${i}`, '1', { text: String(i) });
    const platform = `{ os: linux, architecture: amd64, osversion: '1.${i}' }`;
    return `  - image: ${server.host}/source-${i}:1\n    platform: ${platform}\n`;
  });
  const stdin = `image: ${server.host}/target:list\nmanifests:\n${entries.join('')}`;
  expectCode(await runCli(['push', ...options, 'from-spec', '-'], { stdin }), 0);
  const { bytes } = registry.manifests.get('target:list')!;
  return (JSON.parse(bytes.toString()) as { manifests: unknown[] }).manifests;
}

describe('a list of images of a repository each', () => {
  it('has 40 of 40 repositories, each mounted, as fast as one where as many may be asked for at a time', async () => {
    expect(await publish(40, '--concurrency', '200')).toHaveLength(40);
    expect(rounds).toBeLessThanOrEqual(CHAIN);
    for (let i = 0; i < 40; i += 1)
      expect(server.requests.some(({ query }) => query.get('from') === `source-${i}`)).toBe(true);
  });

  it.each([5, 10, 20, 40])(
    'of %d: takes no more rounds than its requests by the concurrency',
    async (count) => {
      expect(await publish(count, '--concurrency', String(CONCURRENCY))).toHaveLength(count);
      expect(peak).toBeLessThanOrEqual(CONCURRENCY);
      // What is left over in each stage of the chain fills no round.
      const fewest = Math.ceil(server.requests.length / CONCURRENCY);
      expect(rounds).toBeLessThanOrEqual(fewest + CHAIN);
    },
  );
});
