import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What the documents for contributors and users name is there. */

const makefile = readFileSync('Makefile', 'utf8');

test.each(['SECURITY.md', 'CONTRIBUTING.md'])('%s names files and targets that exist', (name) => {
  const text = readFileSync(name, 'utf8');
  const paths = text.match(/\b(?:test|scripts|docs|src|bin)\/[\w./-]*[\w/]/g) ?? [];
  expect(paths.length).toBeGreaterThan(3);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);
  expect(links.filter((link) => !existsSync(link))).toEqual([]);
  // In a line of code, or between backquotes.
  const targets = [...text.matchAll(/^ {4}make ([a-z]+)|`make ([a-z ]+)`/gm)].flatMap(
    ([, one, several]) => one ?? several!.split(' '),
  );
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))).toEqual([]);
});

test('each promise of SECURITY.md names what tests it', () => {
  const rows = readFileSync('SECURITY.md', 'utf8')
    .match(/^\| .+ \|$/gm)!
    .slice(2);
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => !/`(?:test\/\S+\.test\.ts|make \w+)`.* \|$/.test(row))).toEqual([]);
});
