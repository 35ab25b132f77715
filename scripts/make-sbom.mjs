/**
 * Writes dist/manifest-tool-VERSION.cdx.json: what is in what is published, in CycloneDX 1.6. That is the packages in
 * the bundle, dependencies of the npm package, and the Node of the executables. The same sources give the same bytes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundledPlaces } from './bundled.mjs';
import { byText, packagesOf, readLockFile, ROOT } from './lock-file.mjs';
import { nodeVersion, TARGETS } from './runtime.mjs';

const own = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

function purl({ name, version }) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function component({ type = 'library', license, integrity, ...named }, where) {
  const sum = integrity && Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  return {
    type,
    'bom-ref': purl(named),
    name: named.name,
    version: named.version,
    ...(sum && { hashes: [{ alg: 'SHA-512', content: sum }] }),
    licenses: [license.includes(' ') ? { expression: license } : { license: { id: license } }],
    purl: purl(named),
    ...(where && { properties: where.map((value) => ({ name: 'manifest-tool:in', value })) }),
  };
}

/** The package that `require(name)` finds from a place, as node looks for it: the nearest node_modules upwards. */
function resolve(byPlace, place, name) {
  for (let from = place; ; from = from.slice(0, from.lastIndexOf('/node_modules/'))) {
    const found = byPlace.get(`${from}/node_modules/${name}`);
    if (found !== undefined) return found;
    if (!from.includes('/node_modules/')) return byPlace.get(`node_modules/${name}`);
  }
}

function makeSbom(all, bundled) {
  const included = all.filter(({ place, dev }) => !dev || bundled.has(place));
  const byPlace = new Map(included.map((each) => [each.place, each]));
  // One package can be in two places.
  const components = new Map(
    included.map((each) => [
      purl(each),
      component(each, [
        ...(bundled.has(each.place) ? ['npm package', 'executables'] : []),
        ...(each.dev ? [] : ['dependencies']),
      ]),
    ]),
  );
  const edges = new Map([...components.keys()].map((ref) => [ref, new Set()]));
  for (const each of included)
    for (const name of each.dependencies) {
      // What is not in the bundle is not used by it.
      const target = resolve(byPlace, each.place, name);
      if (target !== undefined) edges.get(purl(each)).add(purl(target));
    }
  const sorted = [...components.values(), ...runtimes()].toSorted((a, b) =>
    byText(a['bom-ref'], b['bom-ref']),
  );
  const self = component({ ...own, type: 'application' });
  const depends = [
    { ref: self['bom-ref'], dependsOn: sorted.map((each) => each['bom-ref']) },
    ...[...edges].map(([ref, to]) => ({ ref, dependsOn: [...to].toSorted(byText) })),
  ];
  const content = { metadata: { component: self }, components: sorted, dependencies: depends };
  const sum = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(sum)}`,
    version: 1,
    ...content,
  };
}

/** The versions of Node that are in the executables. */
function runtimes() {
  return [...new Set(TARGETS.map(nodeVersion))].map((version) => ({
    type: 'platform',
    'bom-ref': `pkg:generic/node@${version}`,
    name: 'node',
    version,
    licenses: [{ license: { id: 'MIT' } }],
    purl: `pkg:generic/node@${version}`,
    properties: [{ name: 'manifest-tool:in', value: 'executables' }],
  }));
}

/** RFC 9562, version 8: made of a hash of our own choice. */
function uuidOf(hex) {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...parts, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

const sbom = makeSbom(packagesOf(readLockFile()), await bundledPlaces());
const file = path.join(ROOT, 'dist', `manifest-tool-${own.version}.cdx.json`);
mkdirSync(path.dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(sbom, undefined, 2)}\n`);
console.log(`${path.relative(ROOT, file)}: ${sbom.components.length} components`);
