import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { longestChain } from './chain.mjs';
import { run } from './process.mjs';
import { startDelayProxy } from './proxy.mjs';
import { startRegistry } from './registry.mjs';
import { configureSecure, SECURE_NAME, startSecure } from './secure.mjs';
import { readManifest, readTags } from './seed.mjs';
import { medians } from './statistics.mjs';

/**
 * @typedef {import('./jobs.mjs').Job} Job
 * @typedef {import('./options.mjs').Options} Options
 * @typedef {import('./tools/index.mjs').Tool} Tool
 * @typedef {import('./statistics.mjs').Measured} Measured
 *
 * One line of a table: medians, or why it failed.
 * @typedef {Measured & { name: string, runs: number, failed?: string }} Row
 *
 * A table. `base` names the row that the others are compared with, `ours` those that are of this program, `cannot` the
 * tools that do not do this.
 * @typedef {{ job: string, title: string, base: string, ours: string[], rows: Row[], cannot: string[] }} Table
 */

/**
 * Runs a job with every tool, once per round, so that load on the machine slows all of them alike.
 * Ends after the last round; a tool stops earlier when its time is used up.
 * @param {Job} job
 * @param {readonly Tool[]} tools the first one is what the others are compared with
 * @param {Options} options
 * @param {(text: string) => void} progress
 * @returns {Promise<Table>}
 */
export async function measureJob(job, tools, options, progress) {
  const able = tools.filter((tool) => tool.jobs[job.kind] !== undefined);
  /** @type {Map<Tool, { runs: Measured[], spent: number, failed?: string }>} */
  const results = new Map(able.map((tool) => [tool, { runs: [], spent: 0 }]));
  /** @type {{ stop: () => Promise<void> }[]} */
  const started = [];
  /** @template {{ stop: () => Promise<void> }} T @param {T} each */
  const keep = (each) => {
    started.unshift(each);
    return each;
  };
  try {
    const plain = [];
    while (plain.length < job.registries) plain.push(keep(await startRegistry()));
    const hosts = plain.map(({ host }) => host);
    /** @type {Place} */
    const place = { hosts, far: hosts };
    if (job.secure !== undefined) {
      const rttMs = job.rtt(options);
      const secure = keep(await startSecure({ rttMs, isHttp2: job.secure === 'http2' }));
      const far = [];
      // Plain HTTP access to the same data is for the benchmark alone.
      for (const { data } of plain) far.push(keep(await startRegistry({ secure, data })).host);
      Object.assign(place, { far, secure });
    }
    progress(`${job.name}: preparing`);
    await job.seed(hosts, options);
    for (let round = 1; round <= options.runs; round += 1) {
      for (const [tool, result] of results) {
        if (result.failed !== undefined || result.spent > options.budget) continue;
        const id = `${tool.name.replaceAll(' ', '-')}-${round}`;
        const { failed, seconds, measured } = await once(job, tool, place, id, options);
        result.spent += seconds;
        if (failed === undefined) result.runs.push(measured);
        else result.failed = failed;
        progress(`${job.name}, run ${round}: ${tool.name} ${seconds.toFixed(2)} s`);
      }
    }
  } finally {
    for (const { stop } of started) await stop();
  }
  return {
    job: job.name,
    title: job.title(options),
    base: able[0]?.name ?? '',
    ours: able.slice(0, 1).map(({ name }) => name),
    rows: [...results].map(([{ name }, { runs, failed }]) => ({
      name,
      runs: runs.length,
      ...medians(failed === undefined ? runs : []),
      ...(failed === undefined ? {} : { failed }),
    })),
    cannot: tools.filter((tool) => !able.includes(tool)).map(({ name }) => name),
  };
}

/**
 * Registries of a job: plain HTTP for preparation, and those that the tools talk to, with their TLS
 * settings.
 * @typedef {{ hosts: readonly string[], far: readonly string[], secure?: import('./secure.mjs').Secure }} Place
 */

/**
 * Runs one job once with one tool, with an empty HOME and new proxies, so that no tool can use a
 * cache.
 * @param {Job} job @param {Tool} tool @param {Place} place @param {string} id @param {Options} options
 */
async function once(job, tool, { hosts, far, secure }, id, options) {
  const home = mkdtempSync(path.join(tmpdir(), 'mt-bench-home-'));
  const proxies = [];
  try {
    const name = secure && SECURE_NAME;
    for (const host of far) proxies.push(await startDelayProxy(host, job.rtt(options), name));
    const near = proxies.map(({ host }) => host);
    const task = {
      ...job.task(near, id, options),
      home,
      hosts: near,
      isPlain: secure === undefined,
    };
    mkdirSync(path.join(home, '.docker'), { recursive: true });
    tool.prepare?.(home);
    const trust = secure === undefined ? {} : configureSecure(home, secure, near);
    const tokens = secure?.connections() ?? 0;
    const commands = tool.jobs[job.kind]?.(task) ?? [];
    const { failed, stdout, seconds, mib } = await runAll(tool, commands, {
      ...environment(home),
      ...trust,
    });
    const requests = proxies.flatMap((proxy) => proxy.requests);
    return {
      seconds,
      measured: {
        seconds,
        connections:
          proxies.reduce((sum, { connections }) => sum + connections, 0) +
          ((secure?.connections() ?? 0) - tokens),
        mib,
        // Requests inside TLS cannot be seen.
        ...(secure === undefined
          ? { requests: requests.length, chain: longestChain(requests) }
          : {}),
      },
      failed: failed ?? (await shortfall(job, hosts, near, task.target, stdout, options)),
    };
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Environment without the user's configuration; NODE_EXTRA_CA_CERTS costs Node 20 40 ms per start. @param {string} home */
export function environment(home) {
  return { PATH: process.env['PATH'], HOME: home, LANG: 'C' };
}

/** @param {Tool} tool @param {readonly (readonly string[])[]} commands @param {Record<string, string | undefined>} env */
async function runAll(tool, commands, env) {
  let [seconds, mib, stdout] = [0, /** @type {number | undefined} */ (undefined), ''];
  for (const args of commands) {
    const ended = await run([...tool.command, ...args], env);
    seconds += ended.seconds;
    if (ended.peakMib !== undefined) mib = Math.max(mib ?? 0, ended.peakMib);
    stdout = ended.stdout;
    if (ended.code === 0) continue;
    const why = ended.stderr.split('\n').find((line) => line.trim() !== '');
    return { seconds, mib, stdout, failed: why ?? `it ended with status ${ended.code}` };
  }
  return { seconds, mib, stdout, failed: undefined };
}

/**
 * What a tool that reported success failed to do; undefined if it did everything.
 * @param {Job} job @param {readonly string[]} hosts @param {readonly string[]} near @param {string} target @param {string} stdout
 * @param {Options} options
 */
async function shortfall(job, hosts, near, target, stdout, options) {
  const result = job.result?.(options);
  if (result === undefined) return stdout.trim() === '' ? 'it printed nothing' : undefined;
  const at = near.findIndex((host) => target.startsWith(`${host}/`));
  const [repository = '', tag = ''] = target.slice((near[at]?.length ?? 0) + 1).split(':');
  const place = { host: hosts[at] ?? '' };
  if ('tags' in result) {
    const found = await readTags(place, repository);
    return found.length === result.tags ? undefined : `it copied ${found.length} of ${result.tags}`;
  }
  const held = await readManifest(place, repository, tag);
  if (held === undefined) return 'it ended well, but the target does not exist';
  const { manifests, layers } = JSON.parse(held.text);
  const [wanted, found] =
    'entries' in result ? [result.entries, manifests?.length] : [result.layers, layers?.length];
  return wanted === found ? undefined : `it published ${found} of ${wanted}`;
}
