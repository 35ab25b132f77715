import { parseArgs } from 'node:util';
import { PLATFORMS } from './images.mjs';
import { JOB_NAMES } from './jobs.mjs';
import { TOOLS } from './tools/index.mjs';

/**
 * @typedef {object} Options
 * @property {number} rtt round trip in milliseconds
 * @property {number} platforms number of images of an index
 * @property {number} runs runs of each tool and job
 * @property {number} budget seconds after which a tool does not repeat a job
 * @property {readonly string[]} jobs
 * @property {readonly string[]} tools tools to look for
 * @property {number} layerMib size of the layer of `copy`
 * @property {number} layers number of layers of the image of `copy-small`
 * @property {number} tags number of tags of `promote`
 * @property {boolean} json
 * @property {boolean} write
 * @property {string} svg file of the plot
 */

const DEFAULTS = {
  rtt: '50',
  platforms: '10',
  runs: '5',
  budget: '8',
  jobs: JOB_NAMES.join(','),
  tools: TOOLS.map(({ name }) => name).join(','),
  'layer-mib': '512',
  layers: '200',
  tags: '100',
  svg: 'docs/bench.svg',
};

export const USAGE = `usage: node scripts/bench/bench.mjs [OPTIONS]   (make bench BENCH_ARGS='OPTIONS')
  --rtt MS         round-trip time to the registry (${DEFAULTS.rtt})
  --platforms N    images of an index, 1 to ${PLATFORMS.length} (${DEFAULTS.platforms})
  --runs N         runs of each job per tool (${DEFAULTS.runs})
  --budget S       seconds after which a tool does not repeat a job (${DEFAULTS.budget})
  --jobs J,...     some of ${DEFAULTS.jobs}
  --tools T,...    some of ${DEFAULTS.tools}
  --layer-mib N    size of the layer of copy (${DEFAULTS['layer-mib']})
  --layers N       layers of the image of copy-small (${DEFAULTS.layers})
  --tags N         tags of promote (${DEFAULTS.tags})
  --svg FILE       file of the plot (${DEFAULTS.svg})
  --json           print the results as JSON
  --write          puts the tables into docs/internals/benchmarks.md
  --help           print this help`;

/** An invalid option or value. */
export class UsageError extends Error {}

/**
 * @param {readonly string[]} argv
 * @returns {Options | undefined} undefined if the user asks for help
 * @throws {UsageError}
 */
export function parseOptions(argv) {
  const values = parse(argv);
  if (values.help === true) return undefined;
  const text = { ...DEFAULTS, ...values };
  return {
    rtt: number('rtt', text.rtt, 0, 2000),
    platforms: number('platforms', text.platforms, 1, PLATFORMS.length),
    runs: number('runs', text.runs, 1, 100),
    budget: number('budget', text.budget, 0, 3600),
    jobs: words('jobs', text.jobs, JOB_NAMES),
    tools: words(
      'tools',
      text.tools,
      TOOLS.map(({ name }) => name),
    ),
    layerMib: number('layer-mib', text['layer-mib'], 1, 4096),
    layers: number('layers', text.layers, 1, 1000),
    tags: number('tags', text.tags, 1, 1000),
    json: values.json === true,
    write: values.write === true,
    svg: text.svg,
  };
}

/** @param {readonly string[]} argv */
function parse(argv) {
  const [text, flag] = /** @type {const} */ ([{ type: 'string' }, { type: 'boolean' }]);
  const numbers = { rtt: text, platforms: text, runs: text, budget: text, layers: text };
  const others = { tags: text, jobs: text, tools: text, svg: text, 'layer-mib': text };
  const options = { ...numbers, ...others, json: flag, write: flag, help: flag };
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function number(name, text, least, most) {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} is a whole number from ${least} to ${most}, not ${text}`);
}

/** @param {string} name @param {string} text @param {readonly string[]} known */
function words(name, text, known) {
  const given = text.split(',').filter(Boolean);
  const wrong = given.find((word) => !known.includes(word));
  if (wrong !== undefined)
    throw new UsageError(`--${name} knows ${known.join(', ')}, and not ${wrong}`);
  if (given.length === 0) throw new UsageError(`--${name} names none of ${known.join(', ')}`);
  return given;
}
