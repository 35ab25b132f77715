/** Markdown tables of the requests that each command sends, from docs/round-trips.json. */

/**
 * Requests of a command, counted by test/support/counted.ts.
 * @typedef {{ chain: number, roundTrips: number, GET?: number, HEAD?: number, POST?: number, PUT?: number, refused?: number, token?: number }} Counts
 *
 * @typedef {Record<string, Counts>} ByPlatforms
 * @typedef {{ name: string, title: string, steps: string, command: string, http: ByPlatforms, tls: ByPlatforms, token: ByPlatforms }} Job
 * @typedef {{ command: string, exit?: number, chain: number, requests: number }} Read
 * @typedef {{ platforms: number[], jobs: Job[], reads: Read[] }} RoundTrips
 */

const METHODS = /** @type {const} */ (['GET', 'HEAD', 'POST', 'PUT']);

/** Names shown instead of the placeholders that a test fills in. */
const SHOWN = [
  ['list-{N}', 'INDEX'],
  ['list-10', 'INDEX'],
  ['{EDITED}', 'INDEX'],
  ['{R}', 'R'],
  ['{P}', 'linux/amd64,…'],
  ['{NEW}', 'NEW'],
  ['{SOURCES}', 'R/app:linux-amd64 …'],
];

/** A table for each job, and one for the other read commands. @param {RoundTrips} roundTrips */
export function detailedTables({ platforms, jobs, reads }) {
  const tables = jobs.map((job) => detailed(job, platforms));
  const lines = [
    ['', 'requests', 'longest chain'],
    ['---', '---', '---'],
    ...reads.map(({ command, chain, requests }) => [`\`${shown(command)}\``, requests, chain]),
  ];
  const title = '### Other read commands, on an image or an index of ten images';
  return [...tables, title, markdown(lines)].join('\n\n');
}

/** @param {Job} job @param {readonly number[]} platforms */
function detailed({ title, steps, command, http, tls, token }, platforms) {
  /** @param {string} name @param {ByPlatforms} by @param {(counts: Counts) => string | number} show */
  const line = (name, by, show) => [name, ...platforms.map((n) => show(countsOf(by, n)))];
  const lines = [
    ['', ...platforms.map((n) => (n === 1 ? '1 platform' : `${n} platforms`))],
    ['---', ...platforms.map(() => '---')],
    line('requests', http, requestsText),
    line('longest chain', http, ({ chain }) => chain),
    line('round trips, plain HTTP', http, ({ roundTrips }) => roundTrips),
    line('round trips, TLS', tls, ({ roundTrips }) => roundTrips),
    line('with tokens: requests', token, requestsText),
    line('with tokens: longest chain', token, ({ chain }) => chain),
    line('with tokens: round trips, plain HTTP', token, ({ roundTrips }) => roundTrips),
  ];
  return `### ${title}\n\n    manifest-tool ${shown(command)}\n\nSteps: ${steps}.\n\n${markdown(lines)}`;
}

/** @param {string} command */
function shown(command) {
  return SHOWN.reduce((text, [from = '', to = '']) => text.replaceAll(from, to), command);
}

/** One line per job, for the largest number of platforms. @param {RoundTrips} roundTrips */
export function shortTable({ platforms, jobs }) {
  const most = Math.max(...platforms);
  const lines = [
    [`${most} platforms`, 'requests', 'longest chain', 'round trips, plain HTTP', 'TLS'],
    ['---', '---', '---', '---', '---'],
    ...jobs.map(({ title, http, tls }) => {
      const counts = countsOf(http, most);
      return [
        title,
        requestsText(counts),
        counts.chain,
        counts.roundTrips,
        countsOf(tls, most).roundTrips,
      ];
    }),
  ];
  return markdown(lines);
}

/** @param {ByPlatforms} by @param {number} n */
function countsOf(by, n) {
  const counts = by[n];
  if (counts === undefined) throw new Error(`docs/round-trips.json has no row for ${n} platforms`);
  return counts;
}

/** @param {Counts} counts */
function requestsText(counts) {
  const sent = METHODS.flatMap((method) => {
    const count = counts[method];
    return count === undefined ? [] : [{ method, count }];
  });
  const total = sent.reduce((sum, { count }) => sum + count, 0);
  const parts = sent.map(({ method, count }) => `${count} ${method}`).join(', ');
  const refused = counts.refused === undefined ? '' : `, of which ${counts.refused} refused`;
  const token = counts.token === undefined ? '' : `, plus ${counts.token} for a token`;
  return `${total} (${parts})${refused}${token}`;
}

/** @param {readonly (readonly (string | number)[])[]} lines */
function markdown(lines) {
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
