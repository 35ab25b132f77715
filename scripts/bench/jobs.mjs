import { makeImage, makeList, PLATFORMS, platformTag } from './images.mjs';
import { putLargeImage } from './large-image.mjs';
import { putImage, putManifest } from './seed.mjs';

/** @typedef {import('./options.mjs').Options} Options */

/**
 * A job, the same for every tool. `hosts` are the registries themselves in `seed`, and the proxies
 * in front of them in `task`.
 * @typedef {object} Job
 * @property {string} name
 * @property {string} kind the job of the tools that it runs
 * @property {'http2' | 'http1'} [secure] TLS with tokens, over this protocol; undefined for plain HTTP
 * @property {(options: Options) => string} title
 * @property {(options: Options) => number} rtt round trip in milliseconds
 * @property {1 | 2} registries
 * @property {(hosts: readonly string[], options: Options) => Promise<void>} seed
 * @property {(hosts: readonly string[], id: string, options: Options) => Omit<import('./tools/index.mjs').Task, 'home' | 'hosts' | 'isPlain'>} task
 * `id` is different for each run
 * @property {(options: Options) => Result} [result] what the target must contain afterwards; without it, the tool must print something
 */

/** Number of entries of an index, or of layers of an image. @typedef {{ entries: number } | { layers: number } | { tags: number }} Result */

/** @param {Options} options */
function delay({ rtt }) {
  return rtt === 0 ? 'no delay' : `${rtt} ms round trip`;
}

/** @param {Options} options */
function images({ platforms }) {
  return PLATFORMS.slice(0, platforms).map((platform) => makeImage(platform));
}

/** @type {Job} */
const push = {
  name: 'push',
  kind: 'push',
  title: (options) =>
    `Push ${options.platforms} images from the target's repository, ${delay(options)}`,
  rtt: ({ rtt }) => rtt,
  registries: 1,
  async seed([host = ''], options) {
    for (const image of images(options))
      await putImage({ host }, 'app', image, [platformTag(image.platform)]);
  },
  task([host = ''], id, { platforms: count }) {
    const platforms = PLATFORMS.slice(0, count);
    return {
      platforms,
      sources: platforms.map((platform) => `${host}/app:${platformTag(platform)}`),
      template: `${host}/app:OS-ARCHVARIANT`,
      target: `${host}/app:${id}`,
    };
  },
  result: ({ platforms }) => ({ entries: platforms }),
};

/** @type {Job} */
const pushOther = {
  ...push,
  name: 'push-other',
  kind: 'push-other',
  title: (options) =>
    `Push ${options.platforms} images from a different repository each, ${delay(options)}`,
  async seed([host = ''], options) {
    for (const image of images(options))
      await putImage({ host }, `${platformTag(image.platform)}/app`, image, ['1.0']);
  },
  task([host = ''], id, { platforms: count }) {
    const platforms = PLATFORMS.slice(0, count);
    return {
      platforms,
      sources: platforms.map((platform) => `${host}/${platformTag(platform)}/app:1.0`),
      template: `${host}/OS-ARCHVARIANT/app:1.0`,
      target: `${host}/${id}/app:1.0`,
    };
  },
};

/** @param {string} source @param {string} target */
function single(source, target) {
  return { platforms: [], sources: [source], template: source, target };
}

/** @type {Job} */
const inspect = {
  name: 'inspect',
  kind: 'inspect',
  title: (options) => `Inspect an index of ${options.platforms} images, ${delay(options)}`,
  rtt: ({ rtt }) => rtt,
  registries: 1,
  async seed([host = ''], options) {
    const made = images(options);
    for (const image of made) await putImage({ host }, 'app', image);
    await putManifest({ host }, 'app', makeList(made), ['list']);
  },
  task: ([host]) => single(`${host}/app:list`, ''),
};

/** @type {Job} */
const copy = {
  name: 'copy',
  kind: 'copy',
  title: ({ layerMib }) => `Copy a layer of ${layerMib} MiB between two registries, no delay`,
  rtt: () => 0,
  registries: 2,
  seed: ([host = ''], { layerMib }) => putLargeImage({ host }, 'large', '1', layerMib),
  task: ([from, to], id) => single(`${from}/large:1`, `${to}/${id}:1`),
  result: () => ({ layers: 1 }),
};

/** @type {Job} */
const copySmall = {
  name: 'copy-small',
  kind: 'copy-small',
  title: (options) =>
    `Copy ${options.layers} small layers between two registries, ${delay(options)}`,
  rtt: ({ rtt }) => rtt,
  registries: 2,
  async seed([host = ''], { layers }) {
    await putImage({ host }, 'small', makeImage('linux/amd64', { layers, name: 'small' }), ['1']);
  },
  task: ([from, to], id) => single(`${from}/small:1`, `${to}/${id}:1`),
  result: ({ layers }) => ({ layers }),
};

/** @type {Job} */
const inspectOne = {
  name: 'inspect-one',
  kind: 'inspect-one',
  title: (options) => `Inspect one image, ${delay(options)}`,
  rtt: ({ rtt }) => rtt,
  registries: 1,
  async seed([host = '']) {
    await putImage({ host }, 'app', makeImage('linux/amd64'), ['one']);
  },
  task: ([host]) => single(`${host}/app:one`, ''),
};

/** @type {Job} */
const promote = {
  name: 'promote',
  kind: 'promote',
  title: (options) =>
    `Copy ${options.tags} tags to another repository of the registry, ${delay(options)}`,
  rtt: ({ rtt }) => rtt,
  registries: 1,
  async seed([host = ''], { tags }) {
    for (let n = 0; n < tags; n += 1) {
      const image = makeImage('linux/amd64', { name: `tag ${n}` });
      await putImage({ host }, 'staging/app', image, [`1.${n}`]);
    }
  },
  task: ([host], id) => single(`${host}/staging/app`, `${host}/${id}/app`),
  result: ({ tags }) => ({ tags }),
};

/** Round-trip times of the jobs over TLS, in milliseconds. */
const SECURE_RTTS = [50, 10];

/**
 * A job over TLS with tokens from another host, as public registries require: `push-tls-50`, and
 * `push-tls1-50` over HTTP/1.1 only.
 * @param {Job} job @param {'http2' | 'http1'} secure @param {number} rtt
 * @returns {Job}
 */
function inTls(job, secure, rtt) {
  const protocol = secure === 'http2' ? 'TLS and tokens' : 'TLS and tokens, HTTP/1.1 only';
  return {
    ...job,
    name: `${job.name}-${secure === 'http2' ? 'tls' : 'tls1'}-${rtt}`,
    secure,
    rtt: () => rtt,
    title: (options) => `${job.title({ ...options, rtt })}, ${protocol}`,
  };
}

const NEAR = [push, pushOther, inspect, inspectOne, promote];
const SECURE = /** @type {const} */ (['http2', 'http1']).flatMap((secure) =>
  SECURE_RTTS.flatMap((rtt) => NEAR.map((job) => inTls(job, secure, rtt))),
);

/** The jobs that other tools can do too. */
export const JOBS = [...SECURE, ...NEAR, copy, copySmall];

/** The jobs in the plot and the README: those that resemble public registries, and copies. */
export const MAIN_JOBS = [
  ...SECURE.filter(({ secure }) => secure === 'http2').map(({ name }) => name),
  copy.name,
  copySmall.name,
];

export const JOB_NAMES = [...JOBS.map(({ name }) => name), 'startup'];
