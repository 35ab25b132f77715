import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parser } from 'keep-a-changelog';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { projectAddress } from '../../../scripts/build/address.mjs';
import { withRelease } from '../../../scripts/release/changelog.mjs';
import { releaseNotes } from '../../../scripts/release/notes.mjs';
import { VERSION } from '../../../src/version.js';

describe('the notes of a release', () => {
  const CHANGELOG = `# Changelog

## [Unreleased]

### Added

- d

## [1.10.0] - 2026-12-01

### Added

- c

## [1.1.0] - 2026-11-01

- b

## [1.0.0]

- a

## [0.9.0] - 2026-10-01

## [0.8.0] - 2026-09-01

- z

[1.10.0]: https://example.com/compare/v1.1.0...v1.10.0
[0.8.0]: https://example.com/releases/tag/v0.8.0
`;

  test('are its section of the changelog', () => {
    expect(releaseNotes('v1.10.0', '1.10.0', CHANGELOG)).toBe('### Added\n\n- c\n');
    expect(releaseNotes('v1.1.0', '1.1.0', CHANGELOG)).toBe('- b\n');
    expect(releaseNotes('v0.8.0', '0.8.0', CHANGELOG)).toBe('- z\n');
  });

  test.each([
    ['v1.1.0', '1.10.0', 'the tag is v1.1.0, but the version in package.json is 1.10.0'],
    ['1.1.0', '1.1.0', 'the tag is 1.1.0'],
    ['v1.1', '1.1', 'has no section [1.1]'],
    ['v2.0.0', '2.0.0', 'has no section [2.0.0]'],
    ['v1.0.0', '1.0.0', 'has no date'],
    ['v0.9.0', '0.9.0', 'is empty'],
  ])('%s of %s: %s', (tag, version, message) => {
    expect(() => releaseNotes(tag, version, CHANGELOG)).toThrow(message);
  });
});

test('the changelog has a section for what is next, or for this version', () => {
  const changelog = readFileSync('CHANGELOG.md', 'utf8');
  const headings = [...changelog.matchAll(/^## \[(.+?)\]( - .+)?$/gm)].map(([, name]) => name);
  expect(['Unreleased', VERSION]).toContain(headings[0]);
});

describe('the changelog of a release', () => {
  const url = 'https://example.com';
  const BEFORE = `# Changelog

Words about it.

## [Unreleased]

### Added

- Commands:
  - one, over
    two lines
  - two

### Fixed

- it
`;
  const first = withRelease(BEFORE, { version: '1.0.0-rc.1', date: '2026-11-28', url });

  test('has its date, and everything else as it was', () => {
    expect(first).toBe(
      `${BEFORE.replace('[Unreleased]', '[1.0.0-rc.1] - 2026-11-28')}\n[1.0.0-rc.1]: ${url}/releases/tag/v1.0.0-rc.1\n`,
    );
    expect(releaseNotes('v1.0.0-rc.1', '1.0.0-rc.1', first)).toBe(
      BEFORE.slice(BEFORE.indexOf('### Added')),
    );
  });

  test('links to what changed since the release before', () => {
    const next = first.replace('## [1.0.0-rc.1]', '## [Unreleased]\n\n### Fixed\n\n- x\n\n$&');
    const second = withRelease(next, { version: '1.0.0', date: '2026-12-01', url });
    expect(second).toContain('## [1.0.0] - 2026-12-01\n\n### Fixed\n\n- x\n');
    expect(second).toContain(`[1.0.0]: ${url}/compare/v1.0.0-rc.1...v1.0.0\n`);
  });

  test('is refused if nothing is unreleased', () => {
    const release = { version: '1.0.0', date: '2026-12-01', url };
    expect(() => withRelease(first, release)).toThrow('nothing in the section Unreleased');
    const empty = first.replace('## [1', '## [Unreleased]\n\n## [1');
    expect(() => withRelease(empty, release)).toThrow('nothing in the section Unreleased');
  });
});

test('the changelog is as the tool for releases writes it', () => {
  const changelog = parser(readFileSync('CHANGELOG.md', 'utf8'));
  changelog.format = 'markdownlint';
  changelog.url = projectAddress().url;
  // Before the first release there is nothing to compare Unreleased with, so that it has no link.
  const written = `${changelog.toString().trimEnd()}\n`.replace(
    /^## Unreleased$/m,
    '## [Unreleased]',
  );
  expect(written).toBe(readFileSync('CHANGELOG.md', 'utf8'));
});

describe('the files of a release', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mt-release-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const make = (): string => {
    execFileSync('bash', ['scripts/release/assets.sh', folder]);
    return readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8');
  };

  test('are summed up, executables compressed as well, the same each time', () => {
    const names = ['1.0.0-linux-x64', '1.0.0-win-x64.exe', '1.0.0-LICENSES.txt', '1.0.0.tgz'];
    for (const name of names) writeFileSync(path.join(folder, `manifest-tool-${name}`), name);
    const sums = make();
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
    const expected = ['1.0.0-linux-x64.gz', '1.0.0-win-x64.exe.gz', ...names];
    expect(sums.match(/manifest-tool-(\S+)/g)?.toSorted()).toEqual(
      expected.map((name) => `manifest-tool-${name}`).toSorted(),
    );
    const packed = readFileSync(path.join(folder, 'manifest-tool-1.0.0-linux-x64.gz'));
    expect(gunzipSync(packed).toString()).toBe('1.0.0-linux-x64');
    expect(make()).toBe(sums);
    expect(readdirSync(folder)).toHaveLength(expected.length + 1);
  });
});
