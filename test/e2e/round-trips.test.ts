import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeList, platformTag } from '../../scripts/bench/images.mjs';
import { putManifest } from '../../scripts/bench/seed.mjs';
import { expectCode, runCli } from '../support/cli.js';
import {
  countedHttp,
  countedTls,
  countedToken,
  IMAGES,
  type Counted,
  type Counts,
} from '../support/counted.js';

/**
 * What a command sends, request for request, and the longest chain of requests that wait for each other. The numbers stand in
 * docs/round-trips.json alone; docs/internals/performance.md and the README are made of it (`make docs`). A change here is a change of what users
 * wait for: it has to be meant.
 */

type ByPlatforms = Readonly<Record<string, Counts>>;

interface Job {
  readonly name: string;
  readonly command: string;
  readonly http: ByPlatforms;
  readonly tls: ByPlatforms;
  readonly token: ByPlatforms;
}

const FILE = new URL('../../docs/round-trips.json', import.meta.url);
const TABLE = JSON.parse(readFileSync(FILE, 'utf8')) as {
  readonly platforms: readonly number[];
  readonly jobs: readonly Job[];
  /** Commands that read, of which only how many requests they send in all matters. */
  readonly reads: readonly {
    readonly command: string;
    /** 0 if it is left out; 6 for a difference. */
    readonly exit?: 0 | 6;
    readonly chain: number;
    readonly requests: number;
  }[];
};

const CASES = TABLE.jobs.flatMap((job) => TABLE.platforms.map((n) => ({ job, name: job.name, n })));

/** `make round-trips` writes what it finds into the table, to be read as a change of it. */
const IS_UPDATE = process.env['UPDATE_ROUND_TRIPS'] === '1';

afterAll(() => {
  if (IS_UPDATE) writeFileSync(FILE, JSON.stringify(TABLE));
});

let runs = 0;

/** A pattern that matches these tags alone. */
function globOf(tags: readonly string[]): string {
  return tags.length === 1 ? tags[0]! : `{${tags.join(',')}}`;
}

/** Runs a command of the table for the first `n` platforms, and says what it sent. */
async function send(
  registry: Counted,
  { command, exit = 0 }: { readonly command: string; readonly exit?: 0 | 6 },
  n: number,
): Promise<Counts> {
  runs += 1;
  const edited = `edited-${runs}`;
  // An `add` needs a list that has none of the images yet.
  if (command.includes('{EDITED}'))
    await putManifest(registry.place, 'app', makeList(IMAGES.slice(-1)), [edited]);
  const platforms = IMAGES.slice(0, n).map(({ platform }) => platform);
  const args = command.split(' ').flatMap((word) =>
    word === '{SOURCES}'
      ? platforms.map((platform) => `${registry.host}/app:${platformTag(platform)}`)
      : word
          .replaceAll('{R}', registry.host)
          .replaceAll('{N}', String(n))
          .replaceAll('{P}', platforms.join(','))
          .replaceAll('{GLOB}', globOf(platforms.map(platformTag)))
          .replaceAll('{NEW}', `new-${runs}`)
          .replaceAll('{EDITED}', edited),
  );
  registry.reset();
  expectCode(await runCli([...args, ...registry.options]), exit);
  return registry.counts();
}

beforeAll(async () => {
  const registry = await countedHttp([1]);
  // Loads what the commands load when they need it: nothing is to take its time while requests are counted.
  for (const job of TABLE.jobs) await send(registry, job, 1);
  await registry.stop();
});

describe.each([
  ['http', countedHttp],
  ['tls', countedTls],
  ['token', countedToken],
] as const)('over %s', (transport, start) => {
  let registry: Counted;

  beforeAll(async () => {
    registry = await start(TABLE.platforms);
  });

  afterAll(() => registry.stop());

  it.each(CASES)('$name with $n platforms sends what the table says', async ({ job, n }) => {
    const counts = await send(registry, job, n);
    if (IS_UPDATE) (job[transport] as Record<string, Counts>)[n] = counts;
    expect(counts).toEqual(job[transport][n]);

    // An edit reads its index again before and after its write, to see whether others have changed it; all else is asked once, and again after a refusal.
    const accepted = registry.requests.filter(({ status }) => status !== 401);
    const urls = accepted.map(({ method, url }) => `${method} ${url}`);
    const again = job.name === 'add' ? 2 : 0;
    expect(urls).toHaveLength(new Set(urls).size + again);
  });
});

describe('reading over http', () => {
  let registry: Counted;

  beforeAll(async () => {
    registry = await countedHttp([10]);
    for (const read of TABLE.reads) await send(registry, read, 1);
  });

  afterAll(() => registry.stop());

  it.each(TABLE.reads)('$command sends what the table says', async (read) => {
    const counts = await send(registry, read, 1);
    expect(registry.requests.length).toBe(read.requests);
    expect(counts.chain).toBe(read.chain);
  });
});

/** Requests for the registry, those that it refused included. */
function total({ GET = 0, HEAD = 0, POST = 0, PUT = 0 }: Counts): number {
  return GET + HEAD + POST + PUT;
}

function row(name: string, transport: 'http' | 'tls' | 'token', n: number): Counts {
  return TABLE.jobs.find((job) => job.name === name)![transport][n]!;
}

describe('the table', () => {
  it.each([
    ['inspect', 2],
    ['push', 3],
    ['push-tags', 3],
    ['retag', 3],
  ])('has no longer chain for more platforms: %s', (name, chain) => {
    for (const n of TABLE.platforms) expect(row(name, 'http', n).chain).toBe(chain);
  });

  it.each([1, 4])('has four for images of other repositories, where a step has room: %i', (n) => {
    expect(row('push-other', 'http', n).chain).toBe(4);
  });

  it.each([
    ['push', 1],
    ['push-tags', 3],
  ])('has 2N + tags for %s, and beside it a HEAD a tag to report what it named', (name, tags) => {
    for (const n of TABLE.platforms) {
      const counts = row(name, 'http', n);
      expect(counts.HEAD).toBe(tags);
      expect(total(counts)).toBe(2 * n + tags + tags);
    }
  });

  it('has no request more for TLS, and a round trip for each time that connections are opened', () => {
    for (const { name } of TABLE.jobs) {
      for (const n of TABLE.platforms) {
        const [http, tls] = [row(name, 'http', n), row(name, 'tls', n)];
        // Their mounts are more requests than there are connections of TLS.
        if (['push-other', 'copy', 'copy-tags'].includes(name) && n === 10) continue;
        const openings = http.roundTrips - http.chain;
        // No spare connections for what reads one repository: those for its entries come later.
        const late = name === 'inspect' && n > 1 ? 2 : 0;
        expect(tls).toEqual({ ...http, roundTrips: http.roundTrips + openings + late });
      }
    }
  });

  it('has two requests more in the chain for tokens: one refused, and one for the token', () => {
    for (const { name } of TABLE.jobs) {
      for (const n of TABLE.platforms) {
        const [http, token] = [row(name, 'http', n), row(name, 'token', n)];
        expect(token).toMatchObject({ chain: http.chain + 2, token: 1 });
        expect(total(token)).toBe(total(http) + token.refused!);
      }
    }
  });
});
