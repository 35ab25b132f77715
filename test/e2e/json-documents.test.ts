import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { LayoutFolder } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

/* Every member of every document of --json is described in docs/reference/json.md. */

const [, ...SECTIONS] = readFileSync(
  new URL('../../docs/reference/json.md', import.meta.url),
  'utf8',
).split(/^## /m);

/** The words in code style under a heading, and under that of the parts that documents share. */
function wordsUnder(heading: string): Set<string> {
  const sections = SECTIONS.filter(
    (section) => section.startsWith(`${heading}\n`) || section.startsWith('Entries and diff'),
  );
  expect(sections).toHaveLength(2);
  return new Set(sections.flatMap((each) => each.match(/(?<=`)\w+(?=`)/g) ?? []));
}

/** The members of a document at any depth, without the keys of free maps. */
function membersOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(membersOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    key,
    ...(['annotations', 'config'].includes(key) ? [] : membersOf(inner)),
  ]);
}

let registry: Registry;
let layout: LayoutFolder;

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
  const [amd64, other, arm64] = [
    await layout.imageFor('linux/amd64'),
    await layout.imageFor('linux/amd64', { labels: { other: 'yes' } }),
    await layout.imageFor('linux/arm64'),
  ];
  const attestation = await layout.attestation(amd64, 'https://spdx.dev/Document');
  await layout.tag(await layout.index([amd64, arm64, attestation]), 'old');
  await layout.tag(await layout.index([other, arm64], { annotations: { k: 'v' } }), 'new');
  for (const target of ['app:old', 'app:1'])
    await runCli(['copy', layout.reference('old'), `${registry.host}/${target}`]);
});

afterAll(async () => {
  await registry.stop();
  await layout.remove();
});

describe.each<[heading: string, ...commands: string[]]>([
  ['`digest --json`', 'digest {R}/app:old', 'digest --all {R}/app:old'],
  ['`query --json`', 'query {R}/app:old'],
  ['`tags --json`', 'tags {R}/app'],
  ['`diff --json`', 'diff {R}/app:old {L}:new', 'diff --config {R}/app:old {L}:new'],
  [
    '`verify --json`',
    'verify {R}/app:old',
    'verify --deep {R}/app:old',
    'verify --executables {R}/app:old',
    'verify --at-least linux/s390x {R}/app:old',
  ],
  [
    'Commands that publish',
    'copy {L}:new {R}/app:1 --dry-run',
    'add {R}/app:1 {L}:new --dry-run',
    'copy {L}:new {R}/app:2 -t {R}/other:1',
    'remove {R}/app:2 --platform linux/arm64',
    'copy {R}/app:old,2 {R}/third',
  ],
])('%s', (heading, ...commands) => {
  it.each(commands)('describes the members of %s', async (command) => {
    const words = command
      .replaceAll('{R}', registry.host)
      .replaceAll('{L}', `oci-layout://${layout.root}`)
      .split(' ');
    const { stdout } = await runCli([...words, '--json']);
    const members = new Set(membersOf(JSON.parse(stdout)));
    expect(members.size).toBeGreaterThan(1);
    const described = wordsUnder(heading);
    expect([...members].filter((member) => !described.has(member))).toEqual([]);
  });
});
