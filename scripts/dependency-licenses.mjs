/**
 * Checks what package-lock.json pins, and writes docs/dependency-licenses.md: the licences of all packages, those that
 * only build and test included. With `--check` nothing is written and a stale file is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundledPlaces } from './bundled.mjs';
import { byText, faultsOf, packagesOf, readLockFile, ROOT } from './lock-file.mjs';

const FILE = path.join(ROOT, 'docs', 'dependency-licenses.md');

function render(packages, published) {
  const licenses = [...new Set(packages.map(({ license }) => license))].toSorted(byText);
  const parts = licenses.map((license) => {
    const names = packages
      .filter((each) => each.license === license)
      .map((each) => {
        const text = `${each.name} ${each.version}`;
        return published(each) ? `- **${text}**` : `- ${text}`;
      });
    return `## ${license}\n\n${[...new Set(names)].toSorted(byText).join('\n')}\n`;
  });
  const intro = `# Licences of all dependencies

Made of package-lock.json by \`make licenses\`; \`make check\` allows only licences that are allowed. Of the packages in bold there is code
in what is published; the others build and test it.
`;
  return [intro, ...parts].join('\n');
}

const packages = packagesOf(readLockFile());
const bundled = await bundledPlaces();
const faults = faultsOf(packages, bundled);
const wanted = render(packages, ({ place, dev }) => !dev || bundled.has(place));
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== wanted)
    faults.push('docs/dependency-licenses.md is stale: run make licenses');
} else {
  writeFileSync(FILE, wanted);
}
for (const fault of faults) console.error(`package-lock.json: ${fault}`);
if (faults.length > 0) process.exitCode = 1;
else console.log(`lock file: ${packages.length} packages, ok`);
