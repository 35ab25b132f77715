import { readFile, rm } from 'node:fs/promises';
import { longestChain } from '../../scripts/bench/chain.mjs';
import {
  makeImage,
  makeList,
  PLATFORMS,
  platformTag,
  type Image,
} from '../../scripts/bench/images.mjs';
import { putImage, putManifest, type Place } from '../../scripts/bench/seed.mjs';
import { makeCertificate } from './certificate.js';
import { lockStep } from './lock-step.js';
import { startRecordingProxy, type RecordingProxy } from './proxy.js';
import { startRegistry, USER, type Registry } from './registry.js';
import { temporaryFolder } from './supervise.js';
import { startTokenServer } from './token-server.js';

/** What a command sent: its requests by method, and how many of its round trips come one after another. */
export interface Counts {
  /** The longest chain of requests. */
  readonly chain: number;
  /** The same with the connections that had to be opened on the way. */
  readonly roundTrips: number;
  readonly GET?: number;
  readonly HEAD?: number;
  readonly POST?: number;
  readonly PUT?: number;
  /** How many of them the registry answered with 401. */
  readonly refused?: number;
  /** Requests for tokens, which are none of the registry's. */
  readonly token?: number;
}

/** A registry behind counting proxies: how to reach it, and what was asked of it. */
export interface Counted {
  /** `host:port` of the proxy. */
  readonly host: string;
  /** What every command needs to speak to it. */
  readonly options: readonly string[];
  /** Past the proxy, for what a test prepares. */
  readonly place: Place;
  /** The registry's own requests. */
  readonly requests: RecordingProxy['requests'];
  /** Forgets what was counted. */
  reset(): void;
  counts(): Counts;
  stop(): Promise<void>;
}

const REPOSITORIES = ['app', ...PLATFORMS.map((platform) => `${platformTag(platform)}/app`)];
/** An image for each platform, all in `app`, and each in a repository of its own as well. */
export const IMAGES: readonly Image[] = PLATFORMS.map((platform) => makeImage(platform));

/** Fills a registry: the images, and lists of the first few under `list-N`. */
async function seed(place: Place, lists: readonly number[]): Promise<void> {
  await Promise.all(
    IMAGES.map(async (image) => {
      const tag = platformTag(image.platform);
      await putImage(place, 'app', image, [tag]);
      await putImage(place, `${tag}/app`, image, ['1.0']);
    }),
  );
  for (const n of lists)
    await putManifest(place, 'app', makeList(IMAGES.slice(0, n)), [`list-${n}`]);
}

/** A registry of plain HTTP. @param lists how many images the lists have that it holds */
export async function countedHttp(lists: readonly number[]): Promise<Counted> {
  const registry = await startRegistry();
  await seed({ host: registry.host }, lists);
  return counted(registry, await startRecordingProxy(registry.host));
}

/** One that is spoken to in TLS. */
export async function countedTls(lists: readonly number[]): Promise<Counted> {
  const registry = await startRegistry();
  await seed({ host: registry.host }, lists);
  const folder = await temporaryFolder();
  const { keyFile, certFile } = await makeCertificate(folder);
  const [key, cert] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certFile, 'utf8')]);
  const proxy = await startRecordingProxy(registry.host, undefined, { key, cert });
  return counted(registry, proxy, {
    options: ['--ca-file', certFile],
    stop: () => rm(folder, { recursive: true }),
  });
}

/** One that wants tokens, in plain HTTP. */
export async function countedToken(lists: readonly number[]): Promise<Counted> {
  const tokens = await startTokenServer();
  const tokenProxy = await startRecordingProxy(new URL(tokens.realm).host);
  const realm = `${tokenProxy.url}/token`;
  const registry = await startRegistry({ token: { ...tokens, realm } });
  const authorization = tokens.authorize(REPOSITORIES);
  await seed({ host: registry.host, authorization }, lists);
  const { username, password } = USER;
  return counted(registry, await startRecordingProxy(registry.host), {
    options: ['--username', username, '--password', password],
    authorization,
    tokenProxy,
    stop: () => tokens.stop(),
  });
}

interface Parts {
  readonly options?: readonly string[];
  readonly authorization?: string;
  readonly tokenProxy?: RecordingProxy;
  readonly stop?: () => Promise<void>;
}

function counted(registry: Registry, proxy: RecordingProxy, parts: Parts = {}): Counted {
  const { options = [], authorization, tokenProxy } = parts;
  const proxies = [proxy, ...(tokenProxy === undefined ? [] : [tokenProxy])];
  lockStep(...proxies);
  return {
    host: proxy.host,
    options,
    place: { host: registry.host, ...(authorization === undefined ? {} : { authorization }) },
    requests: proxy.requests,
    reset() {
      for (const { requests } of proxies) requests.length = 0;
    },
    counts: () => countsOf(proxy, tokenProxy),
    async stop() {
      await Promise.all([...proxies.map((each) => each.stop()), registry.stop(), parts.stop?.()]);
    },
  };
}

function countsOf(
  { requests, url }: RecordingProxy,
  tokenProxy: RecordingProxy | undefined,
): Counts {
  // TCP takes one round trip, and TLS 1.3 another one.
  const connecting = url.startsWith('https:') ? 2 : 1;
  const tokens = tokenProxy?.requests ?? [];
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const entries = [
    ...methods.map((name) => [name, requests.filter(({ method }) => method === name).length]),
    ['refused', requests.filter(({ status }) => status === 401).length],
    ['token', tokens.length],
  ] as const;
  const spans = [...requests, ...tokens].map(({ time, end, connection }) => ({
    start: time,
    end,
    connection,
  }));
  return {
    chain: longestChain(spans),
    roundTrips: longestChain(spans, connecting),
    ...Object.fromEntries(entries.filter(([, count]) => count !== 0)),
  };
}
