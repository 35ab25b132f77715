import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { getManifest, putBlob, putManifest, request, sha256 } from '../support/http.js';
import { startRecordingProxy, type Fault, type RecordedRequest } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

/**
 * A process that is killed at any request leaves each tag whole. These run what `npm run build` has
 * built.
 */

const AT_ONCE = 6;
const TAGS = ['1', 'two'] as const;
const NAMES = ['linux-amd64', 'linux-s390x', 'linux-386'].map((name) => `perplat/${name}/app`);
const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';

let registry: Registry;
let other: Registry;
let oldDigest: string;

beforeAll(async () => {
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  const repositories = NAMES;
  await Promise.all([
    seedParityImages(registry.host, { repositories }),
    // Nothing of these is in the registry of the target, or the copies would be none.
    seedParityImages(other.host, { repositories: ['oci/app'] }),
  ]);
});

afterAll(async () => {
  await Promise.all([registry.stop(), other.stop()]);
});

/** The command line, from the hosts and the repository of its target. */
type Command = (registryHost: string, otherHost: string, repository: string) => string[];

/** With how many images each publishes. */
const COMMANDS: readonly [string, Command, number][] = [
  [
    'push from-args of images of other repositories',
    (host, _, repository) => [
      'push',
      'from-args',
      '--platforms',
      'linux/amd64,linux/s390x,linux/386',
      '--template',
      `${host}/perplat/OS-ARCH/app:1.0`,
      '--target',
      `${host}/${repository}:${TAGS[0]}`,
      '--tags',
      TAGS[1],
    ],
    3,
  ],
  [
    'create of images of another registry',
    (host, otherHost, repository) => [
      'create',
      '--target',
      `${host}/${repository}:${TAGS[0]}`,
      '--tags',
      TAGS[1],
      ...['linux-amd64', 'linux-s390x'].map((tag) => `${otherHost}/oci/app:${tag}`),
    ],
    2,
  ],
];

/**
 * When the process is killed: before the registry has seen the request, or when it has answered.
 */
type Moment = 'before' | 'after';
const MOMENTS: readonly Moment[] = ['before', 'after'];

interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Those of both registries, in the order of their arrival. */
  readonly requests: readonly RecordedRequest[];
}

/** Runs a command whose tags are there already, killed at the request with this index. */
async function run(
  command: Command,
  repository: string,
  kill?: { readonly index: number; readonly moment: Moment },
): Promise<Run> {
  await putOld(repository);
  const requests: RecordedRequest[] = [];
  let stop = (): void => {};
  let dropped: RecordedRequest | undefined;
  const intercept = (seen: RecordedRequest): Fault | undefined => {
    requests.push(seen);
    if (requests.length - 1 !== kill?.index) return undefined;
    if (kill.moment === 'after') {
      void until(() => seen.status !== undefined).then(stop);
      return undefined;
    }
    stop();
    dropped = seen;
    return 'reset-before';
  };
  const proxies = await Promise.all([
    startRecordingProxy(registry.host, intercept),
    startRecordingProxy(other.host, intercept),
  ]);
  try {
    const { child, done } = spawnCli(command(proxies[0].host, proxies[1].host, repository));
    stop = () => void child.kill('SIGKILL');
    const { code, signal, stderr } = await done;
    // What was on its way at the end still comes to its end in the registry.
    await until(() => requests.every((each) => each === dropped || each.status !== undefined));
    return { code, signal, stderr, requests };
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('a request was not answered');
    await sleep(1);
  }
}

/** Has the tags name an image that shares nothing with the new ones. */
async function putOld(repository: string): Promise<void> {
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}');
  const digest = await putBlob(registry.host, repository, config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_IMAGE,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest,
        size: config.length,
      },
      layers: [],
    }),
  );
  oldDigest = sha256(manifest);
  for (const tag of TAGS) await putManifest(registry.host, repository, tag, OCI_IMAGE, manifest);
}

/** What each tag names now. */
function tagsOf(repository: string): Promise<(string | undefined)[]> {
  return Promise.all(
    TAGS.map(async (tag) => (await getManifest(registry.host, repository, tag)).digest),
  );
}

interface Document {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

/** What the repository lacks of all that a manifest names. */
async function missing(repository: string, reference: string): Promise<string[]> {
  const { status, body } = await getManifest(registry.host, repository, reference);
  if (status !== 200) return [`manifest ${reference}`];
  const { manifests = [], config, layers = [] } = JSON.parse(body) as Document;
  const blobs = [...(config === undefined ? [] : [config]), ...layers];
  const found = await Promise.all([
    ...manifests.map(({ digest }) => missing(repository, digest)),
    ...blobs.map(async ({ digest }) => {
      const url = `${registry.url}/v2/${repository}/blobs/${digest}`;
      return (await request('HEAD', url)).status === 200 ? [] : [`blob ${digest}`];
    }),
  ]);
  return found.flat();
}

function isWrite({ method }: RecordedRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function isTagPut({ method, url }: RecordedRequest): boolean {
  return method === 'PUT' && TAGS.some((tag) => url.endsWith(`/manifests/${tag}`));
}

/**
 * What is wrong with the order of the requests: the real registry refuses a list without its
 * children, others do not.
 */
function writesAfterTags(requests: readonly RecordedRequest[]): string[] {
  const first = Math.min(...requests.filter(isTagPut).map(({ time }) => time));
  return requests
    .filter((each) => isWrite(each) && !isTagPut(each) && (each.end ?? Infinity) > first)
    .map(({ method, url }) => `${method} ${url}`);
}

/** Does all tasks, a few at a time. */
async function mapConcurrent<T>(tasks: readonly T[], work: (task: T, n: number) => Promise<void>) {
  const left = tasks.entries();
  const worker = async (): Promise<void> => {
    for (const [n, task] of left) await work(task, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe.each(COMMANDS)('%s', (name, command, images) => {
  const prefix = name.slice(0, name.indexOf(' '));
  let newDigest: string | undefined;
  let count: number;

  it('moves the tags when everything else has been written', async () => {
    const { code, stderr, requests } = await run(command, `${prefix}/whole`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const digests = await tagsOf(`${prefix}/whole`);
    [newDigest] = digests;
    expect(digests).toEqual([newDigest, newDigest]);
    expect(newDigest).not.toBe(oldDigest);
    expect(await missing(`${prefix}/whole`, TAGS[0])).toEqual([]);
    // Of each image three blobs, to mount or to copy, and its manifest.
    const least = images * (3 + 1) + TAGS.length;
    expect(requests.filter(isWrite).length).toBeGreaterThanOrEqual(least);
    expect(requests.filter(isTagPut)).toHaveLength(TAGS.length);
    expect(writesAfterTags(requests)).toEqual([]);
    count = requests.length;
  });

  it.each(MOMENTS)(
    'leaves whole tags where it is killed %s any request',
    async (moment) => {
      const kills = Array.from({ length: count }, (_, index) => index);
      const seen: (string | undefined)[] = [];
      const problems: string[] = [];
      await mapConcurrent(kills, async (index) => {
        const repository = `${prefix}/${moment}${index}`;
        const { code, signal, stderr, requests } = await run(command, repository, {
          index,
          moment,
        });
        const at = requests[index];
        const where = `${moment} ${index} (${at?.method} ${at?.url})`;
        // The answer to the last request may have been all that it waited for.
        if (signal !== 'SIGKILL' && !(moment === 'after' && code === 0)) {
          problems.push(`${where}: not killed, but ended with ${code}: ${stderr}`);
        }
        const late = writesAfterTags(requests);
        if (late.length > 0) problems.push(`${where}: written after the tags: ${late.join(', ')}`);
        const digests = await tagsOf(repository);
        seen.push(...digests);
        for (const [n, digest] of digests.entries()) {
          if (digest === oldDigest) continue;
          if (digest !== newDigest) problems.push(`${where}: ${TAGS[n]} is ${digest}`);
          const lacks = await missing(repository, TAGS[n]!);
          if (lacks.length > 0) problems.push(`${where}: ${TAGS[n]} lacks ${lacks.join(', ')}`);
        }
      });
      expect(problems).toEqual([]);
      expect(seen).toHaveLength(count * TAGS.length);
      // The kills did stop it on its way, and the last ones came late enough for a tag.
      expect(seen).toContain(oldDigest);
      expect(seen).toContain(newDigest);
      expect(seen.filter((digest) => digest === oldDigest).length).toBeGreaterThan(count);
    },
    60_000,
  );
});
