import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
