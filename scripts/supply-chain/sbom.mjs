/**
 * Writes dist/manifest-tool-VERSION.cdx.json, the software bill of materials of a release
 * (CycloneDX 1.6): the packages in the bundle, the dependencies of the npm package, and the Node of
 * the executables. `npm sbom` describes all packages of package-lock.json; this keeps the published
 * ones. It contains neither a time nor a serial number (both are optional), so the same sources
 * give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nodeVersion, TARGETS } from '../executables/runtime.mjs';
import { PACKAGE, ROOT } from '../project.mjs';
import { bundledPlaces } from './bundled.mjs';
import { byText, packagesOf, readLockFile } from './packages.mjs';

/**
 * @typedef {{ readonly name: string, readonly value: string }} Property
 * @typedef {{ readonly 'bom-ref': string, readonly purl: string, readonly properties: readonly Property[] }} Component
 * @typedef {{ readonly ref: string, readonly dependsOn: readonly string[] }} Dependency
 * @typedef {object} Sbom
 * @property {{ readonly component: Component }} metadata
 * @property {readonly Component[]} components
 * @property {readonly Dependency[]} dependencies
 */

/** All packages of package-lock.json, including those that only build and test. @returns {Sbom} */
function describeLockFile() {
  const kinds = ['dev', 'optional', 'peer'].map((kind) => `--include=${kind}`);
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', ...kinds];
  const options = /** @type {const} */ ({ cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return JSON.parse(execFileSync('npm', args, options));
}

/** The parents of a component, by `bom-ref`: for npm that is `name@version`. */
async function findPublished() {
  const bundled = await bundledPlaces();
  /** @type {Map<string, Set<string>>} */
  const parts = new Map();
  for (const { place, name, version, dev } of packagesOf(readLockFile())) {
    const where = [
      ...(bundled.has(place) ? ['npm package', 'executables'] : []),
      ...(dev ? [] : ['dependencies']),
    ];
    const ref = `${name}@${version}`;
    if (where.length > 0) parts.set(ref, new Set([...(parts.get(ref) ?? []), ...where]));
  }
  return parts;
}

/** The versions of Node that are in the executables. */
function runtimes() {
  return [...new Set(TARGETS.map((target) => nodeVersion(target)))].map((version) => ({
    type: 'platform',
    'bom-ref': `node@${version}`,
    name: 'node',
    version,
    licenses: [{ license: { id: 'MIT' } }],
    purl: `pkg:generic/node@${version}`,
    properties: [partOf('executables')],
  }));
}

/** @param {string} value @returns {Property} */
function partOf(value) {
  return { name: 'manifest-tool:in', value };
}

/** @param {Sbom} all @param {ReadonlyMap<string, ReadonlySet<string>>} published */
function keepPublished(all, published) {
  const packages = all.components
    .filter((each) => published.has(each['bom-ref']))
    .map((each) => ({
      ...each,
      // npm marks development dependencies as optional; these are bundled.
      scope: 'required',
      properties: [...(published.get(each['bom-ref']) ?? [])].map(partOf),
    }));
  if (packages.length !== published.size)
    throw new Error(`npm describes ${packages.length} of ${published.size} published packages`);
  const components = [...packages, ...runtimes()].toSorted((a, b) => byText(a.purl, b.purl));
  const self = all.metadata.component['bom-ref'];
  const needs = all.dependencies
    .filter(({ ref }) => published.has(ref))
    // Dependencies that are not bundled are not used.
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((to) => published.has(to)) }));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    // npm writes version 1.5, of which 1.6 is a superset.
    specVersion: '1.6',
    version: 1,
    // npm names the component after its folder.
    metadata: { component: { ...all.metadata.component, type: 'application', name: PACKAGE.name } },
    components,
    dependencies: [{ ref: self, dependsOn: components.map((each) => each['bom-ref']) }, ...needs],
  };
}

const sbom = keepPublished(describeLockFile(), await findPublished());
const file = path.join(ROOT, 'dist', `${PACKAGE.name}-${PACKAGE.version}.cdx.json`);
mkdirSync(path.dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(sbom, undefined, 2)}\n`);
console.log(`${path.relative(ROOT, file)}: ${sbom.components.length} components`);
