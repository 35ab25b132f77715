import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { Workplace } from '../support/documented.js';

/**
 * The sessions in the README and the guides: each block of code that is marked `console` is run in
 * order, and must print what the page shows. In a page `…` stands for any part of a line.
 */

const PAGES = [
  'README.md',
  ...readdirSync('docs/guides')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/guides/${name}`),
];

interface Session {
  /** `FILE:LINE`. */
  readonly place: string;
  readonly command: string;
  readonly output: string;
}

function sessionsIn(page: string): Session[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap((block) => {
    const line = text.slice(0, block.index).split('\n').length;
    return block[1]!
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [, command, output] = /^((?:.*\\\n)*.*\n)([^]*)$/.exec(part)!;
        return { place: `${page}:${line}`, command: command!.trim(), output: output! };
      });
  });
}

const PLATFORMS = { amd64: 'linux-amd64', arm64: 'linux-arm64v8', s390x: 'linux-s390x' };

const SPEC = `image: ghcr.io/acme/app:1.0
type: oci
tags: [latest]
manifests:
  - image: ghcr.io/acme/app:1.0-linux-amd64
  - image: ghcr.io/acme/app:1.0-linux-arm64
`;

/** A registry with the images of three builds under their tags, and what the builds leave behind. */
async function makePlace(): Promise<Workplace> {
  const place = await Workplace.make();
  mkdirSync(path.join(place.folder, 'digests'));
  for (const [architecture, tag] of Object.entries(PLATFORMS)) {
    const source = `oci-layout://fixtures/layout:${tag}`;
    const target = place.local(`ghcr.io/acme/app:1.0-linux-${architecture}`);
    expectCode(await runCli(['copy', source, target]), 0);
    const { stdout } = await runCli(['digest', target]);
    const hex = stdout.trim().slice('sha256:'.length);
    if (architecture !== 's390x') writeFileSync(path.join(place.folder, 'digests', hex), '');
  }
  place.write('app.yaml', SPEC);
  return place;
}

/** The lines in which two outputs differ, in any order: tags move at the same time. */
function unmatched(documented: string, printed: string): string[] {
  const left = printed.trimEnd().split('\n');
  const missing = documented
    .trimEnd()
    .split('\n')
    .filter((line) => {
      const escaped = line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      const pattern = new RegExp(`^${escaped.replaceAll('…', '.*')}$`);
      const index = left.findIndex((candidate) => pattern.test(candidate));
      if (index !== -1) left.splice(index, 1);
      return index === -1;
    });
  return [...missing.map((line) => `not printed: ${line}`), ...left];
}

describe.each(PAGES.filter((page) => sessionsIn(page).length > 0))('%s', (page) => {
  let place: Workplace;

  beforeAll(async () => {
    place = await makePlace();
  });

  afterAll(() => place.stop());

  test('prints what it shows', async () => {
    for (const { place: where, command, output } of sessionsIn(page)) {
      const { code, stdout } = await place.run(`exec 2>&1; ${command}`);
      const missing = unmatched(place.local(output), stdout);
      expect({ where, command, stdout, missing }).toMatchObject({ missing: [] });
      expect([command, code === 0]).toEqual([command, !output.includes(' failed: ')]);
    }
  });
});

test('the picture in the README shows what the commands print', () => {
  const script = ['scripts/docs/terminal.mjs', '--check'];
  const { status, stderr } = spawnSync(process.execPath, script, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('the README has sessions', () => {
  expect(sessionsIn('README.md').length).toBeGreaterThan(4);
});
