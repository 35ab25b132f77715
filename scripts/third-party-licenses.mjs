/**
 * Writes THIRD-PARTY-LICENSES: the licence of every package of which code is inside dist/cli, taken from the bundle
 * itself. With `--check` nothing is written and a stale file is an error.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundledPlaces } from './bundled.mjs';
import { ROOT } from './lock-file.mjs';

const FILE = path.join(ROOT, 'THIRD-PARTY-LICENSES');
const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i;

function describe(folder) {
  const { name, version, license } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  if (typeof license !== 'string')
    throw new Error(`${name}@${version} names no licence in its package.json`);
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .toSorted()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (texts.length === 0) throw new Error(`${name}@${version} has no licence file`);
  return { title: `${name} ${version} (${license})`, text: texts.join('\n\n') };
}

function render(packages) {
  const rule = '-'.repeat(80);
  const parts = packages.map(({ title, text }) => `${rule}\n${title}\n${rule}\n\n${text}\n`);
  const intro =
    'The command line and the library of manifest-tool (dist/cli) contain code of these packages.\n';
  return [intro, ...parts].join('\n');
}

const packages = [...(await bundledPlaces())]
  .map((place) => describe(path.join(ROOT, place)))
  .toSorted((a, b) => (a.title < b.title ? -1 : 1));
const wanted = render(packages);

if (process.argv.includes('--check')) {
  if (existsSync(FILE) && readFileSync(FILE, 'utf8') === wanted) {
    console.log(`licences: ${packages.length} packages, ok`);
  } else {
    console.error('licences: THIRD-PARTY-LICENSES is stale: run make licenses');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, wanted);
  console.log(`THIRD-PARTY-LICENSES: ${packages.length} packages`);
}
