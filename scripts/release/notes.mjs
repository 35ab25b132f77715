/**
 * `node scripts/release/notes.mjs TAG` prints the section of CHANGELOG.md for a release; it fails where the tag is not
 * that of the version in package.json, or the section is missing, undated or empty.
 */
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../project.mjs';

/** @throws {Error} That this is not ready to be released. */
export function releaseNotes(tag, version, changelog) {
  if (tag !== `v${version}`)
    throw new Error(`the tag is ${tag}, but the version in package.json is ${version}`);
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((each) => each.startsWith(`[${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section [${version}]`);
  const [heading, ...lines] = section.split('\n');
  if (!/\] - \d{4}-\d{2}-\d{2}$/.test(heading))
    throw new Error(`the section [${version}] of CHANGELOG.md has no date: "## ${heading}"`);
  const notes = lines.join('\n').trim();
  if (notes === '') throw new Error(`the section [${version}] of CHANGELOG.md is empty`);
  return `${notes}\n`;
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  try {
    const [manifest, changelog] = ['package.json', 'CHANGELOG.md'].map((name) =>
      readFileSync(path.join(ROOT, name), 'utf8'),
    );
    process.stdout.write(releaseNotes(process.argv[2], JSON.parse(manifest).version, changelog));
  } catch (error) {
    console.error(`not ready to be released: ${error.message}`);
    process.exitCode = 1;
  }
}
