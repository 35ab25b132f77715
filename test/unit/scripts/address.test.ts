import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  parseAddress,
  withAbsoluteLinks,
  withAddress,
  withPackageFields,
} from '../../../scripts/build/address.mjs';

const OLD = parseAddress('https://github.com/OWNER/manifest-tool');
const NEW = parseAddress('https://github.com/acme/mt.js');

test('an address is that of a repository on GitHub; its owner may be a placeholder', () => {
  expect(OLD).toMatchObject({ slug: 'OWNER/manifest-tool', isPlaceholder: true });
  expect(NEW).toMatchObject({ slug: 'acme/mt.js', isPlaceholder: false });
  for (const bad of ['', 'https://github.com/acme', 'git@github.com:a/b', `${NEW.url}/`])
    expect(() => parseAddress(bad)).toThrow('"repository" in project.json');
});

test.each([
  ['uses: OWNER/manifest-tool@v1', 'uses: acme/mt.js@v1'],
  ['https://github.com/OWNER/manifest-tool/issues', 'https://github.com/acme/mt.js/issues'],
  ['git+https://github.com/OWNER/manifest-tool.git', 'git+https://github.com/acme/mt.js.git'],
  ['* @OWNER', '* @acme'],
  ['estesp/manifest-tool, OWNER/manifest-tool-2', 'estesp/manifest-tool, OWNER/manifest-tool-2'],
  ['MY-OWNER/manifest-tool, mail@OWNER.com', 'MY-OWNER/manifest-tool, mail@OWNER.com'],
])('%s becomes %s', (before, after) => {
  expect(withAddress(before, OLD, NEW)).toBe(after);
});

test('links become absolute, for files, folders and images; blocks of code stay', () => {
  const text = `[a](docs/a.md#b), ![c [d]](c.svg), [e](specs), [f](https://f.example), [g](#h)
\`\`\`sh
[a](docs/a.md)
\`\`\`
`;
  expect(withAbsoluteLinks(text, NEW, (target) => target === 'specs')).toBe(
    text
      .replace('docs/a.md', `${NEW.url}/blob/main/docs/a.md`)
      .replace('c.svg', `${NEW.url}/raw/main/c.svg`)
      .replace('(specs)', `(${NEW.url}/tree/main/specs)`),
  );
  const once = withAbsoluteLinks(text, NEW, () => false);
  expect(withAbsoluteLinks(once, NEW, () => false)).toBe(once);
});

test('package.json has the fields that npm and its page read', () => {
  const text = withPackageFields('{"name":"x","version":"1","bugs":"old","license":"L"}', NEW);
  expect(JSON.parse(text)).toEqual({
    name: 'x',
    version: '1',
    homepage: 'https://github.com/acme/mt.js#readme',
    bugs: 'https://github.com/acme/mt.js/issues',
    repository: { type: 'git', url: 'git+https://github.com/acme/mt.js.git' },
    license: 'L',
  });
});

describe('a checkout with another address', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mt-address-'));
    const tracked = execFileSync('git', [
      'ls-files',
      '-z',
      '--cached',
      '--others',
      '--exclude-standard',
    ]);
    for (const name of tracked
      .toString()
      .split('\0')
      .filter((each) => /^[^/]+$|^(?:scripts|docs|examples|\.github)\//.test(each)))
      cpSync(name, path.join(folder, name));
    cpSync('specs', path.join(folder, 'specs'), { recursive: true });
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
    ])
      execFileSync('git', args, { cwd: folder });
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]) => {
    const script = path.join(folder, args[0]!);
    return spawnSync(process.execPath, [script, ...args.slice(1)], { encoding: 'utf8' });
  };

  test('is refused until make address has written it, and may be released then', () => {
    const address = 'scripts/build/address.mjs';
    expect(run(address, '--check')).toMatchObject({ status: 0, stderr: '' });
    const notes = run('scripts/release/notes.mjs', 'v0.0.0');
    expect(notes).toMatchObject({ status: 1 });
    expect(notes.stderr).toContain('project.json is a placeholder');

    const text = JSON.stringify({ repository: 'https://github.com/acme/multi' });
    writeFileSync(path.join(folder, 'project.json'), text);
    const refused = run(address, '--check');
    expect(refused).toMatchObject({ status: 1 });
    for (const name of ['README.md', 'SECURITY.md', 'package.json', 'examples/github/add.yml'])
      expect(refused.stderr).toContain(name);
    expect(run(address)).toMatchObject({ status: 0 });
    expect(run(address, '--check')).toMatchObject({ status: 0 });
    const left = ['grep', '-lE', 'OWNER/manifest-tool', '--', '*.md', '*.yml'];
    expect(spawnSync('git', left, { cwd: folder, encoding: 'utf8' }).stdout).toBe('');
    expect(readFileSync(path.join(folder, 'examples/github/add.yml'), 'utf8')).toContain(
      'uses: acme/multi@v1',
    );
    expect(run('scripts/release/notes.mjs', 'v0.0.0').stderr).not.toContain('placeholder');
  });
});
