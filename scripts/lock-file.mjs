/** What package-lock.json says of the packages, and what must be true of it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** May be in what is published. */
const PERMISSIVE =
  '0BSD Apache-2.0 BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 ISC MIT Unlicense'.split(' ');
/** May be used to build and test as well: nothing of it is published. */
const ALLOWED_FOR_DEVELOPMENT = new Set([...PERMISSIVE, 'MPL-2.0']);
const ALLOWED = new Set(PERMISSIVE);

/** Their package.json says it in a form that npm no longer reads (`licenses`). */
const STATED_OTHERWISE = { buildcheck: 'MIT', 'cpu-features': 'MIT', ssh2: 'MIT' };

export function readLockFile() {
  return JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'));
}

/**
 * All packages of a lock file.
 * @returns {{ place: string, name: string, version: string, license: string | undefined, integrity: string | undefined,
 *   resolved: string | undefined, dev: boolean, dependencies: string[] }[]} `place` is as `node_modules/a`.
 */
export function packagesOf(lockFile) {
  return Object.entries(lockFile.packages)
    .filter(([place]) => place !== '')
    .map(([place, entry]) => {
      const name = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 13);
      return {
        place,
        name,
        version: entry.version,
        license: entry.license ?? STATED_OTHERWISE[name],
        integrity: entry.integrity,
        resolved: entry.resolved,
        dev: entry.dev === true || entry.devOptional === true,
        dependencies: Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }),
      };
    });
}

/**
 * What is wrong with packages: one that is not pinned to its content, is not from the registry where all are from, or
 * has a licence that is not allowed.
 * @param bundled Places of packages of which code is published; those that are no development dependencies are too.
 */
export function faultsOf(packages, bundled) {
  const origins = new Set(packages.map(({ resolved }) => originOf(resolved)).filter(Boolean));
  const found = [];
  if (origins.size > 1) found.push(`packages come from ${origins.size} places, and not from one`);
  for (const { place, version, license, integrity, resolved, dev } of packages) {
    const report = (what) => found.push(`${place} ${version}: ${what}`);
    if (!/^sha512-[\w+/]{86}==$/.test(integrity ?? '')) report('is not pinned by a SHA-512 sum');
    if (resolved !== undefined && originOf(resolved) === undefined)
      report('does not come over https from a registry');
    const allowed = dev && !bundled.has(place) ? ALLOWED_FOR_DEVELOPMENT : ALLOWED;
    if (license === undefined) report('names no licence');
    else if (!isAllowed(license, allowed)) report(`its licence ${license} is not allowed`);
  }
  return found;
}

/** Nothing for what is no https URL: a path, a git repository. */
function originOf(resolved) {
  return /^https:\/\/[^/]+/.exec(resolved ?? '')?.[0];
}

/** An SPDX expression: a choice (`OR`) needs one part that is allowed, `AND` all. */
function isAllowed(expression, allowed) {
  const text = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(text)) return false;
  return text
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((license) => allowed.has(license)));
}

/** Compares two texts, unlike a locale in the same way on every machine. */
export function byText(a, b) {
  return a < b ? -1 : Number(a > b);
}
