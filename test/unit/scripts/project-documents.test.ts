import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectAddress } from '../../../scripts/build/address.mjs';

const makefile = readFileSync('Makefile', 'utf8');
const read = (name: string): string => readFileSync(name, 'utf8');

function markdownIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')));
}

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdownIn('docs')];
/** Documents whose readers have the sources at hand. */
const INTERNAL = [
  'SECURITY.md',
  'CONTRIBUTING.md',
  ...DOCUMENTS.filter((name) => /^docs\/(?:decisions|internals)\//.test(name)),
];

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(name: string): ReadonlySet<string> {
  const headings = read(name).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test.each(DOCUMENTS)('%s links to files and headings that exist', (name) => {
  const text = read(name).replaceAll(/^```[^]*?^```/gm, '');
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
  const missing = links.filter(([, file = '', anchor]) => {
    const target = file === '' ? name : path.join(path.dirname(name), file);
    if (!existsSync(target)) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

test('README.md links to files of this repository by absolute links, and all of them exist', () => {
  const { url } = projectAddress();
  const targets = [...read('README.md').matchAll(/\]\(([^)#]+)/g)].map(([, target]) => target!);
  const own = targets.filter((target) => target.startsWith(`${url}/`));
  const files = own.map((target) => target.replace(/^.*?\/(?:blob|tree|raw)\/main\//, ''));
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

test('each dependency has a row in the table of packages, and no other package has one', () => {
  const { devDependencies, dependencies = {} } = JSON.parse(read('package.json')) as {
    devDependencies: Record<string, string>;
    dependencies?: Record<string, string>;
  };
  const table = read('docs/internals/dependencies.md');
  const named = [...table.matchAll(/^\| (?!package|---)([^|]+) \|/gm)].flatMap(([, cell]) =>
    cell!.replaceAll(/ \([^)]*\)/g, '').split(', '),
  );
  expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...devDependencies }).toSorted());
});

describe.each(INTERNAL)('%s', (name) => {
  test('names files and folders that exist', () => {
    const named =
      read(name).match(/(?<![\w/.-])(?:test|scripts|docs|src|bin)\/[\w./-]*[\w/]/g) ?? [];
    expect(named.filter((each) => !existsSync(each))).toEqual([]);
  });

  test('names targets of make that exist', () => {
    // In a line of code, or between backquotes.
    const targets = [...read(name).matchAll(/^ {4}make ([a-z-]+)|`make ([a-z -]+)`/gm)].flatMap(
      ([, one, several]) => one ?? several!.split(' '),
    );
    expect(targets.filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))).toEqual([]);
  });
});

test('every record of a decision is in the index, with its three parts', () => {
  const records = markdownIn('docs/decisions').filter((name) => !name.endsWith('/README.md'));
  expect(records.length).toBeGreaterThan(5);
  const index = read('docs/decisions/README.md');
  for (const record of records) {
    expect(index).toContain(`(${path.basename(record)})`);
    expect(read(record).match(/^## .*$/gm)).toEqual([
      '## Context',
      '## Decision',
      '## Consequences',
    ]);
  }
});

test('each promise of SECURITY.md names what tests it', () => {
  const rows = read('SECURITY.md')
    .match(/^\| .+ \|$/gm)!
    .slice(2);
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => !/`(?:test\/\S+\.test\.ts|make \w+)`.* \|$/.test(row))).toEqual([]);
});
