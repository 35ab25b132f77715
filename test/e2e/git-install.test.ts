import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../support/package.js';

/** The package as npm installs it from a git repository, where nothing is built. */

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-git-'));
  const repository = path.join(folder, 'repository');
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]);
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  for (const name of execFileSync('git', list).toString().split('\0'))
    if (name !== '' && !/^(?:test|fixtures)\//.test(name) && existsSync(name))
      cpSync(name, path.join(repository, name));
  git('init', '--quiet');
  git('add', '--all');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '--quiet', '--message=x');
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has the command and the library', async () => {
  const options = ['--no-audit', '--no-fund', '--prefer-offline'];
  const source = `git+file://${folder}/repository`;
  await run('npm', ['install', ...options, source], { cwd: folder });
  const bin = path.join(folder, 'node_modules/.bin/manifest-tool');
  expect((await run(bin, ['--version'])).stdout).toMatch(/^manifest-tool version \d/);
  const program = `import { parseReference } from 'manifest-tool'; console.log(typeof parseReference);`;
  const started = run(process.execPath, ['--input-type=module', '-e', program], { cwd: folder });
  expect((await started).stdout).toBe('function\n');
  expect(existsSync(path.join(folder, 'node_modules/manifest-tool/src'))).toBe(false);
}, 300_000);
