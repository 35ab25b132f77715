/** The packages in package-lock.json, and the rules that each must follow. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../project.mjs';

/** Licences allowed for published code. */
const PERMISSIVE =
  '0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 ISC MIT Unlicense'.split(' ');

/** Licences allowed for packages that are used only to build and test. */
const ALLOWED_FOR_DEVELOPMENT = [...PERMISSIVE, 'CC-BY-4.0', 'MPL-2.0'];

/**
 * Licences of packages whose package.json names them in a form that npm no longer reads
 * (`licenses`).
 * @type {Readonly<Record<string, string>>}
 */
const NAMED_OTHERWISE = { buildcheck: 'MIT', 'cpu-features': 'MIT', ssh2: 'MIT' };

/**
 * An entry of `packages` in a lock file of npm (version 3).
 * @typedef {object} LockEntry
 * @property {string} [name] where it is not that of the folder
 * @property {string} [version]
 * @property {string} [license]
 * @property {string} [integrity]
 * @property {string} [resolved]
 * @property {boolean} [dev]
 * @property {boolean} [devOptional]
 *
 * @typedef {{ readonly packages: Readonly<Record<string, LockEntry>> }} LockFile
 */

/**
 * @typedef {object} Package
 * @property {string} place its folder, for example `node_modules/a`
 * @property {string} name
 * @property {string | undefined} version
 * @property {string | undefined} license an SPDX expression
 * @property {string | undefined} integrity
 * @property {string | undefined} resolved
 * @property {boolean} dev whether nothing but development needs it
 */

/** @returns {LockFile} */
export function readLockFile() {
  return JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
}

/** All packages of a lock file. @param {LockFile} lockFile @returns {Package[]} */
export function packagesOf(lockFile) {
  return Object.entries(lockFile.packages)
    .filter(([place]) => place !== '')
    .map(([place, entry]) => {
      const name = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 13);
      return {
        place,
        name,
        version: entry.version,
        license: entry.license ?? NAMED_OTHERWISE[name],
        integrity: entry.integrity,
        resolved: entry.resolved,
        dev: entry.dev === true || entry.devOptional === true,
      };
    });
}

/**
 * Packages that are not pinned by content, do not come from the allowed registry, or have a licence
 * that is not allowed; one line each.
 * @param {readonly Package[]} packages
 * @param {ReadonlySet<string>} bundled places of the packages of which code is published, beside those that are no
 * development dependencies
 */
export function faultsOf(packages, bundled) {
  const origins = new Set(packages.map(({ resolved }) => originOf(resolved)).filter(Boolean));
  /** @type {string[]} */
  const found = [];
  if (origins.size > 1) found.push(`packages come from ${origins.size} places, and not from one`);
  for (const { place, version, license, integrity, resolved, dev } of packages) {
    /** @param {string} what */
    const report = (what) => found.push(`${place} ${version}: ${what}`);
    if (!/^sha512-[\w+/]{86}==$/.test(integrity ?? '')) report('is not pinned by a SHA-512 sum');
    if (resolved !== undefined && originOf(resolved) === undefined)
      report('does not come over https from a registry');
    const allowed = dev && !bundled.has(place) ? ALLOWED_FOR_DEVELOPMENT : PERMISSIVE;
    if (license === undefined) report('names no licence');
    else if (!isAllowed(license, allowed)) report(`its licence ${license} is not allowed`);
  }
  return found;
}

/** The scheme and host of an https URL; undefined for a path or a git repository. @param {string} [resolved] */
function originOf(resolved) {
  return /^https:\/\/[^/]+/.exec(resolved ?? '')?.[0];
}

/**
 * Whether a licence expression (SPDX specification, annex D) is allowed: of a choice (`OR`) one
 * licence must be allowed, of an `AND` all. Nested parentheses do not occur in the lock file, and
 * are not allowed.
 * @param {string} expression
 * @param {readonly string[]} allowed
 */
function isAllowed(expression, allowed) {
  const text = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(text)) return false;
  return text
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((license) => allowed.includes(license)));
}

/** Compares two strings by code unit: the same order on every machine, unlike a locale's. @param {string} a @param {string} b */
export function byText(a, b) {
  return a < b ? -1 : Number(a > b);
}
