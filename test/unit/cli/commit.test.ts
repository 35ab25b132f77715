import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commitOf } from '../../../scripts/build/commit.mjs';
import { versionLine } from '../../../src/cli/commit.js';
import { VERSION } from '../../../src/version.js';

let folder: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: folder,
    encoding: 'utf8',
  }).trim();

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-commit-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function commit(): string {
  git('init', '--quiet');
  writeFileSync(path.join(folder, 'file'), 'one\n');
  git('add', 'file');
  git('commit', '--quiet', '--message', 'one');
  return git('rev-parse', 'HEAD').slice(0, 12);
}

test('the commit is the one that is checked out, tagged or not', () => {
  const expected = commit();
  expect(commitOf(folder)).toBe(expected);
  git('tag', '--annotate', '--message', 'v1', 'v1.0.0');
  expect(commitOf(folder)).toBe(expected);
});

test('changed files are told, files that git does not know are not', () => {
  const expected = commit();
  writeFileSync(path.join(folder, 'built'), 'not known');
  expect(commitOf(folder)).toBe(expected);
  writeFileSync(path.join(folder, 'file'), 'two\n');
  expect(commitOf(folder)).toBe(`${expected}-dirty`);
});

test('there is none outside of a checkout, before the first commit, and in a checkout of something else', () => {
  expect(commitOf(folder)).toBeUndefined();
  git('init', '--quiet');
  expect(commitOf(folder)).toBeUndefined();
  commit();
  const inner = path.join(folder, 'inner');
  mkdirSync(inner);
  expect(commitOf(inner)).toBeUndefined();
});

test('the version is the third word, with a commit or without', () => {
  expect(versionLine('')).toBe(`manifest-tool version ${VERSION}\n`);
  expect(versionLine('0123456789ab')).toBe(
    `manifest-tool version ${VERSION} (commit 0123456789ab)\n`,
  );
});
