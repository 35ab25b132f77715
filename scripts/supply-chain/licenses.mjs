/**
 * Checks the packages in package-lock.json and writes their licences: the texts of those bundled in
 * dist/cli to THIRD-PARTY-LICENSES, and the names of all to docs/internals/dependency-licenses.md.
 *
 *     node scripts/supply-chain/licenses.mjs           writes both
 *     node scripts/supply-chain/licenses.mjs --check   exits 1 if a committed file differs
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../project.mjs';
import { bundledPlaces } from './bundled.mjs';
import { byText, faultsOf, packagesOf, readLockFile } from './packages.mjs';

/** @typedef {import('./packages.mjs').Package} Package */

/** Licence and notice files: the Apache License requires notices to be passed on (section 4, d). */
const LICENSE_FILE = /^(?:(?:un)?licen[cs]e|copying|notice)(?:[-.].*)?$/i;

/** @param {readonly Package[]} packages of which code is published */
function thirdParty(packages) {
  const rule = '-'.repeat(80);
  const parts = packages.map((each) => {
    const title = `${each.name} ${each.version} (${each.license})`;
    return `${rule}\n${title}\n${rule}\n\n${licenseText(each)}\n`;
  });
  const intro =
    'The command line and the library of manifest-tool (dist/cli) contain code of these packages.\n';
  return [intro, ...parts.toSorted(byText)].join('\n');
}

/** @param {Package} of @throws {Error} it has no licence file */
function licenseText({ place, name, version }) {
  const folder = path.join(ROOT, place);
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .toSorted()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (texts.length === 0) throw new Error(`${name}@${version} has no licence file`);
  return texts.join('\n\n');
}

/** @param {readonly Package[]} packages @param {(each: Package) => boolean} isPublished */
function allLicenses(packages, isPublished) {
  const licenses = [...new Set(packages.map(({ license }) => license ?? 'none'))].toSorted(byText);
  const parts = licenses.map((license) => {
    const names = packages
      .filter((each) => (each.license ?? 'none') === license)
      .map((each) => {
        const text = `${each.name} ${each.version}`;
        return isPublished(each) ? `- **${text}**` : `- ${text}`;
      });
    return `## ${license}\n\n${[...new Set(names)].toSorted(byText).join('\n')}\n`;
  });
  const intro = `# Licences of all dependencies

Made from package-lock.json by \`make licenses\`; \`make check\` fails for a licence that is not allowed. Code of the packages in bold is
part of what is published; the others build and test it.
`;
  return [intro, ...parts].join('\n');
}

const packages = packagesOf(readLockFile());
const bundled = await bundledPlaces();
const faults = faultsOf(packages, bundled).map((fault) => `package-lock.json: ${fault}`);
const files = {
  'THIRD-PARTY-LICENSES': thirdParty(packages.filter(({ place }) => bundled.has(place))),
  'docs/internals/dependency-licenses.md': allLicenses(
    packages,
    ({ place, dev }) => !dev || bundled.has(place),
  ),
};
for (const [name, text] of Object.entries(files)) {
  const file = path.join(ROOT, name);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text)
    faults.push(`${name} is stale: run make licenses`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`licences: ${packages.length} packages, ${bundled.size} of them published`);
