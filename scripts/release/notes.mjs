/**
 * Prints the section of CHANGELOG.md for a release: `node scripts/release/notes.mjs TAG`. Fails if
 * the tag does not match the version in package.json, if the section is missing, undated or empty,
 * or if the address in project.json is a placeholder.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectAddress } from '../build/address.mjs';
import { isMain, messageOf, PACKAGE, ROOT } from '../project.mjs';

/**
 * @param {string} tag
 * @param {string} version that of package.json
 * @param {string} changelog
 * @throws {Error} what is missing for a release
 */
export function releaseNotes(tag, version, changelog) {
  if (tag !== `v${version}`)
    throw new Error(`the tag is ${tag}, but the version in package.json is ${version}`);
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`[${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section [${version}]`);
  const [heading = '', ...lines] = section.split('\n');
  if (!/\] - \d{4}-\d{2}-\d{2}$/.test(heading))
    throw new Error(`the section [${version}] of CHANGELOG.md has no date: "## ${heading}"`);
  // The last section is followed by the links of the headings.
  const notes = lines
    .filter((line) => !/^\[[^\]]+\]: /.test(line))
    .join('\n')
    .trim();
  if (notes === '') throw new Error(`the section [${version}] of CHANGELOG.md is empty`);
  return `${notes}\n`;
}

if (isMain(import.meta.url)) {
  try {
    if (projectAddress().isPlaceholder)
      throw new Error('the address in project.json is a placeholder: set it, and run make address');
    const changelog = readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8');
    process.stdout.write(releaseNotes(process.argv[2] ?? '', PACKAGE.version, changelog));
  } catch (error) {
    console.error(`not ready to be released: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
