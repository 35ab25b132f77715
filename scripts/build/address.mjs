/**
 * Writes the address of the repository in project.json wherever else it is needed: in package.json,
 * documents, workflows and examples, and in the links of README.md. With `--check` nothing is
 * written, and a difference is an error.
 *
 * The links of README.md are absolute, so that they work on the page of the package too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMain, messageOf, ROOT } from '../project.mjs';

/** Owner in the address of a project that is not published yet. */
const PLACEHOLDER = 'OWNER';

/** Documents, configuration and help in which the address may occur. */
const FILES =
  'README.md CHANGELOG.md CODE_OF_CONDUCT.md CONTRIBUTING.md SECURITY.md Dockerfile action.yml package.json .github docs examples src/cli/args/help.ts man'.split(
    ' ',
  );

/**
 * @typedef {object} Address
 * @property {string} url without a slash at the end
 * @property {string} slug owner and name
 * @property {boolean} isPlaceholder
 */

/**
 * Parses the address of a repository on GitHub.
 * @param {string} url
 * @returns {Address}
 * @throws {Error} it is not one
 */
export function parseAddress(url) {
  const [, owner, name] = /^https:\/\/github\.com\/([\w.-]+)\/([\w.-]+)$/.exec(url) ?? [];
  if (owner === undefined || name === undefined)
    throw new Error(`"repository" in project.json is not https://github.com/OWNER/NAME: ${url}`);
  return { url, slug: `${owner}/${name}`, isPlaceholder: owner === PLACEHOLDER };
}

/** The address in project.json. */
export function projectAddress() {
  const { repository } = JSON.parse(readFileSync(path.join(ROOT, 'project.json'), 'utf8'));
  return parseAddress(repository);
}

/**
 * The text of a file with another address.
 * @param {string} text
 * @param {Address} before
 * @param {Address} now
 */
export function withAddress(text, before, now) {
  const [old = '', owner] = [before, now].map(({ slug }) => slug.split('/')[0]);
  const slug = RegExp(`(?<![\\w.-])${pattern(before.slug)}(?![\\w-])`, 'g');
  // A code owner, in .github/CODEOWNERS.
  const mention = RegExp(`@${pattern(old)}(?![\\w./-])`, 'g');
  return text.replaceAll(slug, now.slug).replaceAll(mention, `@${owner}`);
}

/** @param {string} name */
function pattern(name) {
  return name.replaceAll('.', String.raw`\.`);
}

/**
 * A document at the root of the repository with its relative links made absolute.
 * @param {string} text
 * @param {Address} address
 * @param {(target: string) => boolean} isDirectory
 */
export function withAbsoluteLinks(text, { url }, isDirectory) {
  const blocks = text.split(/^(```[^]*?^```)/m);
  const link = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)/g;
  return blocks
    .map((block) =>
      block.startsWith('```')
        ? block
        : block.replaceAll(link, (_, image, words, target, fragment = '') => {
            const view = image === '!' ? 'raw' : isDirectory(target) ? 'tree' : 'blob';
            return `${image}[${words}](${url}/${view}/main/${target}${fragment})`;
          }),
    )
    .join('');
}

/**
 * The text of package.json with the fields that are made of the address.
 * @param {string} text
 * @param {Address} address
 */
export function withPackageFields(text, { url }) {
  const { name, version, description, keywords, ...others } = JSON.parse(text);
  for (const field of ['homepage', 'bugs', 'repository']) delete others[field];
  const fields = {
    name,
    version,
    description,
    keywords,
    homepage: `${url}#readme`,
    bugs: `${url}/issues`,
    repository: { type: 'git', url: `git+${url}.git` },
    ...others,
  };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}

/** The files that differ from what the address makes of them, with their text as it has to be. */
function changedFiles() {
  const now = projectAddress();
  const { repository } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  // Where the address was written the last time.
  const before = parseAddress(
    repository?.url.replace(/^git\+/, '').replace(/\.git$/, '') ?? now.url,
  );
  const listed = execFileSync('git', ['ls-files', '-z', '--', ...FILES], { cwd: ROOT });
  const names = listed
    .toString()
    .split('\0')
    .filter((name) => name !== '');
  return names.flatMap((name) => {
    const file = path.join(ROOT, name);
    if (!existsSync(file)) return [];
    const text = readFileSync(file, 'utf8');
    let wanted = withAddress(text, before, now);
    if (name === 'package.json') wanted = withPackageFields(wanted, now);
    if (name === 'README.md') wanted = withAbsoluteLinks(wanted, now, isFolder);
    return wanted === text ? [] : [{ name, file, wanted }];
  });
}

/** @param {string} target */
function isFolder(target) {
  return statSync(path.join(ROOT, target)).isDirectory();
}

if (isMain(import.meta.url)) {
  try {
    const changed = changedFiles();
    if (!process.argv.includes('--check')) {
      for (const { file, wanted } of changed) writeFileSync(file, wanted);
    } else if (changed.length > 0) {
      const names = changed.map(({ name }) => name).join(', ');
      throw new Error(`${names} would change: run make address`);
    }
  } catch (error) {
    console.error(`address: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
