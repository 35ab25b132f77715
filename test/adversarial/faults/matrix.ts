import { runCli, type CliResult } from '../../support/cli.js';
import { getManifest, putBlob, putManifest, request, sha256 } from '../../support/http.js';
import {
  startRecordingProxy,
  type Fault,
  type RecordedRequest,
  type RecordingProxy,
} from '../../support/proxy.js';
import { PARITY_IMAGES } from '../../support/seed.js';

/**
 * The fault matrix: a push of three images under two tags, through a proxy that spoils one of its requests; either once, and then the
 * push has to publish all the same, or always, and then it has to fail cleanly. Each run has its own target and its own proxy.
 */

/** Where the images of the push are, seen from its target. */
export const PLACES = ['same repository', 'other repositories'] as const;
export type Place = (typeof PLACES)[number];

export const KINDS = [
  'HEAD tag',
  'GET manifest',
  'GET config',
  'POST mount',
  'PUT child',
  'PUT tag',
] as const;
export type Kind = (typeof KINDS)[number];

/** One request of the push without faults. */
export interface PushRequest {
  readonly place: Place;
  readonly kind: Kind;
  /** Method and path, with NAME for what is different in each run. */
  readonly key: string;
  /** Which request of that key it is, from 1. */
  readonly nth: number;
}

const WEB_PAGE = { 'content-type': 'text/html' };
const BAD_GATEWAY = '<html><body><h1>Bad Gateway</h1></body></html>';
const TOO_MANY = '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}';

/** What happens to the request; called each time, because a date is one of now. */
const FAULTS = {
  'reset-before': () => 'reset-before',
  'reset-after': () => 'reset-after',
  '500': () => ({ status: 500, body: '{"errors":[{"code":"UNKNOWN","message":"unknown error"}]}' }),
  '502': () => ({ status: 502, headers: WEB_PAGE, body: BAD_GATEWAY }),
  '503': () => ({ status: 503, headers: WEB_PAGE, body: BAD_GATEWAY }),
  '504': () => ({ status: 504 }),
  '429 seconds': () => ({ status: 429, headers: { 'retry-after': '1' }, body: TOO_MANY }),
  '429 date': () => ({
    status: 429,
    headers: { 'retry-after': new Date(Date.now() + 1000).toUTCString() },
    body: TOO_MANY,
  }),
  '408': () => ({ status: 408 }),
  truncated: () => 'truncate',
  corrupted: () => 'corrupt',
} as const satisfies Record<string, () => Fault>;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = [
  'reset-before',
  'reset-after',
  '500',
  '502',
  '503',
  '504',
  '429 seconds',
  '429 date',
  '408',
  'truncated',
  'corrupted',
] as const satisfies readonly FaultName[];

export interface FaultCase {
  readonly request: PushRequest;
  readonly fault: FaultName;
  /** Each time that the request comes, or only the first time. */
  readonly always: boolean;
}

export interface FaultResult extends FaultCase {
  readonly code: number;
  /** What was not as it has to be; nothing where all was well. */
  readonly problems: readonly string[];
}

/** A push without faults: what it sends, and what it publishes. */
export interface Baseline {
  readonly requests: readonly PushRequest[];
  /** The digest of the list. */
  readonly published: Readonly<Record<Place, string>>;
}

/** How many requests are in the list of a push (manifests and what the tags name, configurations, mounts, children, tags); anything else is another push than the one that this is about. */
export const REQUEST_COUNT: Readonly<Record<Place, number>> = {
  'same repository': 3 + 2 + 3 + 2,
  'other repositories': 3 + 2 + 3 + 9 + 3 + 2,
};

const PLATFORMS = ['linux/amd64', 'linux/s390x', 'linux/386'];
const TRIES = 5;
const CONCURRENCY = 16;
/** A run that takes longer hangs. */
const MAX_RUN_MS = 40_000;
/** Every fault at each of the requests, once and always. */
export function casesOf(requests: readonly PushRequest[]): FaultCase[] {
  return requests.flatMap((one) =>
    FAULT_NAMES.flatMap((fault) => [
      { request: one, fault, always: false },
      { request: one, fault, always: true },
    ]),
  );
}

/** The first request of each kind, wherever it is. */
export function oneOfEachKind(requests: readonly PushRequest[]): PushRequest[] {
  return KINDS.flatMap((kind) => requests.find((one) => one.kind === kind) ?? []);
}

/** Pushes without faults, in both places. */
export async function findBaseline(registryHost: string): Promise<Baseline> {
  const requests: PushRequest[] = [];
  const published: Record<Place, string> = { 'same repository': '', 'other repositories': '' };
  for (const place of PLACES) {
    const target = await prepareTarget(registryHost, place);
    const proxy = await startRecordingProxy(registryHost);
    try {
      const result = await push(proxy.host, target);
      const digest = /^Digest: (sha256:[0-9a-f]{64}) [0-9]+\n$/.exec(result.stdout)?.[1];
      if (result.code !== 0 || digest === undefined)
        throw new Error(`the push without faults failed: ${JSON.stringify(result)}`);
      published[place] = digest;
      const wrong = await publishedProblems(registryHost, target, result, digest);
      if (wrong.length > 0) throw new Error(`the push without faults: ${wrong.join('; ')}`);
      requests.push(...listRequests(proxy, target));
    } finally {
      await proxy.stop();
    }
  }
  return { requests, published };
}

/** Runs all cases, some at a time; the results are in the order of the cases. */
export async function runCases(
  registryHost: string,
  baseline: Baseline,
  cases: readonly FaultCase[],
): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  const left = cases.entries();
  const worker = async (): Promise<void> => {
    for (const [i, one] of left) results[i] = await runCase(registryHost, baseline, one);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}

/** The name of a case, for messages. */
export function nameOf({ request: { place, key, nth }, fault, always }: FaultCase): string {
  return `${fault} ${always ? 'always' : 'once'} at ${key}${nth > 1 ? ` (${nth})` : ''}, ${place}`;
}

interface Target {
  readonly place: Place;
  /** What is in all names of this run and in no other. */
  readonly name: string;
  readonly repository: string;
  readonly tags: readonly string[];
}

const OLD_CONFIG = Buffer.from('{"architecture":"amd64","os":"linux"}');
const OLD_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const OLD_MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OLD_TYPE,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: OLD_CONFIG.length,
      digest: sha256(OLD_CONFIG),
    },
    layers: [],
  }),
);
const OLD_DIGEST = sha256(OLD_MANIFEST);

let targets = 0;

/**
 * A repository of its own for one run, with tags that hold something else. Of its own in both places: this registry stumbles where the
 * same content is written to one repository twice at the same time.
 */
async function prepareTarget(registryHost: string, place: Place): Promise<Target> {
  targets += 1;
  const name = `run${targets}`;
  const repository = `out/${name}`;
  const tags = ['one', 'two'];
  if (place === 'same repository') await copyImages(registryHost, repository);
  await putBlob(registryHost, repository, OLD_CONFIG);
  for (const tag of tags) await putManifest(registryHost, repository, tag, OLD_TYPE, OLD_MANIFEST);
  return { place, name, repository, tags };
}

/** Puts the images into the target. */
async function copyImages(registryHost: string, repository: string): Promise<void> {
  const { manifests, tags } = PARITY_IMAGES['docker/app']!;
  for (const platform of PLATFORMS) {
    const tag = platform.replace('/', '-');
    const { mediaType, body } = manifests[tags[tag]!]!;
    const { config, layers = [] } = JSON.parse(body) as ManifestDocument;
    const mounts = [config!, ...layers].map(async ({ digest }) => {
      const query = `mount=${digest}&from=docker/app`;
      const url = `http://${registryHost}/v2/${repository}/blobs/uploads/?${query}`;
      const { status } = await request('POST', url);
      if (status !== 201) throw new Error(`POST ${url}: ${status}`);
    });
    await Promise.all(mounts);
    await putManifest(registryHost, repository, tag, mediaType, Buffer.from(body));
  }
}

function push(host: string, { place, repository, tags }: Target): Promise<CliResult> {
  const [first, ...others] = tags;
  const images = place === 'same repository' ? `${repository}:OS-ARCH` : 'perplat/OS-ARCH/app:1.0';
  return runCli(
    [
      'push',
      'from-args',
      '--platforms',
      PLATFORMS.join(','),
      '--template',
      `${host}/${images}`,
      '--target',
      `${host}/${repository}:${first}`,
      '--tags',
      others.join(','),
      '--retry',
      String(TRIES - 1),
      '--retry-delay',
      '5ms',
    ],
    { signal: AbortSignal.timeout(MAX_RUN_MS) },
  );
}

function keyOf({ method, url }: RecordedRequest, { name }: Target): string {
  return `${method} ${url.replaceAll(name, 'NAME')}`;
}

function listRequests(proxy: RecordingProxy, target: Target): PushRequest[] {
  const { place } = target;
  const counts = new Map<string, number>();
  return proxy.requests.map((each) => {
    const key = keyOf(each, target);
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return { place, kind: kindOf(key), key, nth };
  });
}

function kindOf(key: string): Kind {
  if (/^HEAD .*\/manifests\//.test(key)) return 'HEAD tag';
  if (/^GET .*\/manifests\//.test(key)) return 'GET manifest';
  if (/^GET .*\/blobs\//.test(key)) return 'GET config';
  if (/^POST .*\/blobs\/uploads\/\?mount=/.test(key)) return 'POST mount';
  if (/^PUT .*\/manifests\/sha256:/.test(key)) return 'PUT child';
  if (/^PUT .*\/manifests\//.test(key)) return 'PUT tag';
  throw new Error(`a push sends ${key}, which the fault matrix does not know`);
}

async function runCase(
  registryHost: string,
  baseline: Baseline,
  one: FaultCase,
): Promise<FaultResult> {
  const { key, nth, place } = one.request;
  const target = await prepareTarget(registryHost, place);
  let seen = 0;
  const proxy = await startRecordingProxy(registryHost, (each) => {
    if (keyOf(each, target) !== key) return undefined;
    seen += 1;
    return (one.always ? seen >= nth : seen === nth) ? FAULTS[one.fault]() : undefined;
  });
  let result: CliResult;
  try {
    result = await push(proxy.host, target);
  } finally {
    await proxy.stop();
  }
  const expected = one.always ? expectedCode(one) : 0;
  const digest = baseline.published[place];
  const problems = [
    ...(seen < nth ? ['the request never came'] : []),
    ...(result.code === expected ? [] : [`exit code ${result.code}, not ${expected}`]),
    ...(result.code === 0
      ? await publishedProblems(registryHost, target, result, digest)
      : await failureProblems(registryHost, target, result, digest, one)),
    ...sendingProblems(proxy, target),
  ];
  const said = problems.length === 0 ? [] : [`standard error: ${result.stderr}`];
  return { ...one, code: result.code, problems: [...problems, ...said] };
}

/** How a push has to end where a fault does not go away. */
function expectedCode({ fault, request: { kind } }: FaultCase): number {
  // What a tag names before is good to know, and no more than that.
  if (kind === 'HEAD tag') return 0;
  const isWrite = !kind.startsWith('GET');
  // A mount that is refused is followed by an upload; a host that asks for less is asked for nothing more.
  if (kind === 'POST mount' && fault.startsWith('50')) return 0;
  // The registry did what it was asked, and the push can see that; the bodies of such answers are empty.
  if (isWrite && ['reset-after', 'truncated', 'corrupted'].includes(fault)) return 0;
  return fault === 'corrupted' ? 1 : 5;
}

/** What is wrong with a push that says that it has published. */
async function publishedProblems(
  registryHost: string,
  target: Target,
  { stdout, stderr }: CliResult,
  digest: string,
): Promise<string[]> {
  const tags = await readTags(registryHost, target);
  const printed = stdout.startsWith(`Digest: ${digest} `) ? [] : [`it printed ${stdout}`];
  return [
    ...printed,
    ...[...tags].flatMap(([tag, held]) => (held === digest ? [] : [`${tag} holds ${held}`])),
    ...(await contentProblems(registryHost, target, tags)),
    ...announcedProblems(target, stderr, target.tags),
    ...linesOf(stderr).flatMap((line) =>
      HARMLESS_LINE.test(line) ? [] : [`a line that does not belong there: ${line}`],
    ),
  ];
}

/** What is wrong with a push that says that it has failed. */
async function failureProblems(
  registryHost: string,
  target: Target,
  { stdout, stderr }: CliResult,
  digest: string,
  { request: { key } }: FaultCase,
): Promise<string[]> {
  const tags = await readTags(registryHost, target);
  // Tags are written together, so one that fails leaves the others where they belong.
  const mayMove = (tag: string): boolean => kindOf(key) === 'PUT tag' && !key.endsWith(`/${tag}`);
  const lines = linesOf(stderr).filter((line) => !HARMLESS_LINE.test(line));
  const [error = '', hint, ...more] = lines;
  const moved = target.tags.filter((tag) => tags.get(tag) === digest);
  return [
    ...(stdout === '' ? [] : [`it printed ${stdout}`]),
    ...(/^manifest-tool: .+ failed: .+/.test(error) ? [] : [`no error line, but: ${error}`]),
    ...(hint?.startsWith('hint: ') === true ? [] : [`no hint, but: ${hint}`]),
    ...more.map((line) => `a line that does not belong there: ${line}`),
    ...[...tags].flatMap(([tag, held]) =>
      held === (mayMove(tag) ? digest : OLD_DIGEST) ? [] : [`${tag} holds ${held}`],
    ),
    ...announcedProblems(target, stderr, moved),
    ...(await contentProblems(registryHost, target, tags)),
  ];
}

const HARMLESS_LINE =
  /^(retrying \S+ in [0-9.]+ (ms|s|min): .+ \(attempt \d of \d\)|published \S+(, from \S+ to \S+)?)$/;

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

/** The tags that have moved are those, and only those, that the push says have. */
function announcedProblems(
  { repository, tags }: Target,
  stderr: string,
  moved: readonly string[],
): string[] {
  const lines = linesOf(stderr);
  return tags.flatMap((tag) => {
    const isSaid = lines.some((line) =>
      new RegExp(`^published \\S+/${repository}:${tag}(, from .*)?$`).test(line),
    );
    if (isSaid === moved.includes(tag)) return [];
    return [isSaid ? `it says that ${tag} moved` : `it does not say that ${tag} moved`];
  });
}

/** Nothing is asked more often than the options of the push allow. */
function sendingProblems(proxy: RecordingProxy, target: Target): string[] {
  const counts = new Map<string, number>();
  for (const each of proxy.requests) {
    const key = keyOf(each, target);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].flatMap(([key, count]) =>
    count <= TRIES ? [] : [`${key} was sent ${count} times`],
  );
}

/** The digest that each tag of the target holds. */
async function readTags(
  registryHost: string,
  { repository, tags }: Target,
): Promise<Map<string, string>> {
  const held = await Promise.all(
    tags.map(async (tag): Promise<[string, string]> => {
      const { status, body } = await getManifest(registryHost, repository, tag);
      return [tag, status === 200 ? sha256(body) : `status ${status}`];
    }),
  );
  return new Map(held);
}

interface ManifestDocument {
  readonly manifests?: readonly { readonly digest: string; readonly size: number }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

/** What is missing or damaged of what the tags name, all the way down. */
async function contentProblems(
  registryHost: string,
  { repository }: Target,
  tags: ReadonlyMap<string, string>,
): Promise<string[]> {
  const check = async (digest: string): Promise<string[]> => {
    const { status, body } = await getManifest(registryHost, repository, digest);
    if (status !== 200 || sha256(body) !== digest) return [`${digest} is missing (${status})`];
    const { manifests = [], config, layers = [] } = JSON.parse(body) as ManifestDocument;
    const blobs = [...(config === undefined ? [] : [config]), ...layers];
    const below = await Promise.all([
      ...manifests.map((child) => check(child.digest)),
      ...blobs.map((blob) => checkBlob(blob.digest)),
    ]);
    return below.flat();
  };
  const checkBlob = async (digest: string): Promise<string[]> => {
    const { status, body } = await request(
      'GET',
      `http://${registryHost}/v2/${repository}/blobs/${digest}`,
    );
    return status === 200 && sha256(body) === digest ? [] : [`${digest} is missing (${status})`];
  };
  const digests = [...new Set(tags.values())].filter((held) => held.startsWith('sha256:'));
  return (await Promise.all(digests.map(check))).flat();
}
