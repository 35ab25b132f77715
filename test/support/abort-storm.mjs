/**
 * A program that makes many calls with one client and aborts most of them at moments of their own:
 * `node abort-storm.mjs LIBRARY HOST LAYOUT CALLS SEED`, where HOST is a registry. Prints one JSON object: how the calls ended, errors
 * that nothing handled, warnings of Node, whether the client works afterwards, and what keeps the process alive after it is closed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [library = '', host = '', layout = '', calls = '', seed = ''] = process.argv.slice(2);
/** @type {typeof import('../../src/index.js')} */
const { createClient, ManifestToolError } = await import(pathToFileURL(library).href);

/** @type {string[]} */
const unhandled = [];
/** @type {string[]} */
const warnings = [];
process.on('uncaughtException', (error) => unhandled.push(String(error)));
process.on('unhandledRejection', (error) => unhandled.push(`in a promise: ${String(error)}`));
process.on('warning', (warning) => warnings.push(String(warning)));

let state = Number(seed);
/** The same numbers for the same seed (Numerical Recipes, quick and dirty generator). */
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const client = createClient({ retries: 0 });
const published = `${host}/storm/published:1`;
const names = ['linux-amd64', 'linux-arm64v8', 'linux-s390x', 'linux-386'];
await client.push({
  target: published,
  type: 'oci',
  sources: names.map((name) => `oci-layout://${layout}:${name}`),
});

/** @type {readonly ((signal: AbortSignal, number: number) => Promise<unknown>)[]} */
const jobs = [
  (signal) => client.inspect(published, { signal }),
  (signal) => client.query(published, { signal }),
  (signal) => client.verify(published, { deep: true, signal }),
  (signal) => client.listTags(`${host}/storm/published`, { signal }),
  // Half of the copies share their target.
  (signal, number) =>
    client.copy({
      source: published,
      target: `${host}/storm/copied-${number % 20}:${number}`,
      signal,
    }),
  (signal, number) =>
    client.copy({
      source: `oci-layout://${layout}:${names[number % 4]}`,
      target: `${host}/storm/shared:${number}`,
      signal,
    }),
];

/** @type {Record<string, number>} */
const outcomes = {};
/** @type {string[]} */
const wrong = [];
/** @param {number} number */
async function call(number) {
  const controller = new AbortController();
  const reason = new Error(`call ${number}`);
  const isAborted = random() < 0.8;
  if (isAborted) setTimeout(() => controller.abort(reason), random() * 1500).unref();
  const job = jobs[Math.floor(random() * jobs.length)];
  try {
    await job?.(controller.signal, number);
    outcomes['done'] = (outcomes['done'] ?? 0) + 1;
  } catch (error) {
    const code = error instanceof ManifestToolError ? error.code : String(error);
    outcomes[code] = (outcomes[code] ?? 0) + 1;
    // A call that is not aborted succeeds, whatever happens to the others.
    if (!controller.signal.aborted || !(error instanceof Error) || error.cause !== reason)
      wrong.push(String(error));
  }
}
await Promise.all(Array.from({ length: Number(calls) }, (_, number) => call(number)));

const after = await client.verify(published, { deep: true });
await client.copy({ source: published, target: `${host}/storm/after:1` });
await client.close();
// What has been closed is gone after a few turns of the event loop.
/** @type {string[]} */
let left = [];
for (let wait = 0; wait < 100; wait += 1) {
  left = process
    .getActiveResourcesInfo()
    .filter((each) => !/^(?:Pipe|TTY|FSReq|Immediate|Timeout)/.test(each));
  if (left.length === 0) break;
  await pause(50);
}
console.log(JSON.stringify({ outcomes, wrong, unhandled, warnings, after: after.status, left }));
