/**
 * A program that uses the library and aborts jobs on a layout at moments spread over their whole run:
 * `node --expose-gc abort-layout-jobs.mjs LIBRARY LAYOUT JOB ROUNDS`, where JOB is `verify`, `copy-to-layout` or
 * `copy-to-registry`. Prints one JSON object: how the rounds ended, errors that nothing handled, warnings of Node, and
 * files of layouts that stay open.
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [library = '', layout = '', job = '', rounds = ''] = process.argv.slice(2);
/** @type {typeof import('../../src/index.js')} */
const { createClient } = await import(pathToFileURL(library).href);

/** @type {string[]} */
const unhandled = [];
/** @type {string[]} */
const warnings = [];
process.on('uncaughtException', (error) => unhandled.push(String(error)));
process.on('unhandledRejection', (error) => unhandled.push(`in a promise: ${String(error)}`));
process.on('warning', (warning) => warnings.push(String(warning)));

/** A registry that has nothing and takes everything. */
const server = createServer((request, response) => {
  const { method, url, headers } = request;
  request.resume().on('end', () => {
    if (method === 'POST') response.setHeader('location', `${url}session`);
    if (method === 'PUT')
      response.setHeader('docker-content-digest', String(headers['x-digest'] ?? ''));
    const isThere = url === '/v2/' || method === 'PUT';
    response.writeHead(isThere ? 201 : method === 'POST' ? 202 : 404).end();
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
server.unref();
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('the server has no port');
const host = `127.0.0.1:${address.port}`;

const folder = mkdtempSync(path.join(tmpdir(), 'aborted-'));
const source = `oci-layout://${layout}:index`;
let made = 0;

/** A new target for each round: what is there is not copied. */
function nextTarget() {
  made += 1;
  return job === 'copy-to-registry'
    ? `${host}/copied-${made}:1`
    : `oci-layout://${folder}/copied-${made}:1`;
}

/** @param {AbortSignal} signal */
async function work(signal) {
  // So that what is copied has to wait with its source at hand.
  const client = createClient({ plainHttp: true, retries: 0, concurrency: 2 });
  try {
    if (job === 'verify') await client.verify(source, { deep: true, signal });
    else await client.copy({ source, target: nextTarget(), signal });
  } finally {
    await client.close();
  }
}

/** Runs the job, aborted after so many turns of the event loop; returns how it ended and how many turns it took. @param {number} turns */
async function run(turns) {
  const controller = new AbortController();
  /** @type {string | undefined} */
  let outcome;
  work(controller.signal).then(
    () => (outcome = 'done'),
    (error) => (outcome = error.code ?? String(error)),
  );
  for (let count = 0; ; count += 1) {
    if (count === turns) controller.abort();
    if (outcome !== undefined) return { outcome, turns: count };
    await turn();
  }
}

function openFiles() {
  const files = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return files.filter((file) => file.startsWith(layout) || file.startsWith(folder));
}

const whole = [];
for (let round = 0; round < 5; round += 1) whole.push(await run(Infinity));
const turns = Math.min(...whole.map((each) => each.turns));
/** @type {Record<string, number>} */
const outcomes = {};
for (let round = 0; round < Number(rounds); round += 1) {
  const { outcome } = await run(Math.floor((turns * round) / Number(rounds)));
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
// What was begun before the abort may still come to its end.
for (let wait = 0; openFiles().length > 0 && wait < 100; wait += 1) await pause(50);
const left = openFiles();
// A handle that nothing refers to any more is closed with a warning.
globalThis.gc?.();
await pause(50);
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
const endings = [...new Set(whole.map(({ outcome }) => outcome))];
console.log(JSON.stringify({ endings, outcomes, unhandled, warnings, left }));
