import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import {
  startRecordingProxy,
  type RecordedRequest,
  type RecordingProxy,
} from '../support/proxy.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

const DELAY_MS = 60;

let registry: Awaited<ReturnType<typeof startRegistry>>;
let proxy: RecordingProxy;

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host);
  proxy = await startRecordingProxy(registry.host, () => ({ delayMs: DELAY_MS }));
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

/** The longest chain of requests of which each was sent after the answer to the one before. */
function longestChain(requests: readonly RecordedRequest[]): number {
  const depths: number[] = [];
  for (const [i, request] of requests.entries()) {
    const before = requests
      .slice(0, i)
      .map((other, j) => ((other.end ?? Infinity) <= request.time ? depths[j]! : 0));
    depths.push(1 + Math.max(0, ...before));
  }
  return Math.max(0, ...depths);
}

async function run(...args: string[]) {
  proxy.requests.length = 0;
  const result = await runCli(args.map((arg) => arg.replaceAll('{R}', proxy.host)));
  expect(result).toMatchObject({ code: 0 });
  const urls = proxy.requests.map(({ method, url }) => `${method} ${url}`);
  return { chain: longestChain(proxy.requests), urls };
}

describe('the longest chain of requests that wait for each other (without that of connecting)', () => {
  it('is two for a list that is inspected: the list, then all images together', async () => {
    const { chain, urls } = await run('inspect', '{R}/docker/list:latest');
    expect(chain).toBe(2);
    expect(urls).toHaveLength(15);
  });

  it.each<[number, number, string[]]>([
    [1, 1, ['query', '{R}/docker/list:latest']],
    [2, 2, ['query', '{R}/docker/app:linux-amd64']],
    [1, 1, ['inspect', '--format', 'raw', '{R}/docker/list:latest']],
    [1, 1, ['inspect', '--format', 'docker', '{R}/docker/app:linux-amd64']],
    [2, 15, ['inspect', '--raw', '{R}/docker/list:latest']],
    [2, 15, ['inspect', '--format', 'table', '{R}/docker/list:latest']],
    [2, 15, ['inspect', '--format', 'docker-verbose', '{R}/docker/list:latest']],
    [3, 15 + 14, ['inspect', '--format', 'json', '{R}/docker/list:latest']],
    [2, 2, ['inspect', '--format', 'raw', '--platform', 'linux/386', '{R}/docker/list:latest']],
    [3, 3, ['inspect', '--config', '--platform', 'linux/386', '{R}/docker/list:latest']],
    [2, 2, ['inspect', '--config', '--platform', 'linux/386', '{R}/docker/app:linux-386']],
    [2, 2, ['inspect', '--platform', 'linux/386', '{R}/docker/app:linux-386']],
    [2, 2, ['inspect', '--format', 'json', '--platform', 'linux/386', '{R}/docker/app:linux-386']],
  ])('is %i, of %i requests, for %j', async (length, count, args) => {
    const { chain, urls } = await run(...args);
    expect([chain, urls.length]).toEqual([length, count]);
  });

  it('is three for a push of images of the target repository: manifests, configurations, tags', async () => {
    const { chain, urls } = await run(
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/s390x,linux/386',
      '--template',
      '{R}/docker/app:OS-ARCH',
      '--target',
      '{R}/docker/app:trip',
      '--tags',
      'trip2,trip3',
    );
    expect(chain).toBe(3);
    // Beside the sources, what the tags name now; then configurations, and tags.
    expect(urls).toHaveLength(3 + 3 + 3 + 3);
  });

  it('is four for a push of images of other repositories: manifests, mounts, children, tags', async () => {
    const { chain, urls } = await run(
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/s390x,linux/386',
      '--template',
      '{R}/perplat/OS-ARCH/app:1.0',
      '--target',
      '{R}/out/trip:1',
      '--tags',
      'two',
    );
    expect(chain).toBe(4);
    expect(urls.filter((url) => url.startsWith('POST'))).toHaveLength(9);
  });

  it('has nothing in it twice', async () => {
    const { urls } = await run(
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/arm64,linux/arm/v7',
      '--template',
      '{R}/docker/list:latest',
      '--target',
      '{R}/out/once:1',
    );
    expect(urls).toHaveLength(new Set(urls).size);
  });
});
