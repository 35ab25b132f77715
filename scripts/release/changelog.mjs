/**
 * Makes the section Unreleased of CHANGELOG.md that of the version in package.json, with the date of
 * today and a link to the changes since the previous release. `npm version` runs it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from 'keep-a-changelog';
import { projectAddress } from '../build/address.mjs';
import { isMain, messageOf, PACKAGE, ROOT } from '../project.mjs';

/**
 * @param {string} text
 * @param {{ version: string, date: string, url: string }} release `date` as YYYY-MM-DD
 * @throws {Error} there is nothing to release
 */
export function withRelease(text, { version, date, url }) {
  const changelog = parser(text);
  changelog.format = 'markdownlint';
  changelog.url = url;
  const next = changelog.releases.find((release) => release.version === undefined);
  if (next === undefined || next.isEmpty())
    throw new Error('CHANGELOG.md has nothing in the section Unreleased');
  next.setVersion(version);
  next.setDate(date);
  return `${changelog.toString().trimEnd()}\n`;
}

if (isMain(import.meta.url)) {
  const file = path.join(ROOT, 'CHANGELOG.md');
  const date = new Date().toISOString().slice(0, 10);
  try {
    const release = { version: PACKAGE.version, date, url: projectAddress().url };
    writeFileSync(file, withRelease(readFileSync(file, 'utf8'), release));
  } catch (error) {
    console.error(`changelog: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
